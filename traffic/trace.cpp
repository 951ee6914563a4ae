#include "traffic/trace.h"

#include <algorithm>

namespace tracebench {

double Trace::duration_s() const {
    if (packets.size() < 2) return 0;
    return static_cast<double>(packets.back().time_ns - packets.front().time_ns) * 1e-9;
}

void Trace::sort_by_time() {
    const auto earlier = [](const PacketView& a, const PacketView& b) { return a.time_ns < b.time_ns; };
    // Nearly always: what is in order already takes no room to be sorted in.
    if (!std::is_sorted(packets.begin(), packets.end(), earlier))
        std::stable_sort(packets.begin(), packets.end(), earlier);
}

void Trace::keep(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }

void Trace::append(std::int64_t time_ns, std::span<const std::uint8_t> bytes, std::uint32_t original_length,
                   std::uint16_t link) {
    // A copy of this trace that appends too must not write into our storage's order: start a new one.
    if (!own_ || own_.use_count() > 2) {
        own_ = std::make_shared<std::deque<std::vector<std::uint8_t>>>();
        owners_.push_back(own_);
    }
    const auto& stored = own_->emplace_back(bytes.begin(), bytes.end());
    packets.push_back({time_ns, original_length != 0 ? original_length : static_cast<std::uint32_t>(bytes.size()),
                       link, packets.size() + 1, stored});
}

}  // namespace tracebench
