#pragma once
/// Measures of whole vectors that are computed together, and their evaluation with interval, noise floor and
/// ceiling.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/distance/comparison_plan.h"
#include "metrics/distance/session_resamples.h"
#include "metrics/joint/pair_distances.h"

namespace tracebench {

struct JointMeasure {
    std::string name;  ///< of the value, without `joint.`
    MeasuredValue kind;
    bool lower_is_better = true;
    /// The least that a ceiling has to be away from the floor.
    double resolution = 0;
    bool in_score = false;
    std::string unit = "1";
    /// The value where there is no synthetic vector at all; nothing: it cannot be computed then.
    std::optional<double> without_synthetic = std::nullopt;
};

/// Two sets of vectors, those of the first and then those of the second, and the distances between all of
/// them, computed when first asked for.
class JointSides {
  public:
    JointSides(const Points& a, const Points& b);

    const Points& all() const { return all_; }
    const PairDistances& pairs() const;

  private:
    Points all_;
    mutable std::unique_ptr<PairDistances> pairs_;
};

struct JointFamily {
    std::vector<JointMeasure> measures;
    /// What either side needs for a value, for people.
    std::string needs;
    /// The measures on any weighting of the sessions of both sides, which outlive what is returned.
    std::function<SessionMeasure(const JointSides& sides)> prepare;
};

/// Vectors of the four sets of samples, standardised alike.
struct JointPoints {
    Points train, heldout, synthetic, ceiling;
};

/// At most `limit` vectors of each set, thinned at random; train and held-out in the same proportion, so that
/// sessions of both have as many. The real ones drawn depend on neither generator nor seed.
JointPoints thinned(const JointPoints& points, std::size_t limit);

/// One value a measure of every family, in order; group and area `group`. `vectors` says in the plural what
/// the vectors are. Without held-out and synthetic vectors all are skipped; what cannot be computed has
/// failed.
std::vector<MetricValue> evaluate_families(const ComparisonPlan& plan, const JointPoints& points,
                                           const std::vector<JointFamily>& families, const std::string& group,
                                           const std::string& vectors);

}  // namespace tracebench
