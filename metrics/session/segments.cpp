#include "metrics/session/segments.h"

#include <algorithm>

namespace tracebench {
namespace {

void find_in_flow(const ObservedSample& sample, const FlowPackets& flow, std::vector<Segment>& found) {
    Segment current;
    bool requested = false;
    const auto finish = [&] {
        if (requested && current.bytes >= least_segment_bytes) found.push_back(current);
    };
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        const std::uint32_t payload = sample.headers[flow.packets[i]].payload_length();
        const std::int64_t time_ns = sample.trace.packets[flow.packets[i]].time_ns;
        if (flow.directions[i] == Direction::forward) {
            if (payload < least_request_bytes) continue;
            finish();
            current = Segment{time_ns, time_ns, time_ns, 0};
            requested = true;
        } else if (payload > 0) {
            if (current.bytes == 0) current.first_ns = time_ns;
            current.last_ns = std::max(current.last_ns, time_ns);
            current.bytes += payload;
        }
    }
    finish();
}

}  // namespace

std::vector<Segment> find_segments(const ObservedSample& sample) {
    std::vector<Segment> segments;
    for (const FlowPackets& flow : sample.flows) find_in_flow(sample, flow, segments);
    std::stable_sort(segments.begin(), segments.end(),
                     [](const Segment& a, const Segment& b) { return a.request_ns < b.request_ns; });
    return segments;
}

std::optional<double> segment_on_share(std::span<const Segment> segments) {
    if (segments.size() < 2) return std::nullopt;
    std::vector<std::pair<std::int64_t, std::int64_t>> times;
    for (const Segment& segment : segments) times.emplace_back(segment.first_ns, segment.last_ns);
    std::sort(times.begin(), times.end());
    std::int64_t end = times.front().first;
    double on = 0;
    for (const auto& [first, last] : times) {
        if (last > end) on += static_cast<double>(last) - static_cast<double>(std::max(first, end));
        end = std::max(end, last);
    }
    const double all = static_cast<double>(end) - static_cast<double>(times.front().first);
    if (!(all > 0)) return std::nullopt;
    return std::clamp(on / all, 0.0, 1.0);
}

}  // namespace tracebench
