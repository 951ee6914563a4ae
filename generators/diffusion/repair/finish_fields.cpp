#include <algorithm>

#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

constexpr std::uint32_t quote_bytes = 28;  // an IPv4 header and 8 bytes of what it carries (RFC 1122 3.2.2)

/// RFC 1035 section 4.1.1: a DNS message has a header of 12 bytes (RFC 6762, RFC 4795: multicast DNS and
/// LLMNR too).
void give_dns_room(const DraftFlow& flow, DraftRow& row) {
    constexpr std::uint32_t message_header = 12;
    const auto is_dns = [](const Endpoint& end) {
        return end.port == 53 || end.port == 5353 || end.port == 5355;
    };
    if (!is_dns(flow.ends[0]) && !is_dns(flow.ends[1])) return;
    if (payload_of(flow, row) >= message_header) return;
    set_length(flow, row, header_bytes(flow, row) + message_header);
    put(row.bits, field::udp_length, 8 + message_header);
}

/// Bytes after the first 8 that messages of a type have at least (RFC 792, RFC 950).
std::uint32_t least_icmp_body(std::uint32_t type) {
    switch (type) {
        case 3:
        case 4:
        case 5:
        case 11:
        case 12:
            return quote_bytes;  // make_frames() writes it
        case 13:
        case 14:
            return 12;
        case 17:
        case 18:
            return 4;
        default:
            return 0;
    }
}

}  // namespace

void finish_fields(Draft& draft) {
    for (DraftRow& row : draft.rows) {
        const DraftFlow& flow = draft.flow_of(row);
        if (flow.protocol == ip_protocol::udp && row.has_transport && !row.fragment) give_dns_room(flow, row);
        if (flow.ipv6) {
            if (row.ipv6.hop_limit == 0) row.ipv6.hop_limit = 64;
            continue;
        }
        put(row.bits, field::reserved_bit, 0);
        if (row.fragment) put(row.bits, field::dont_fragment, 0);
        if (get(row.bits, field::ttl) == 0) put(row.bits, field::ttl, 64);
        if (!row.has_transport || flow.protocol != ip_protocol::icmp) continue;
        const std::uint32_t least =
            header_bytes(flow, row) + least_icmp_body(get(row.bits, field::icmp_type));
        if (length_of(flow, row) < least && !row.fragment) set_length(flow, row, least);
    }
}

}  // namespace tracebench::diffusion
