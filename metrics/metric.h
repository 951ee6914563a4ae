#pragma once
/// A metric compares real samples with synthetic ones and gives named values.
///
/// To add one: a file that implements Metric, a line in registry.cpp, a test. See docs/extending.md.

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "datasets/samples.h"
#include "metrics/observations.h"

namespace tracebench {

/// One side of a comparison, read and observed once and shared by all metrics.
struct SampleSet {
    std::string name;  ///< "real", or the generator's name
    Samples samples;
    Observations observations;
};

/// What a generator's own model makes of real samples, for attacks that ask the model itself: one loss a
/// sample, in the order of its side's samples. A loss is the mean negative log-likelihood in nats of what the
/// model predicts (a token, a packet); infinite where it rules the sample out, NaN where it cannot say.
struct ModelLosses {
    std::vector<double> train, heldout;
};

/// What every metric gets. References stay valid during evaluate().
struct MetricInput {
    const SampleSet& real_train;    ///< what the generator learned from
    const SampleSet& real_heldout;  ///< what synthetic samples are compared with
    const SampleSet& synthetic;
    const SampleSet&
        ceiling;             ///< independent-marginals samples fitted on real_train: no better than this = 1
    std::uint64_t seed = 1;  ///< for resampling
    std::size_t bootstrap = 200;  ///< session-level resamples for intervals; 0: none
    Progress* progress = nullptr;
    const ModelLosses* losses = nullptr;  ///< null: the generator does not tell
};

/// One named value of one generator and one seed.
struct MetricValue {
    std::string metric;  ///< `jsd`, `wasserstein`, `compliance.pass_rate`
    std::string group;   ///< what it was measured on: a field, a rule, a class; empty for totals
    std::string area;    ///< "packet", "flow", "session", "compliance", "utility", "privacy": verdict level
    double value = 0;
    bool lower_is_better = true;
    std::string unit;
    std::size_t n_real = 0, n_synthetic = 0;  ///< observations on either side
    /// The value on bootstrap resamples of sessions, moved so that percentiles are an interval; empty: none.
    /// Replicate i of every seed and generator has the same real sessions: combine seeds index by index.
    std::vector<double> replicates;
    /// Noise floor: the same measure between two sets of real samples of the same n; NaN where there are too
    /// few of them.
    double floor = 0;
    /// The same measure for the ceiling samples; NaN where the ceiling cannot be told from the floor.
    double ceiling = 0;
    bool in_score = true;  ///< false: a part or another view of a value that counts in the area's score
    std::string failed;    ///< why it could not be computed; the numbers above then mean nothing
    std::string skipped;   ///< why it does not apply here
};

struct MetricResult {
    std::vector<MetricValue> values;
    nlohmann::json details;  ///< for the report; its shape is in docs/results.md
};

class Metric {
  public:
    virtual ~Metric() = default;
    virtual std::string name() const = 0;
    /// Changed whenever values may change: results of different versions are not comparable.
    virtual int version() const = 0;
    virtual MetricResult evaluate(const MetricInput& input) const = 0;
    /// Details of the real side alone (for the report), computed once a dataset. Null where there is none.
    virtual nlohmann::json describe_real(const SampleSet& heldout) const;
};

/// Throws InputError for an unknown name, listing those there are.
std::unique_ptr<Metric> make_metric(const std::string& name, const nlohmann::json& settings);
std::vector<std::string> metric_names();

}  // namespace tracebench
