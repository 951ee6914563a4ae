#pragma once
/// Codes of categorical fields that are more than the number in the header.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "traffic/flow_table.h"

namespace tracebench::codes {

/// Ports below 1024 as they are; above, the first port of the range: 1024 registered, 32768 and 49152
/// ephemeral (Linux and RFC 6335). Single ephemeral ports say nothing and differ in every session.
std::uint32_t port_range(std::uint16_t port);

/// The lower of the two, as it is below 32768, by range above.
std::uint32_t service_port(std::uint16_t source, std::uint16_t destination);
/// Of either; a range where the code stands for one (1024 of port_range() is not told from service port
/// 1024).
std::string port_name(std::uint32_t code);

/// The kinds of a TCP header's options in order, four bits each, runs of no-operations as one; at most 13,
/// so that a double holds the code exactly. 0 where there are none.
std::uint64_t tcp_options(std::span<const std::uint8_t> options);
std::string tcp_options_name(std::uint64_t code);
/// The maximum segment size option; nothing where there is none or the options are broken before it.
std::optional<std::uint16_t> tcp_mss(std::span<const std::uint8_t> options);

/// `SYN,ACK`; `none`.
std::string tcp_flags_name(std::uint32_t flags);

/// Payload size classes: 0, 1-99, 100-499, 500-1199, 1200 bytes and more.
inline constexpr std::uint32_t size_classes = 5;
std::uint32_t size_class(std::uint32_t payload_bytes);
std::string size_class_name(std::uint32_t size_class);

/// Direction and payload size class of one packet, 0..9; `start` is what stands before a flow's first packet.
inline constexpr std::uint32_t packet_start = 15;
std::uint32_t packet_class(Direction direction, std::uint32_t payload_bytes);
std::string packet_class_name(std::uint32_t packet_class);

/// Difference to the IP ID before it in the same flow and direction: 0 equal, 1 the next, 2 up to 255 more,
/// 3 anything else.
std::uint32_t ip_id_step(std::uint16_t before, std::uint16_t id);
std::string ip_id_step_name(std::uint32_t code);

}  // namespace tracebench::codes
