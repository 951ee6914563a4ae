#pragma once
/// Which ports name a service and which only tell conversations apart.

#include <cstdint>

#include "generators/diffusion/row_fields.h"
#include "traffic/headers.h"

namespace tracebench::diffusion {

/// Linux's ephemeral range, from which ports are drawn too.
inline constexpr std::uint32_t first_ephemeral_port = 32768, ephemeral_ports = 60999 - 32768 + 1;

inline bool is_ephemeral(std::uint16_t port, std::uint16_t other, bool of_first_sender) {
    return port >= first_ephemeral_port || (of_first_sender && port >= 1024 && port > other);
}

struct PortFields {
    Field source, destination;
};
inline bool has_ports(std::uint8_t protocol) {
    return protocol == ip_protocol::tcp || protocol == ip_protocol::udp;
}
/// Requires has_ports().
inline PortFields port_fields(std::uint8_t protocol) {
    if (protocol == ip_protocol::tcp) return {field::tcp_source, field::tcp_destination};
    return {field::udp_source, field::udp_destination};
}

}  // namespace tracebench::diffusion
