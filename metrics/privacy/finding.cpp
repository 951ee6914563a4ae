#include "metrics/privacy/finding.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace tracebench {

void Findings::append(Findings other) {
    std::move(other.list.begin(), other.list.end(), std::back_inserter(list));
    details.update(other.details);
}

MetricValue privacy_value(const std::string& metric, const std::string& group) {
    MetricValue value;
    value.metric = "privacy." + metric;
    value.group = group;
    value.area = "privacy";
    value.unit = "1";
    value.floor = value.ceiling = std::numeric_limits<double>::quiet_NaN();
    return value;
}

Finding share_finding(MetricValue value, const ShareSide& measured, const ShareSide& natural,
                      std::size_t bootstrap, const std::string& why_none) {
    Finding finding{std::move(value), {}, {}};
    const auto rate = measured.share.rate(), floor = natural.share.rate();
    if (floor) finding.value.floor = *floor;
    if (!rate) {
        finding.value.skipped = why_none;
        return finding;
    }
    finding.value.value = *rate;
    if (floor) finding.excess = *rate - *floor;
    ResampledRates resamples = resampled_rates(measured.share, measured.labels, measured.seed, bootstrap);
    finding.value.replicates = recentred(resamples.rates, *rate, resamples.stretch, {0, 1});
    const ResampledRates floors = resampled_rates(natural.share, natural.labels, natural.seed, bootstrap);
    if (!floor || floors.rates.size() != resamples.rates.size()) return finding;
    for (std::size_t i = 0; i < floors.rates.size(); ++i) resamples.rates[i] -= floors.rates[i];
    const double stretch = std::max(resamples.stretch, floors.stretch);
    finding.excess_interval =
        interval95(recentred(std::move(resamples.rates), *finding.excess, stretch, {-1, 1}));
    return finding;
}

void compare_with_known_floor(Finding& finding) {
    const double floor = finding.value.floor;
    finding.excess = finding.value.value - floor;
    if (const auto interval = interval95(finding.value.replicates))
        finding.excess_interval = Interval{interval->low - floor, interval->high - floor};
}

}  // namespace tracebench
