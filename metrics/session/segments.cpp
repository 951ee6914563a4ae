#include "metrics/session/segments.h"

#include <algorithm>
#include <tuple>

namespace tracebench {
namespace {

/// The requests and answers of one flow.
struct Exchange {
    Segment current;
    bool requested = false;

    bool is_segment() const { return requested && current.bytes >= least_segment_bytes; }
};

}  // namespace

std::vector<Segment> find_segments(const SessionLog& log) {
    std::vector<Segment> segments;
    std::vector<Exchange> flows(log.flows.size());
    for (const PacketRecord& packet : log.packets) {
        if (packet.flow == SessionLog::no_flow) continue;
        auto& [current, requested] = flows[packet.flow];
        if (packet.direction == Direction::forward) {
            if (packet.payload < least_request_bytes) continue;
            if (flows[packet.flow].is_segment()) segments.push_back(current);
            current = Segment{packet.time_ns, packet.time_ns, packet.time_ns, 0};
            requested = true;
        } else if (packet.payload > 0) {
            if (current.bytes == 0) current.first_ns = packet.time_ns;
            current.last_ns = std::max(current.last_ns, packet.time_ns);
            current.bytes += packet.payload;
        }
    }
    for (const Exchange& flow : flows)
        if (flow.is_segment()) segments.push_back(flow.current);
    std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) {
        return std::tie(a.request_ns, a.first_ns, a.last_ns, a.bytes) <
               std::tie(b.request_ns, b.first_ns, b.last_ns, b.bytes);
    });
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
