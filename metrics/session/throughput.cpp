#include "metrics/session/throughput.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace tracebench {
namespace {

constexpr std::size_t least_values = 20, least_shared_steps = 10, most_flows = 8;

std::size_t step_of(std::int64_t time_ns, std::int64_t start_ns, std::int64_t step_ns) {
    // Two times of a hostile capture may lie further apart than a signed number can say.
    if (time_ns <= start_ns) return 0;
    const std::uint64_t since = static_cast<std::uint64_t>(time_ns) - static_cast<std::uint64_t>(start_ns);
    return static_cast<std::size_t>(since / static_cast<std::uint64_t>(step_ns));
}

double mean_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// One flow's bytes, step by step from `first` on.
struct FlowSeries {
    std::size_t first = 0;
    std::vector<double> bytes;

    std::size_t end() const { return first + bytes.size(); }
};

/// Of the flows with most packets, at most `most_flows`.
std::vector<FlowSeries> largest_series(const SessionLog& log, std::int64_t step_ns, std::size_t max_steps) {
    std::vector<std::uint64_t> sizes(log.flows.size());
    for (const PacketRecord& packet : log.packets)
        if (packet.flow != SessionLog::no_flow) ++sizes[packet.flow];
    std::vector<std::uint32_t> largest(log.flows.size());
    std::iota(largest.begin(), largest.end(), 0U);
    const std::size_t kept = std::min(largest.size(), most_flows);
    std::partial_sort(largest.begin(), largest.begin() + static_cast<std::ptrdiff_t>(kept), largest.end(),
                      [&sizes](std::uint32_t a, std::uint32_t b) {
                          return sizes[a] != sizes[b] ? sizes[a] > sizes[b] : a < b;
                      });
    std::vector<std::size_t> place(log.flows.size(), kept);
    for (std::size_t i = 0; i < kept; ++i) place[largest[i]] = i;

    std::vector<FlowSeries> series(kept);
    std::vector<bool> begun(kept);
    for (const PacketRecord& packet : log.packets) {
        const std::size_t i = packet.flow == SessionLog::no_flow ? kept : place[packet.flow];
        if (i == kept) continue;
        const std::size_t step = step_of(packet.time_ns, log.packets.front().time_ns, step_ns);
        if (!begun[i]) series[i].first = step;
        begun[i] = true;
        if (step >= max_steps || step < series[i].first) continue;
        if (step >= series[i].end()) series[i].bytes.resize(step - series[i].first + 1);
        series[i].bytes[step - series[i].first] += packet.wire_bytes;
    }
    return series;
}

std::optional<double> correlation(const FlowSeries& a, const FlowSeries& b) {
    const std::size_t first = std::max(a.first, b.first), end = std::min(a.end(), b.end());
    if (end < first + least_shared_steps) return std::nullopt;
    const std::span x = std::span(a.bytes).subspan(first - a.first, end - first),
                    y = std::span(b.bytes).subspan(first - b.first, end - first);
    const double x_mean = mean_of(x), y_mean = mean_of(y);
    double xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += (x[i] - x_mean) * (x[i] - x_mean);
        yy += (y[i] - y_mean) * (y[i] - y_mean);
        xy += (x[i] - x_mean) * (y[i] - y_mean);
    }
    if (!(xx > 0) || !(yy > 0)) return std::nullopt;
    return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

}  // namespace

std::vector<double> byte_series(std::span<const PacketRecord> packets, std::int64_t step_ns,
                                std::size_t max_steps) {
    std::vector<double> series;
    for (const PacketRecord& packet : packets) {
        const std::size_t step = step_of(packet.time_ns, packets.front().time_ns, step_ns);
        if (step >= max_steps) continue;
        if (step >= series.size()) series.resize(step + 1);
        series[step] += packet.wire_bytes;
    }
    return series;
}

std::optional<Autocorrelation> autocorrelation(std::span<const double> series) {
    if (series.size() < least_values) return std::nullopt;
    const double mean = mean_of(series);
    const auto products = [&](std::size_t lag) {
        double sum = 0;
        for (std::size_t t = 0; t + lag < series.size(); ++t)
            sum += (series[t] - mean) * (series[t + lag] - mean);
        return sum;
    };
    const double variation = products(0);
    if (!(variation > 0)) return std::nullopt;
    Autocorrelation result;
    result.lag1 = products(1) / variation;
    // The r_k of all lags sum to -1/2, so one is below.
    double at_lag = result.lag1;
    for (result.decay_lag = 1; at_lag >= 1 / std::numbers::e && result.decay_lag + 1 < series.size();)
        at_lag = products(++result.decay_lag) / variation;
    return result;
}

std::optional<double> flow_correlation(const SessionLog& log, std::int64_t step_ns, std::size_t max_steps) {
    const std::vector<FlowSeries> series = largest_series(log, step_ns, max_steps);
    double sum = 0;
    std::size_t pairs = 0;
    for (std::size_t a = 0; a < series.size(); ++a) {
        for (std::size_t b = a + 1; b < series.size(); ++b) {
            const auto r = correlation(series[a], series[b]);
            if (!r) continue;
            sum += *r;
            ++pairs;
        }
    }
    if (pairs == 0) return std::nullopt;
    return sum / static_cast<double>(pairs);
}

}  // namespace tracebench
