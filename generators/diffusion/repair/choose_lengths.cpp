#include <algorithm>
#include <bit>

#include "generators/diffusion/repair/steps.h"

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

/// What the sequence number of the sender's next segment says about the length of this one.
class TcpLengths {
  public:
    TcpLengths(Draft& draft, const DraftFlow& flow) : draft_(draft), flow_(flow) {}

    void run() {
        const std::uint32_t largest = largest_length(draft_, flow_);
        for (std::size_t i = 0; i < flow_.rows.size(); ++i) {
            DraftRow& row = draft_.rows[flow_.rows[i]];
            const std::uint32_t headers = header_bytes(flow_, row);
            const bool unknown = flow_.ipv6 && !row.ipv6.length;
            const std::uint32_t said = length_of(flow_, row);
            std::uint32_t length = clamp_length(said, headers, largest);
            if (const std::uint32_t counted = counted_payload(i, row);
                counted != none && headers + counted <= largest) {
                constexpr int few_bits = 2;  // wrong ones, rather than a loss that looks alike
                if (unknown || std::popcount(said ^ (headers + counted)) <= few_bits)
                    length = headers + counted;
            }
            if (unknown && length == 0) length = headers;
            if (is_syn(row) && !has_fast_open(row)) length = headers;
            if (length != said || unknown) set_length(flow_, row, length);
        }
    }

  private:
    static constexpr std::uint32_t none = UINT32_MAX;

    static bool is_syn(const DraftRow& row) { return get(row.bits, field::syn_flag) != 0; }
    /// Only a SYN with this option may have a payload.
    static bool has_fast_open(const DraftRow& row) {
        const std::uint32_t bytes = 4 * get(row.bits, field::data_offset) - 20;
        for (std::uint32_t i = 0; i < bytes; ++i)
            if (get(row.bits, {static_cast<std::uint16_t>(field::tcp_options + 8 * i), 8}) == 34) return true;
        return false;
    }

    std::uint32_t counted_payload(std::size_t i, const DraftRow& row) const {
        constexpr std::uint32_t syn_bit = 2, fin_bit = 1, rst_bit = 4;
        const std::uint32_t flags = get(row.bits, field::tcp_flags);
        for (std::size_t later = i + 1; later < flow_.rows.size(); ++later) {
            const DraftRow& next = draft_.rows[flow_.rows[later]];
            if (next.direction != row.direction) continue;
            if (((get(next.bits, field::tcp_flags) | flags) & (rst_bit | syn_bit)) != 0) return none;
            const std::uint32_t step = get(next.bits, field::sequence) - get(row.bits, field::sequence);
            const std::uint32_t counted = (flags & fin_bit) != 0 ? 1 : 0;
            return step >= counted && step <= longest ? step - counted : none;
        }
        return none;
    }

    Draft& draft_;
    const DraftFlow& flow_;
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
