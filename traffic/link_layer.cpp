// Link headers: https://www.tcpdump.org/linktypes.html, IEEE 802.3, 802.1Q, 802.11; RFC 3032 (MPLS),
// RFC 2516 (PPPoE), RFC 1661 and 1662 (PPP), RFC 1042 (SNAP).

#include "traffic/link_layer.h"

#include "traffic/bytes.h"

namespace tracebench {
namespace {

constexpr std::uint32_t none = Headers::none;
constexpr int max_tags = 16;  // VLAN tags or MPLS labels in a packet: more is damage or an attack

bool holds(const Headers& h, std::uint32_t offset, std::uint32_t size) {
    return offset <= h.captured && h.captured - offset >= size;
}

/// Raw IP: the version nibble tells which.
std::uint32_t ip_by_nibble(std::uint32_t offset, Headers& h) {
    if (!holds(h, offset, 1)) return none;
    const unsigned version = h.data[offset] >> 4;
    h.ethertype = version == 6 ? ether_type::ipv6 : ether_type::ipv4;
    return offset;
}

std::uint32_t skip_mpls(std::uint32_t offset, Headers& h) {
    for (int label = 0; label < max_tags; ++label, offset += 4) {
        if (!holds(h, offset, 4)) return none;
        if ((h.data[offset + 2] & 1) == 0) continue;  // not the bottom of the stack
        offset += 4;
        if (!holds(h, offset, 1)) return none;
        const unsigned nibble = h.data[offset] >> 4;
        if (nibble == 4 || nibble == 6) return ip_by_nibble(offset, h);
        // RFC 4385: a pseudowire's control word begins with 0; the payload is taken to be Ethernet.
        if (nibble == 0) return skip_ethernet(offset + 4, h);
        return none;
    }
    return none;
}

/// From the PPP protocol field, which may be compressed to one byte (RFC 1661 section 6.5).
std::uint32_t skip_ppp_protocol(std::uint32_t offset, Headers& h) {
    if (!holds(h, offset, 2)) return none;
    std::uint16_t protocol = h.data[offset];
    if (protocol & 1) {
        offset += 1;
    } else {
        protocol = load16(h.data + offset);
        offset += 2;
    }
    switch (protocol) {
        case 0x0021:
            h.ethertype = ether_type::ipv4;
            return offset;
        case 0x0057:
            h.ethertype = ether_type::ipv6;
            return offset;
        case 0x0281:
        case 0x0283:
            h.ethertype = ether_type::mpls;
            return skip_mpls(offset, h);
        default:
            return none;
    }
}

/// PPP with or without the address and control bytes of RFC 1662. Captures of this link type may also hold
/// Cisco's HDLC: unicast or multicast address, zero, EtherType.
std::uint32_t skip_ppp(std::uint32_t offset, Headers& h) {
    if (!holds(h, offset, 2)) return none;
    const std::uint16_t start = load16(h.data + offset);
    if (start == 0x0F00 || start == 0x8F00)
        return holds(h, offset, 4) ? skip_ethertype(load16(h.data + offset + 2), offset + 4, h) : none;
    return skip_ppp_protocol(start == 0xFF03 ? offset + 2 : offset, h);
}

/// IEEE 802.2 LLC, with or without SNAP.
std::uint32_t skip_llc(std::uint32_t offset, Headers& h) {
    if (!holds(h, offset, 3)) return none;
    const std::uint8_t* const llc = h.data + offset;
    if (llc[0] == 0x06 && llc[1] == 0x06) {  // IP's own service access point
        h.ethertype = ether_type::ipv4;
        return offset + 3;
    }
    if (llc[0] != 0xAA || llc[1] != 0xAA || llc[2] != 0x03 || !holds(h, offset, 8)) return none;
    const bool encapsulated_ethernet = llc[3] == 0 && llc[4] == 0 && (llc[5] == 0 || llc[5] == 0xF8);
    return encapsulated_ethernet ? skip_ethertype(load16(llc + 6), offset + 8, h) : none;
}

/// The address family of BSD loopback headers; the values of IPv6 differ between systems.
std::uint32_t skip_address_family(std::uint32_t family, std::uint32_t offset, Headers& h) {
    switch (family) {
        case 2:
            h.ethertype = ether_type::ipv4;
            return offset;
        case 10:
        case 24:
        case 28:
        case 30:
            h.ethertype = ether_type::ipv6;
            return offset;
        default:
            return none;
    }
}

std::uint32_t skip_loopback(std::uint32_t offset, Headers& h) {
    if (!holds(h, offset, 4)) return none;
    std::uint32_t family = load32(h.data + offset);
    if (family > 0xFFFF) family = __builtin_bswap32(family);  // written in the capturing host's byte order
    return skip_address_family(family, offset + 4, h);
}

/// Data frames that are not encrypted. Of an aggregate (A-MSDU) the first subframe counts.
std::uint32_t skip_ieee80211(std::uint32_t offset, bool padded, Headers& h) {
    if (!holds(h, offset, 24)) return none;
    const std::uint8_t* const frame = h.data + offset;
    const unsigned type = (frame[0] >> 2) & 3, subtype = frame[0] >> 4;
    const bool protected_frame = (frame[1] & 0x40) != 0;
    if (type != 2 || (subtype & 4) != 0 || protected_frame) return none;
    const bool four_addresses = (frame[1] & 3) == 3, qos = (subtype & 8) != 0;
    std::uint32_t length = four_addresses ? 30 : 24;
    bool aggregate = false;
    if (qos) {
        if (!holds(h, offset, length + 2)) return none;
        aggregate = (frame[length] & 0x80) != 0;
        length += 2;
        if (frame[1] & 0x80) length += 4;  // HT control
    }
    if (padded) length = (length + 3) / 4 * 4;
    if (aggregate) length += 14;
    return skip_llc(offset + length, h);
}

/// http://www.radiotap.org: only whether the 802.11 header is padded matters here.
std::uint32_t skip_radiotap(Headers& h) {
    if (!holds(h, 0, 8) || h.data[0] != 0) return none;
    const std::uint32_t length = h.data[2] | h.data[3] << 8;
    if (length < 8 || !holds(h, length, 0)) return none;
    const unsigned present = h.data[4];
    std::uint32_t field = 8;
    while ((h.data[field - 1] & 0x80) != 0 && field + 4 <= length) field += 4;  // further bitmaps
    if (present & 1) field = (field + 7) / 8 * 8 + 8;                           // TSFT
    const bool padded = (present & 2) != 0 && field < length && (h.data[field] & 0x20) != 0;
    return skip_ieee80211(length, padded, h);
}

/// Linux cooked captures give an EtherType, or a small number for frames without one.
std::uint32_t skip_cooked(std::uint16_t protocol, std::uint32_t offset, Headers& h) {
    constexpr std::uint16_t llc_frame = 4;
    if (protocol == llc_frame) return skip_llc(offset, h);
    return protocol < 0x0600 ? none : skip_ethertype(protocol, offset, h);
}

}  // namespace

std::uint32_t skip_ethertype(std::uint16_t ethertype, std::uint32_t offset, Headers& h) {
    for (int tag = 0; tag < max_tags; ++tag) {
        h.ethertype = ethertype;
        switch (ethertype) {
            case ether_type::vlan:
            case ether_type::provider_vlan:
            case ether_type::old_qinq: {
                if (!holds(h, offset, 4)) return none;
                const std::uint16_t id = load16(h.data + offset) & 0x0FFF;
                if (h.vlan == Headers::no_vlan) {
                    h.vlan = id;
                } else if (h.inner_vlan == Headers::no_vlan) {
                    h.inner_vlan = id;
                }
                ethertype = load16(h.data + offset + 2);
                offset += 4;
                if (ethertype <= 1500) return skip_llc(offset, h);
                continue;
            }
            case ether_type::pppoe_session:
                return skip_ppp_protocol(offset + 6, h);
            case ether_type::ppp:
                return skip_ppp(offset, h);
            case ether_type::mpls:
            case ether_type::mpls_multicast:
                return skip_mpls(offset, h);
            default:
                return offset <= h.captured ? offset : none;
        }
    }
    return none;
}

std::uint32_t skip_ethernet(std::uint32_t offset, Headers& h) {
    if (!holds(h, offset, 14)) return none;
    const std::uint16_t ethertype = load16(h.data + offset + 12);
    if (ethertype <= 1500) return skip_llc(offset + 14, h);
    return skip_ethertype(ethertype, offset + 14, h);
}

std::uint32_t find_network_header(std::uint16_t link, Headers& h) {
    constexpr std::uint16_t fddi = 10, raw_bsd = 12, raw_openbsd = 14, ppp_hdlc = 50, ppp_ether = 51,
                            cisco_hdlc = 104;
    switch (link) {
        case link_type::ethernet:
            return skip_ethernet(0, h);
        case link_type::raw_ip:
        case link_type::ipv4:
        case link_type::ipv6:
        case raw_bsd:
        case raw_openbsd:
            return ip_by_nibble(0, h);
        case link_type::linux_sll:
            return holds(h, 0, 16) ? skip_cooked(load16(h.data + 14), 16, h) : none;
        case link_type::linux_sll2:
            return holds(h, 0, 20) ? skip_cooked(load16(h.data), 20, h) : none;
        case link_type::null_loopback:
        case link_type::openbsd_loop:
            return skip_loopback(0, h);
        case link_type::ppp:
        case ppp_hdlc:
        case cisco_hdlc:
            return skip_ppp(0, h);
        case ppp_ether:
            return skip_ppp_protocol(6, h);
        case fddi:
            return skip_llc(13, h);
        case link_type::ieee80211:
            return skip_ieee80211(0, false, h);
        case link_type::radiotap:
            return skip_radiotap(h);
        default:
            return none;
    }
}

}  // namespace tracebench
