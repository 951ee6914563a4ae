#pragma once
/// Where the headers that make an nPrint row are: the two ways to find them. Inside traffic only.

#include <cstdint>
#include <span>

#include "traffic/headers.h"
#include "traffic/nprint.h"
#include "traffic/packet.h"

namespace tracebench {

/// Header bytes, options included, as far as they were captured: at most 60, 60, 8 and 8. Empty: absent.
struct NprintParts {
    bool has_row = false;
    std::span<const std::uint8_t> ipv4, tcp, udp, icmp;
    std::span<const std::uint8_t> source;  ///< 4 or 16 address bytes; empty where there is no (whole) address
};

/// As nPrint 1.2 does (superpacket.cpp), given the DLT it sees: it takes a frame for Ethernet when bytes 12
/// and 13 are an IP ethertype, else for an IP packet if the first four bits say 4 or 6; skips what is not
/// TCP, UDP or ICMP right after the first IP header; knows neither VLAN tags nor fragments, so that payload
/// of later fragments is taken for a header; gives every 802.11 radiotap frame a row without bits. Unlike
/// nPrint, does not read past packet.bytes.
NprintParts nprint_parts(const PacketView& packet);

/// By our own dissection.
NprintParts nprint_parts(const PacketView& packet, const Headers& headers);

/// Bits of the parts, -1 elsewhere. Returns has_row.
bool nprint_row(const NprintParts& parts, std::span<std::int8_t, kNprintColumns> row);

}  // namespace tracebench
