#pragma once
/// A row of the draft as bytes.

#include <cstdint>
#include <vector>

#include "generators/diffusion/repair/draft.h"
#include "traffic/trace.h"

namespace tracebench::diffusion {

/// IP and transport header, from the IP header on; an IPv6 header is made from what is known of it. Payload
/// is not there.
std::vector<std::uint8_t> header_bytes_of(const DraftFlow& flow, const DraftRow& row);

/// All rows as whole Ethernet frames in time order: payload is zeros, but of DNS over TCP, which is framed,
/// and of an ICMP error, which quotes the last packet that its receiver has sent (or, where there is none,
/// one it may have sent). MAC addresses are made from the IP addresses. Checksums are computed; a UDP
/// checksum of 0 over IPv4 stays (RFC 768: there is none).
Trace make_frames(const Draft& draft);

}  // namespace tracebench::diffusion
