#include <algorithm>
#include <bit>

#include "generators/diffusion/repair/steps.h"
#include "generators/diffusion/repair/tcp_numbers.h"

namespace tracebench::diffusion {
namespace {

constexpr std::uint32_t ipv6_header = 40, longest = 65535;

/// From the IPv4 header's start or the IPv6 header's end.
std::uint32_t largest_length(const Draft& draft, const DraftFlow& flow) {
    const std::uint32_t most = std::min(draft.settings.largest_packet, longest);
    return flow.ipv6 ? most - std::min(most, ipv6_header) : most;
}

/// Drops high bits first: a wrong one of them says more than it means.
std::uint32_t clamp_length(std::uint32_t length, std::uint32_t headers, std::uint32_t largest) {
    largest = std::max(largest, headers);
    while (length > largest && std::bit_width(length) > std::bit_width(largest))
        length &= (1U << (std::bit_width(length) - 1)) - 1;
    return std::clamp(length, headers, largest);
}

/// Lengths of TCP segments by the numbers around them: where one ends another begins, or its peer
/// acknowledges it.
class TcpLengths {
  public:
    TcpLengths(Draft& draft, const DraftFlow& flow) : draft_(draft), flow_(flow), image_(draft, flow) {}

    void run() {
        const std::uint32_t largest = largest_length(draft_, flow_);
        for (std::size_t i = 0; i < flow_.rows.size(); ++i) {
            DraftRow& row = draft_.rows[flow_.rows[i]];
            const std::uint32_t headers = header_bytes(flow_, row), said = length_of(flow_, row);
            const bool unknown = flow_.ipv6 && !row.ipv6.length;
            std::uint32_t length = 0;
            if (unknown) {
                length = std::min(headers + counted_payload(i), std::max(headers, largest));
            } else {
                length = clamp_length(witnessed_length(i, said, headers, largest), headers, largest);
            }
            if (image_.segment(i).has(tcp_flag::syn) && !image_.segment(i).fast_open) length = headers;
            if (length != said || unknown) set_length(flow_, row, length);
        }
    }

  private:
    /// `said`, if the segment then ends where something else agrees; else what differs in one or two bits and
    /// does.
    std::uint32_t witnessed_length(std::size_t i, std::uint32_t said, std::uint32_t headers,
                                   std::uint32_t largest) const {
        const SegmentFields& s = image_.segment(i);
        const std::uint32_t counted = s.has(tcp_flag::fin) ? 1 : 0;
        const auto agrees = [&](std::uint32_t length) {
            return length >= headers && length <= largest &&
                   image_.is_an_end(i, s.sequence + (length - headers) + counted);
        };
        const bool begins_right = image_.sequence_support(i, s.sequence) > 0;
        if (s.has(tcp_flag::syn | tcp_flag::rst) || !begins_right || agrees(said)) return said;
        constexpr std::uint32_t bits = 16;
        for (std::uint32_t a = 0; a < bits; ++a)
            if (agrees(said ^ 1U << a)) return said ^ 1U << a;
        for (std::uint32_t a = 0; a < bits; ++a)
            for (std::uint32_t b = 0; b < a; ++b)
                if (agrees(said ^ 1U << a ^ 1U << b)) return said ^ 1U << a ^ 1U << b;
        return said;
    }

    /// Up to where the sender's next segment begins; 0 where that does not tell.
    std::uint32_t counted_payload(std::size_t i) const {
        const SegmentFields& s = image_.segment(i);
        for (std::size_t later = i + 1; later < image_.size(); ++later) {
            if (image_.direction(later) != image_.direction(i)) continue;
            if (image_.segment(later).has(tcp_flag::syn | tcp_flag::rst)) return 0;
            const std::uint32_t step = image_.segment(later).sequence - s.sequence;
            const std::uint32_t counted = s.has(tcp_flag::fin) ? 1 : 0;
            return step >= counted && step <= longest ? step - counted : 0;
        }
        return 0;
    }

    Draft& draft_;
    const DraftFlow& flow_;
    NumberWitnesses image_;
};

void choose_udp_length(const Draft& draft, const DraftFlow& flow, DraftRow& row) {
    const std::uint32_t ip_header = header_bytes(flow, row) - 8, largest = largest_length(draft, flow);
    const std::uint32_t own = get(row.bits, field::udp_length), said = length_of(flow, row);
    const bool fits = said >= ip_header + 8 && said <= largest,
               own_fits = own >= 8 && ip_header + own <= largest;
    const bool known = !flow.ipv6 || row.ipv6.length.has_value();
    std::uint32_t length = said;
    if (!known || (!fits && own_fits)) length = ip_header + own;
    length = clamp_length(length, ip_header + 8, largest);
    if (length != said || !known) set_length(flow, row, length);
    if (own != length - ip_header) put(row.bits, field::udp_length, length - ip_header);
}

}  // namespace

void choose_lengths(Draft& draft) {
    for (const DraftFlow& flow : draft.flows)
        if (flow.protocol == ip_protocol::tcp) TcpLengths(draft, flow).run();
    for (DraftRow& row : draft.rows) {
        const DraftFlow& flow = draft.flow_of(row);
        if (row.fragment || flow.protocol == ip_protocol::tcp) continue;
        if (flow.protocol == ip_protocol::udp) {
            choose_udp_length(draft, flow, row);
            continue;
        }
        const std::uint32_t said = length_of(flow, row);
        const std::uint32_t length = clamp_length(said, header_bytes(flow, row), largest_length(draft, flow));
        if (length != said) set_length(flow, row, length);
    }
}

}  // namespace tracebench::diffusion
