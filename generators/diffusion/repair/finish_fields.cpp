#include <algorithm>

#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

constexpr std::uint32_t quote_bytes = 28;  // an IPv4 header and 8 bytes of what it carries (RFC 1122 3.2.2)

bool is_icmp_error(std::uint32_t type) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

}  // namespace

void finish_fields(Draft& draft) {
    for (DraftRow& row : draft.rows) {
        const DraftFlow& flow = draft.flow_of(row);
        if (flow.ipv6) {
            if (row.ipv6.hop_limit == 0) row.ipv6.hop_limit = 64;
            continue;
        }
        put(row.bits, field::reserved_bit, 0);
        if (row.fragment) put(row.bits, field::dont_fragment, 0);
        if (get(row.bits, field::ttl) == 0) put(row.bits, field::ttl, 64);
        if (!row.has_transport || flow.protocol != ip_protocol::icmp) continue;
        // Room for the packet that an error is about; make_frames() writes it.
        const std::uint32_t wanted = header_bytes(flow, row) + quote_bytes;
        if (is_icmp_error(get(row.bits, field::icmp_type)) && length_of(flow, row) < wanted && !row.fragment)
            set_length(flow, row, wanted);
    }
}

}  // namespace tracebench::diffusion
