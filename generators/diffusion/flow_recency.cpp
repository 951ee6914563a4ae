#include "generators/diffusion/flow_recency.h"

#include "traffic/headers.h"

namespace tracebench::diffusion {

RowKind row_kind(BitsView row, bool ipv6) {
    const std::uint32_t tcp = count_present(row, field::tcp, 160), udp = count_present(row, field::udp, 64),
                        icmp = count_present(row, field::icmp, 64);
    RowKind kind;
    kind.ipv6 = ipv6;
    kind.has_transport = tcp + udp + icmp > 0;
    if (!kind.has_transport) {
        kind.protocol = static_cast<std::uint8_t>(get(row, field::protocol));
    } else if (2 * tcp >= 5 * udp && 2 * tcp >= 5 * icmp) {  // 160 columns against 64
        kind.protocol = ip_protocol::tcp;
    } else {
        kind.protocol = udp >= icmp ? ip_protocol::udp : ip_protocol::icmp;
    }
    return kind;
}

}  // namespace tracebench::diffusion
