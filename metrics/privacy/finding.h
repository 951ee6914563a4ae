#pragma once
/// What one attack or count found, beside what it finds where nothing was given away.

#include <optional>
#include <string>
#include <vector>

#include "metrics/metric.h"
#include "metrics/privacy/flow_records.h"
#include "metrics/privacy/session_share.h"

namespace tracebench {

/// Three sides and how they are resampled. Everything drawn from `real_seed` is the same for every generator
/// and seed.
struct PrivacyComparison {
    const PrivacyView& train;
    const PrivacyView& heldout;  ///< without sessions: nothing is known of what is natural
    const PrivacyView& synthetic;
    std::size_t max_flows = 2000;  ///< of a side, where every pair is compared; more are thinned at random
    std::size_t bootstrap = 200;
    std::uint64_t real_seed = 1, synthetic_seed = 1;
    Progress* progress = nullptr;

    std::uint64_t train_seed() const { return stream_seed(real_seed, "privacy/train"); }
};

struct Finding {
    MetricValue value;
    /// Value minus floor, with its 95% interval from resamples of both: what is given away beyond what real
    /// traffic that was never seen has in common with the training samples. Nothing where either is unknown.
    std::optional<double> excess;
    std::optional<Interval> excess_interval;
};

struct Findings {
    std::vector<Finding> list;
    nlohmann::json details = nlohmann::json::object();

    void append(Findings other);
};

/// A value of area `privacy` without ceiling and, until it is set, without floor (NaN).
MetricValue privacy_value(const std::string& metric, const std::string& group);

/// Which sessions a share is counted over, and the seed of their resamples.
struct ShareSide {
    const SessionShare& share;
    const std::vector<std::string>& labels;
    std::uint64_t seed = 0;
};
/// The rate of `measured` with that of `natural` as its floor. Skipped, saying `why_none`, where there is
/// nothing to divide by.
Finding share_finding(MetricValue value, const ShareSide& measured, const ShareSide& natural,
                      std::size_t bootstrap, const std::string& why_none);
/// Sets excess and interval over a floor that is known and not measured.
void compare_with_known_floor(Finding& finding);

}  // namespace tracebench
