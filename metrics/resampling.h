#pragma once
/// Session-level resampling: bootstrap intervals and random splits. Packets and flows of one session are
/// never taken as independent.
///
/// Everything is stratified by label, since how many sessions a class has is a choice of the dataset and not
/// chance. Labels with fewer than two sessions (four for splits) are treated as one label.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"

namespace tracebench {

/// Draws as many sessions as there are, with replacement, label by label.
class Bootstrap {
  public:
    /// One label a session.
    explicit Bootstrap(std::span<const std::string> labels);

    /// False with fewer than two sessions: nothing can be said of their spread then.
    bool possible() const { return sessions_ >= 2; }
    /// How often each session was drawn. `weights` has one place a session.
    void draw(Random& random, std::span<double> weights) const;
    /// How much wider than the resamples an interval has to be: they spread less than samples do by the root
    /// of (n-1)/n, and know the spread from few sessions. sqrt(n/(n-1)) t/z with n-1 degrees of freedom, one
    /// fewer for each label more. Hesterberg, The American Statistician 69(4), 2015. 1 where impossible.
    double stretch() const;

  private:
    std::vector<std::vector<std::uint32_t>> strata_;
    std::size_t sessions_ = 0;
};

/// Random disjoint halves of the pooled real sessions, sized like a comparison's two sides.
class RandomSplits {
  public:
    /// `pool`: one label a pooled real session. `left`, `right`: sessions wanted of each label; where the
    /// pool does not have as many, the pair that is closest in noise (1/left + 1/right) is taken.
    RandomSplits(std::span<const std::string> pool, const std::map<std::string, std::size_t>& left,
                 const std::map<std::string, std::size_t>& right);

    /// False where no label has two sessions.
    bool possible() const { return left_ > 0; }
    /// (1/left + 1/right) as wanted, over the same as drawn: at most 1. A distance that is all noise grows
    /// with the square root of it, a divergence in proportion.
    double noise_ratio() const { return noise_ratio_; }
    /// 1 for each session on the left and on the right, 0 elsewhere; one place a pooled session.
    void draw(Random& random, std::span<double> left, std::span<double> right) const;

  private:
    struct Stratum {
        std::vector<std::uint32_t> sessions;
        std::size_t left = 0, right = 0;
    };
    std::vector<Stratum> strata_;
    std::size_t left_ = 0;
    double noise_ratio_ = 1;
};

struct Range {
    double low = 0, high = 1;
};
/// Replicates moved so that their mean is `value`, their distances from it multiplied by `stretch`, then cut
/// to the range. Resampling adds its own noise to that of the sample, which pushes a distance up; the spread
/// is right, the place is not. Percentiles of the result are an interval for the expected value at this
/// number of sessions, which is also what a noise floor and a ceiling at the same number estimate.
std::vector<double> recentred(std::vector<double> replicates, double value, double stretch, Range range);

struct Interval {
    double low = 0, high = 0;
};
/// The 2.5th and 97.5th percentile (linear between order statistics). Nothing for fewer than 20 replicates.
std::optional<Interval> interval95(std::span<const double> replicates);

/// Quantile 0..1 of ascending values, linear between order statistics. Throws std::invalid_argument where
/// there are none.
double quantile(std::span<const double> sorted, double probability);

std::map<std::string, std::size_t> count_labels(std::span<const std::string> labels);

}  // namespace tracebench
