#pragma once
/// What kind of address an address is, by the registries of special-purpose addresses (RFC 6890).

#include "traffic/flow_key.h"

namespace tracebench {

/// 224.0.0.0/4 (RFC 1112) or ff00::/8 (RFC 4291 section 2.7).
inline bool is_multicast(const IpAddress& a) {
    return a.version == 4 ? (a.bytes[0] & 0xF0) == 0xE0 : a.bytes[0] == 0xFF;
}

/// 240.0.0.0/4, the limited broadcast address 255.255.255.255 among them (RFC 1112 section 4, RFC 919).
inline bool is_reserved(const IpAddress& a) {
    return a.version == 4 && (a.bytes[0] & 0xF0) == 0xF0;
}

/// 0.0.0.0/8 (RFC 1122 section 3.2.1.3) or :: (RFC 4291 section 2.5.2).
inline bool is_unspecified(const IpAddress& a) {
    return a.version == 4 ? a.bytes[0] == 0 : a.bytes == IpAddress{}.bytes;
}

/// 127.0.0.0/8 (RFC 1122 section 3.2.1.3) or ::1 (RFC 4291 section 2.5.3).
inline bool is_loopback(const IpAddress& a) {
    if (a.version == 4) return a.bytes[0] == 127;
    IpAddress one{6, {}};
    one.bytes[15] = 1;
    return a == one;
}

/// Not for the public Internet: RFC 1918, RFC 6598 (shared), RFC 3927 (link-local); RFC 4193, RFC 4291
/// section 2.5.6.
inline bool is_private(const IpAddress& a) {
    const std::uint8_t first = a.bytes[0], second = a.bytes[1];
    if (a.version == 6) return (first & 0xFE) == 0xFC || (first == 0xFE && (second & 0xC0) == 0x80);
    return first == 10 || (first == 172 && (second & 0xF0) == 16) || (first == 192 && second == 168) ||
           (first == 100 && (second & 0xC0) == 64) || (first == 169 && second == 254);
}

}  // namespace tracebench
