#include "metrics/privacy/finding.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tracebench {
namespace {

bool all_finite(const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

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
    const double stretch = Bootstrap(measured.labels).stretch();
    std::vector<double> rates = resampled_rates(measured.share, measured.labels, measured.seed, bootstrap);
    if (!all_finite(rates)) return finding;
    finding.value.replicates = recentred(rates, *rate, stretch, {0, 1});
    const std::vector<double> floors =
        resampled_rates(natural.share, natural.labels, natural.seed, bootstrap);
    if (!floor || floors.size() != rates.size() || !all_finite(floors)) return finding;
    for (std::size_t i = 0; i < rates.size(); ++i) rates[i] -= floors[i];
    finding.excess_interval = interval95(recentred(
        std::move(rates), *finding.excess, std::max(stretch, Bootstrap(natural.labels).stretch()), {-1, 1}));
    return finding;
}

void compare_with_known_floor(Finding& finding) {
    const double floor = finding.value.floor;
    finding.excess = finding.value.value - floor;
    if (const auto interval = interval95(finding.value.replicates))
        finding.excess_interval = Interval{interval->low - floor, interval->high - floor};
}

}  // namespace tracebench
