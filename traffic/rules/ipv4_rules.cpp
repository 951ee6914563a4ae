/// IPv4 header rules, but for the checksum (checksum_rules.cpp). RFC 791, RFC 1122 section 3.2, RFC 6864.

#include <algorithm>
#include <array>

#include "traffic/link_layer.h"
#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

std::uint32_t header_length(const RulePacket& p) {
    return (p.net()[0] & 0x0FU) * 4;
}
std::uint32_t left_in_frame(const RulePacket& p) {
    return p.wire_end - p.network;
}
std::uint16_t fragment_field(const RulePacket& p) {
    return load16(p.net() + 6);
}
constexpr std::uint16_t reserved_flag = 0x8000, dont_fragment = 0x4000, more_fragments = 0x2000,
                        offset_mask = 0x1FFF;

bool header_is_legal(const RulePacket& p) {
    return header_length(p) >= 20 && header_length(p) <= left_in_frame(p);
}

// --- version

Verdict check_version(const RulePacket& p) {
    if (p.network == Headers::none) return p.packet.truncated() ? Verdict::not_checkable : Verdict::failed;
    return pass_if(p.net()[0] >> 4 == 4);
}
void repair_version(const RulePacket& p, MutablePacket& packet) {
    if (p.network == Headers::none) {
        packet.bytes.push_back(0x45);
        packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
        return;
    }
    std::uint8_t& first = *net(p, packet);
    first = static_cast<std::uint8_t>(0x40 | (first & 0x0F));
}

// --- header length

Verdict check_header_length(const RulePacket& p) {
    if (p.network == Headers::none || p.net()[0] >> 4 != 4) return Verdict::not_checkable;
    return pass_if(header_is_legal(p));
}
void repair_header_length(const RulePacket& p, MutablePacket& packet) {
    std::uint32_t words = p.net()[0] & 0x0F;
    if (left_in_frame(p) < 20) {
        packet.original_length = p.network + 20;
        packet.bytes.resize(p.network + 20);
    }
    const std::uint32_t room = (packet.original_length - p.network) / 4;
    words = std::clamp(words, 5U, std::max(5U, std::min(room, 15U)));
    *net(p, packet) = static_cast<std::uint8_t>(0x40 | words);
}

// --- total length

constexpr std::uint32_t ordinary_mtu = 1500;

Verdict check_total_length(const RulePacket& p) {
    if (!header_is_legal(p)) return Verdict::not_checkable;
    const std::uint16_t total = load16(p.net() + 2);
    // A network card that segments for its host fills the field in; only frames it would cut may leave it 0.
    if (total == 0 && left_in_frame(p) > ordinary_mtu && p.headers.protocol == ip_protocol::tcp)
        return Verdict::offloaded;
    return pass_if(total >= header_length(p) && total <= left_in_frame(p));
}
void repair_total_length(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 2, static_cast<std::uint16_t>(std::min(left_in_frame(p), 65535U)));
}

// --- flags and fragments

Verdict check_reserved_flag(const RulePacket& p) {
    return pass_if((fragment_field(p) & reserved_flag) == 0);
}
void repair_reserved_flag(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 6, fragment_field(p) & static_cast<std::uint16_t>(~reserved_flag));
}

Verdict check_dont_fragment(const RulePacket& p) {
    if (!p.headers.is_fragment()) return Verdict::not_applicable;
    return pass_if((fragment_field(p) & dont_fragment) == 0);
}
void repair_dont_fragment(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 6, fragment_field(p) & static_cast<std::uint16_t>(~dont_fragment));
}

std::uint32_t fragment_size(const RulePacket& p) {
    const std::uint32_t total = load16(p.net() + 2), header = header_length(p);
    return total > header ? total - header : 0;
}

Verdict check_fragment_size(const RulePacket& p) {
    if (!p.headers.more_fragments) return Verdict::not_applicable;
    return pass_if(fragment_size(p) > 0 && fragment_size(p) % 8 == 0);
}
void repair_fragment_size(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 6, fragment_field(p) & static_cast<std::uint16_t>(~more_fragments));
}

Verdict check_fragment_end(const RulePacket& p) {
    if (p.headers.fragment_offset == 0) return Verdict::not_applicable;
    return pass_if(header_length(p) + p.headers.fragment_offset + fragment_size(p) <= 65535);
}
void repair_fragment_end(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 6, fragment_field(p) & static_cast<std::uint16_t>(~offset_mask));
}

/// A TCP header split so that filters do not see the flags.
Verdict check_tiny_fragment(const RulePacket& p) {
    if (!p.headers.is_fragment() || p.net()[9] != ip_protocol::tcp) return Verdict::not_applicable;
    if (p.headers.fragment_offset != 0) return pass_if(p.headers.fragment_offset != 8);
    return pass_if(fragment_size(p) >= 16);
}
void repair_tiny_fragment(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 6,
            fragment_field(p) & static_cast<std::uint16_t>(~(more_fragments | offset_mask)));
}

// --- time to live, protocol

Verdict check_ttl(const RulePacket& p) {
    return pass_if(p.net()[8] != 0);
}
void repair_ttl(const RulePacket& p, MutablePacket& packet) {
    net(p, packet)[8] = 64;
}

/// IANA protocol numbers: those that are assigned, but for the extension headers and ICMP of IPv6.
bool protocol_is_legal(std::uint8_t protocol) {
    constexpr std::array<std::uint8_t, 7> ipv6_only{0, 43, 44, 58, 59, 60, 135};
    const bool assigned = protocol <= 145 || protocol == 253 || protocol == 254;
    return assigned && std::find(ipv6_only.begin(), ipv6_only.end(), protocol) == ipv6_only.end();
}
Verdict check_protocol(const RulePacket& p) {
    return pass_if(protocol_is_legal(p.net()[9]));
}
void repair_protocol(const RulePacket& p, MutablePacket& packet) {
    constexpr std::uint8_t experimental = 253;  // RFC 3692 section 2.1
    net(p, packet)[9] = experimental;
}

// --- addresses

constexpr std::uint8_t private_network = 10;

bool is_broadcast(const std::uint8_t* address) {
    return load32(address) == 0xFFFFFFFF;
}
bool is_loopback(const std::uint8_t* address) {
    return address[0] == 127;
}

Verdict check_source(const RulePacket& p) {
    const std::uint8_t* const source = p.net() + 12;
    if (source[0] == 0) return pass_if(load32(source) == 0);  // only while an address is being asked for
    return pass_if(source[0] < 224);
}
void repair_source(const RulePacket& p, MutablePacket& packet) {
    net(p, packet)[12] = private_network;
}

Verdict check_destination(const RulePacket& p) {
    const std::uint8_t* const destination = p.net() + 16;
    return pass_if(destination[0] != 0 && (destination[0] < 240 || is_broadcast(destination)));
}
void repair_destination(const RulePacket& p, MutablePacket& packet) {
    net(p, packet)[16] = private_network;
}

/// Loopback interfaces are captured with Ethernet headers whose addresses are zero, or without link
/// addresses.
bool may_be_loopback_interface(const RulePacket& p) {
    if (p.packet.link != link_type::ethernet) return true;
    return std::all_of(p.headers.data, p.headers.data + 12, [](std::uint8_t byte) { return byte == 0; });
}
Verdict check_loopback(const RulePacket& p) {
    if (!is_loopback(p.net() + 12) && !is_loopback(p.net() + 16)) return Verdict::passed;
    return may_be_loopback_interface(p) ? Verdict::not_checkable : Verdict::failed;
}
void repair_loopback(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t* const ip = net(p, packet);
    if (is_loopback(ip + 12)) ip[12] = private_network;
    if (is_loopback(ip + 16)) ip[16] = private_network;
}

// --- options

/// Walks header options (RFC 791 section 3.1) without trusting their lengths.
class Ipv4Options {
  public:
    explicit Ipv4Options(const RulePacket& p) : bytes_(p.net()), size_(header_length(p)) {}
    bool next() {
        at_ += length_;
        length_ = 0;
        while (at_ < size_ && bytes_[at_] == 1) ++at_;  // no operation
        if (at_ >= size_ || bytes_[at_] == 0) return false;
        malformed = size_ - at_ < 2 || bytes_[at_ + 1] < 2 || bytes_[at_ + 1] > size_ - at_;
        if (malformed) return false;
        length_ = bytes_[at_ + 1];
        return true;
    }
    std::uint8_t type() const { return bytes_[at_]; }
    std::uint32_t length() const { return length_; }
    std::uint8_t pointer() const { return length_ > 2 ? bytes_[at_ + 2] : std::uint8_t{0}; }
    std::uint32_t offset() const { return at_; }
    std::uint32_t size() const { return size_; }
    bool malformed = false;

  private:
    const std::uint8_t* bytes_;
    std::uint32_t size_, at_ = 20, length_ = 0;
};

/// Nothing to check without options; not checkable where they are cut or the header's length is illegal.
Verdict options_state(const RulePacket& p) {
    if (!header_is_legal(p)) return Verdict::not_checkable;
    if (header_length(p) == 20) return Verdict::not_applicable;
    return p.captured(p.network, header_length(p)) ? Verdict::passed : Verdict::not_checkable;
}

Verdict check_options_format(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    Ipv4Options options(p);
    while (options.next()) {
    }
    return pass_if(!options.malformed);
}
void zero_options_from_end(const RulePacket& p, MutablePacket& packet) {
    Ipv4Options options(p);
    while (options.next()) {
    }
    std::fill(net(p, packet) + options.offset(), net(p, packet) + options.size(), std::uint8_t{0});
}

Verdict check_options_padding(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    Ipv4Options options(p);
    while (options.next()) {
    }
    if (options.malformed) return Verdict::not_checkable;
    const std::uint8_t* const ip = p.net();
    return pass_if(
        std::all_of(ip + options.offset(), ip + options.size(), [](std::uint8_t byte) { return byte == 0; }));
}

bool option_is_legal(const Ipv4Options& option) {
    constexpr std::uint8_t record_route = 7, timestamp = 68, loose_route = 131, stream_id = 136,
                           strict_route = 137, router_alert = 148;
    switch (option.type()) {
        case record_route:
        case loose_route:
        case strict_route:
            return option.length() >= 3 && option.length() % 4 == 3 && option.pointer() >= 4 &&
                   option.pointer() % 4 == 0;
        case timestamp:
            return option.length() >= 4 && option.pointer() >= 5;
        case stream_id:
        case router_alert:
            return option.length() == 4;
        default:
            return true;
    }
}
Verdict check_option_contents(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    Ipv4Options options(p);
    while (options.next())
        if (!option_is_legal(options)) return Verdict::failed;
    return options.malformed ? Verdict::not_checkable : Verdict::passed;
}
void repair_option_contents(const RulePacket& p, MutablePacket& packet) {
    Ipv4Options options(p);
    while (options.next())
        if (!option_is_legal(options))
            std::fill_n(net(p, packet) + options.offset(), options.length(), std::uint8_t{1});
}

Verdict check_option_class(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    Ipv4Options options(p);
    while (options.next())
        if (const unsigned option_class = (options.type() >> 5) & 3; option_class == 1 || option_class == 3)
            return Verdict::failed;
    return options.malformed ? Verdict::not_checkable : Verdict::passed;
}
void repair_option_class(const RulePacket& p, MutablePacket& packet) {
    Ipv4Options options(p);
    while (options.next())
        if ((options.type() >> 5) & 1)
            std::fill_n(net(p, packet) + options.offset(), options.length(), std::uint8_t{1});
}

/// Whether an option that may occur once does so again; the two source routes count as one. `seen`: a bit a
/// kind.
bool is_repeated(const Ipv4Options& option, std::uint32_t& seen) {
    std::uint32_t bit = 0;
    switch (option.type()) {
        case 7:  // record route
            bit = 1;
            break;
        case 68:  // timestamp
            bit = 2;
            break;
        case 130:  // security
            bit = 4;
            break;
        case 131:  // loose and strict source route
        case 137:
            bit = 8;
            break;
        case 136:  // stream identifier
            bit = 16;
            break;
        default:
            return false;
    }
    const bool again = (seen & bit) != 0;
    seen |= bit;
    return again;
}
Verdict check_option_repeated(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    std::uint32_t seen = 0;
    Ipv4Options options(p);
    while (options.next())
        if (is_repeated(options, seen)) return Verdict::failed;
    return options.malformed ? Verdict::not_checkable : Verdict::passed;
}
void repair_option_repeated(const RulePacket& p, MutablePacket& packet) {
    std::uint32_t seen = 0;
    Ipv4Options options(p);
    while (options.next())
        if (is_repeated(options, seen))
            std::fill_n(net(p, packet) + options.offset(), options.length(), std::uint8_t{1});
}

constexpr RuleLayer layer = RuleLayer::ipv4;

constexpr Rule rules[] = {
    {"ipv4.version", "the version field is 4", "RFC 791 section 3.1", "set to 4", layer, check_version,
     repair_version, nullptr, nullptr, true},
    {"ipv4.header_length", "the header has 5 words or more, and lies within the frame", "RFC 791 section 3.1",
     "set to the nearest legal length", layer, check_header_length, repair_header_length, nullptr, nullptr,
     true},
    {"ipv4.total_length", "the total length covers the header and fits the frame", "RFC 791 section 3.1",
     "set to what the frame holds", layer, check_total_length, repair_total_length},
    {"ipv4.reserved_flag", "the reserved flag is 0", "RFC 791 section 3.1", "cleared", layer,
     check_reserved_flag, repair_reserved_flag},
    {"ipv4.dont_fragment", "a fragment does not forbid fragmentation", "RFC 791 section 3.1",
     "Don't Fragment cleared", layer, check_dont_fragment, repair_dont_fragment},
    {"ipv4.fragment_size", "fragments but the last hold a multiple of 8 bytes", "RFC 791 section 3.2",
     "More Fragments cleared", layer, check_fragment_size, repair_fragment_size},
    {"ipv4.fragment_end", "a fragment ends within the largest datagram of 65535 bytes", "RFC 791 section 3.1",
     "fragment offset set to 0", layer, check_fragment_end, repair_fragment_end},
    {"ipv4.tiny_fragment", "no fragment splits a TCP header before its flags",
     "RFC 1858 section 3; RFC 3128 section 2", "made whole", layer, check_tiny_fragment,
     repair_tiny_fragment},
    {"ipv4.ttl", "the time to live is not 0", "RFC 1122 section 3.2.1.7", "set to 64", layer, check_ttl,
     repair_ttl},
    {"ipv4.protocol", "the protocol is assigned, and not one of IPv6 only", "IANA protocol numbers",
     "set to 253 (experimental)", layer, check_protocol, repair_protocol},
    {"ipv4.source", "the source is one host: not multicast, broadcast, reserved, or 0.x.y.z but 0.0.0.0",
     "RFC 1122 section 3.2.1.3", "first octet set to 10", layer, check_source, repair_source},
    {"ipv4.destination", "the destination is not in 0.0.0.0/8 or 240.0.0.0/4 (but broadcast)",
     "RFC 1122 section 3.2.1.3", "first octet set to 10", layer, check_destination, repair_destination},
    {"ipv4.loopback", "127.0.0.0/8 does not appear outside a host", "RFC 1122 section 3.2.1.3",
     "first octet set to 10", layer, check_loopback, repair_loopback},
    {"ipv4.options_format", "each option lies within the header", "RFC 791 section 3.1",
     "ended before the first that does not", layer, check_options_format, zero_options_from_end},
    {"ipv4.options_padding", "what follows End of Option List is 0", "RFC 791 section 3.1", "set to 0", layer,
     check_options_padding, zero_options_from_end},
    {"ipv4.option_class", "no option is of a reserved class", "RFC 791 section 3.1",
     "replaced by No Operation", layer, check_option_class, repair_option_class},
    {"ipv4.option_contents", "route, timestamp, stream and alert options have legal lengths and pointers",
     "RFC 791 section 3.1; RFC 2113 section 2.1", "replaced by No Operation", layer, check_option_contents,
     repair_option_contents},
    {"ipv4.option_repeated",
     "route, timestamp, security and stream options occur once, source routes once in all",
     "RFC 791 section 3.1; RFC 1122 section 3.2.1.8", "replaced by No Operation", layer,
     check_option_repeated, repair_option_repeated},
};

}  // namespace

std::span<const Rule> ipv4_rules() {
    return rules;
}

}  // namespace tracebench
