#pragma once
/// Finds the network header behind a link header. Used by dissect() only.

#include "traffic/headers.h"

namespace tracebench {

namespace ether_type {
inline constexpr std::uint16_t ipv4 = 0x0800, arp = 0x0806, transparent_ethernet = 0x6558, vlan = 0x8100,
                               ipv6 = 0x86DD, ppp = 0x880B, mpls = 0x8847, mpls_multicast = 0x8848,
                               pppoe_session = 0x8864, provider_vlan = 0x88A8, old_qinq = 0x9100;
}

/// Offset of the network header after the packet's link header. Sets h.ethertype and the VLAN ids; needs
/// h.data and h.captured. Headers::none where it cannot be reached: h.ethertype may be known all the same.
std::uint32_t find_network_header(std::uint16_t link, Headers& h);

/// The same from an Ethernet header at `offset` (inside a tunnel), or from the bytes after an EtherType.
std::uint32_t skip_ethernet(std::uint32_t offset, Headers& h);
std::uint32_t skip_ethertype(std::uint16_t ethertype, std::uint32_t offset, Headers& h);

}  // namespace tracebench
