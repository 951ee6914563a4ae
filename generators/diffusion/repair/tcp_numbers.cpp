#include "generators/diffusion/repair/tcp_numbers.h"

#include <algorithm>

#include "generators/diffusion/repair/packet_bytes.h"
#include "traffic/bytes.h"

namespace tracebench::diffusion {

SegmentFields segment_of(const DraftFlow& flow, const DraftRow& row) {
    std::vector<std::uint8_t> bytes = header_bytes_of(flow, row);
    constexpr std::uint32_t ipv6_header = 40;
    const std::uint32_t fixed = flow.ipv6 ? ipv6_header : 0;
    const auto length = static_cast<std::uint16_t>(std::max(header_bytes(flow, row), length_of(flow, row)));
    store16(&bytes[flow.ipv6 ? 4 : 2], length);
    const RulePacket packet = read_rule_packet({row.time_ns, length + fixed, link_type::raw_ip, 0, bytes});
    return read_segment(packet).value_or(SegmentFields{});
}

NumberWitnesses::NumberWitnesses(const Draft& draft, const DraftFlow& flow) {
    for (const std::uint32_t r : flow.rows) {
        const DraftRow& row = draft.rows[r];
        segments_.push_back(segment_of(flow, row));
        directions_.push_back(row.direction);
        const SegmentFields& s = segments_.back();
        const std::size_t sender = side(segments_.size() - 1);
        ++begins_[sender][s.sequence];
        ++ends_[sender][s.next_sequence()];
        if (s.has(tcp_flag::ack)) ++acknowledged_[sender][s.acknowledgement];
    }
}

std::uint32_t NumberWitnesses::sequence_support(std::size_t i, std::uint32_t number) const {
    const SegmentFields& s = segments_[i];
    const std::size_t sender = side(i);
    const std::uint32_t own = (s.sequence == number ? 1U : 0U) + (s.next_sequence() == number ? 1U : 0U);
    return count(begins_[sender], number) + count(ends_[sender], number) - own +
           count(acknowledged_[1 - sender], number);
}

bool NumberWitnesses::acknowledgement_is_supported(std::size_t i) const {
    const SegmentFields& s = segments_[i];
    const std::size_t sender = side(i);
    return count(acknowledged_[sender], s.acknowledgement) > 1 ||
           count(begins_[1 - sender], s.acknowledgement) > 0 ||
           count(ends_[1 - sender], s.acknowledgement) > 0;
}

bool NumberWitnesses::is_an_end(std::size_t i, std::uint32_t number) const {
    return count(begins_[side(i)], number) > 0 || count(acknowledged_[1 - side(i)], number) > 0;
}

bool NumberWitnesses::is_filled_later(std::size_t i, std::uint32_t begin, std::uint32_t end) const {
    for (std::size_t later = i + 1; later < size(); ++later) {
        if (directions_[later] != directions_[i]) continue;
        const std::uint32_t number = segments_[later].sequence;
        if (sequence_distance(number, begin) >= 0 && sequence_distance(number, end) < 0) return true;
    }
    return false;
}

bool NumberWitnesses::is_acknowledged_later(std::size_t i, std::uint32_t number) const {
    for (std::size_t later = i + 1; later < size(); ++later)
        if (directions_[later] != directions_[i] && segments_[later].has(tcp_flag::ack) &&
            sequence_distance(segments_[later].acknowledgement, number) > 0)
            return true;
    return false;
}

}  // namespace tracebench::diffusion
