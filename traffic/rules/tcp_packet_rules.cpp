/// TCP header rules that one segment can be judged by. RFC 9293, RFC 7323 (timestamps, window scale), RFC
/// 2018 and 2883 (selective acknowledgements).

#include <algorithm>

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

std::uint32_t header_length(const RulePacket& p) {
    return (p.segment()[12] >> 4) * 4U;
}
std::uint8_t flags(const RulePacket& p) {
    return p.segment()[13];
}
bool has(const RulePacket& p, std::uint8_t flag) {
    return (flags(p) & flag) != 0;
}
bool offset_is_legal(const RulePacket& p) {
    return header_length(p) >= 20 && header_length(p) <= p.segment_length();
}

// --- header

/// A first fragment may hold less than the header; so may what was captured.
Verdict check_header(const RulePacket& p) {
    if (p.transport == Headers::none || p.headers.more_fragments) return Verdict::not_checkable;
    return pass_if(p.segment_length() >= 20);
}
void repair_header(const RulePacket& p, MutablePacket& packet) {
    set_ip_end(p, packet, p.transport + 20);
}

Verdict check_data_offset(const RulePacket& p) {
    if (p.headers.more_fragments && header_length(p) > p.segment_length()) return Verdict::not_checkable;
    return pass_if(offset_is_legal(p));
}
void repair_data_offset(const RulePacket& p, MutablePacket& packet) {
    const std::uint32_t words = std::clamp(header_length(p) / 4, 5U, std::max(5U, p.segment_length() / 4));
    std::uint8_t& field = segment(p, packet)[12];
    field = static_cast<std::uint8_t>((std::min(words, 15U) << 4) | (field & 0x0F));
}

Verdict check_ports(const RulePacket& p) {
    return pass_if(load16(p.segment()) != 0 && load16(p.segment() + 2) != 0);
}
void repair_ports(const RulePacket& p, MutablePacket& packet) {
    constexpr std::uint16_t first_dynamic = 49152;  // RFC 6335 section 6
    std::uint8_t* const tcp = segment(p, packet);
    if (load16(tcp) == 0) store16(tcp, first_dynamic);
    if (load16(tcp + 2) == 0) store16(tcp + 2, first_dynamic);
}

/// The fourth bit was the nonce sum (RFC 3540) and is Accurate ECN's (RFC 9768).
Verdict check_reserved(const RulePacket& p) {
    return pass_if((p.segment()[12] & 0x0E) == 0);
}
void repair_reserved(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t& field = segment(p, packet)[12];
    field = static_cast<std::uint8_t>(field & 0xF1);
}

Verdict check_unicast(const RulePacket& p) {
    const std::uint8_t* const ip = p.net();
    if (p.headers.ip_version == 6) return pass_if(ip[24] != 0xFF);
    return pass_if(ip[16] < 224);
}
void repair_unicast(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t* const ip = net(p, packet);
    if (p.headers.ip_version == 6) {
        store32(ip + 24, 0x20010DB8);
    } else {
        ip[16] = 10;
    }
}

// --- flags

void clear_flags(const RulePacket& p, MutablePacket& packet, std::uint8_t mask) {
    std::uint8_t& field = segment(p, packet)[13];
    field = static_cast<std::uint8_t>(field & ~mask);
}

Verdict check_syn_fin(const RulePacket& p) {
    return pass_if(!has(p, tcp_flag::syn) || !has(p, tcp_flag::fin));
}
void repair_syn_fin(const RulePacket& p, MutablePacket& packet) {
    clear_flags(p, packet, tcp_flag::fin);
}

Verdict check_syn_rst(const RulePacket& p) {
    return pass_if(!has(p, tcp_flag::syn) || !has(p, tcp_flag::rst));
}
void repair_syn_rst(const RulePacket& p, MutablePacket& packet) {
    clear_flags(p, packet, tcp_flag::rst);
}

Verdict check_ack_flag(const RulePacket& p) {
    return pass_if(has(p, tcp_flag::ack | tcp_flag::syn | tcp_flag::rst));
}
void repair_ack_flag(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[13] |= tcp_flag::ack;
}

Verdict check_fin_rst(const RulePacket& p) {
    return pass_if(!has(p, tcp_flag::fin) || !has(p, tcp_flag::rst));
}
void repair_fin_rst(const RulePacket& p, MutablePacket& packet) {
    clear_flags(p, packet, tcp_flag::fin);
}

Verdict check_urgent_pointer(const RulePacket& p) {
    return pass_if(has(p, tcp_flag::urg) || load16(p.segment() + 18) == 0);
}
void repair_urgent_pointer(const RulePacket& p, MutablePacket& packet) {
    store16(segment(p, packet) + 18, 0);
}

Verdict check_syn_acknowledgement(const RulePacket& p) {
    if ((flags(p) & (tcp_flag::syn | tcp_flag::ack)) != tcp_flag::syn) return Verdict::not_applicable;
    return pass_if(load32(p.segment() + 8) == 0);
}
void repair_syn_acknowledgement(const RulePacket& p, MutablePacket& packet) {
    store32(segment(p, packet) + 8, 0);
}

// --- options

/// Nothing to check without options; not checkable where they are cut or the data offset is illegal.
Verdict options_state(const RulePacket& p) {
    if (!offset_is_legal(p)) return Verdict::not_checkable;
    if (header_length(p) == 20) return Verdict::not_applicable;
    return p.captured(p.transport, header_length(p)) ? Verdict::passed : Verdict::not_checkable;
}
TcpOptions options_of(const RulePacket& p) {
    return TcpOptions(p.segment() + 20, header_length(p) - 20);
}

Verdict check_options_format(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    TcpOptions options = options_of(p);
    while (options.next()) {
    }
    return pass_if(!options.malformed());
}
void zero_options_from_end(const RulePacket& p, MutablePacket& packet) {
    TcpOptions options = options_of(p);
    while (options.next()) {
    }
    std::uint8_t* const tcp = segment(p, packet);
    std::fill(tcp + 20 + options.offset(), tcp + header_length(p), std::uint8_t{0});
}

Verdict check_options_padding(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    TcpOptions options = options_of(p);
    while (options.next()) {
    }
    if (options.malformed()) return Verdict::not_checkable;
    const std::uint8_t* const tcp = p.segment();
    return pass_if(std::all_of(tcp + 20 + options.offset(), tcp + header_length(p),
                               [](std::uint8_t byte) { return byte == 0; }));
}

Verdict check_options_repeated(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    std::uint32_t seen = 0;
    TcpOptions options = options_of(p);
    while (options.next()) {
        const std::uint8_t kind = options.kind();
        if (kind > tcp_option::timestamps) continue;  // others, such as Multipath TCP, may occur again
        if (seen & (1U << kind)) return Verdict::failed;
        seen |= 1U << kind;
    }
    return Verdict::passed;
}
void repair_options_repeated(const RulePacket& p, MutablePacket& packet) {
    std::uint32_t seen = 0;
    TcpOptions options = options_of(p);
    while (options.next()) {
        const std::uint8_t kind = options.kind();
        if (kind > tcp_option::timestamps) continue;
        if (seen & (1U << kind))
            std::fill_n(segment(p, packet) + 20 + options.offset(), options.length(), tcp_option::nop);
        seen |= 1U << kind;
    }
}

/// The option of this kind: not_applicable without one, else whether `legal(option)`.
template <std::uint8_t kind, typename Legal>
Verdict check_option(const RulePacket& p, Legal legal) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    TcpOptions options = options_of(p);
    while (options.next())
        if (options.kind() == kind) return pass_if(legal(options));
    return Verdict::not_applicable;
}
template <std::uint8_t kind>
void remove_option(const RulePacket& p, MutablePacket& packet) {
    remove_tcp_option(p, packet, kind);
}

Verdict check_mss(const RulePacket& p) {
    return check_option<tcp_option::mss>(p, [&](const TcpOptions& o) {
        return o.length() == 4 && load16(o.value()) != 0 && has(p, tcp_flag::syn);
    });
}
Verdict check_window_scale(const RulePacket& p) {
    return check_option<tcp_option::window_scale>(
        p, [&](const TcpOptions& o) { return o.length() == 3 && has(p, tcp_flag::syn); });
}
Verdict check_window_scale_range(const RulePacket& p) {
    return check_option<tcp_option::window_scale>(
        p, [](const TcpOptions& o) { return o.length() != 3 || o.value()[0] <= 14; });
}
void repair_window_scale_range(const RulePacket& p, MutablePacket& packet) {
    TcpOptions options = options_of(p);
    while (options.next())
        if (options.kind() == tcp_option::window_scale && options.length() == 3)
            segment(p, packet)[20 + options.offset() + 2] = 14;
}
Verdict check_sack_permitted(const RulePacket& p) {
    return check_option<tcp_option::sack_permitted>(
        p, [&](const TcpOptions& o) { return o.length() == 2 && has(p, tcp_flag::syn); });
}
Verdict check_sack(const RulePacket& p) {
    return check_option<tcp_option::sack>(p, [&](const TcpOptions& o) {
        if (o.length() < 10 || o.length() > 34 || o.length() % 8 != 2 || has(p, tcp_flag::syn)) return false;
        for (std::uint32_t at = 0; at + 8 <= o.length() - 2; at += 8)
            if (sequence_distance(load32(o.value() + at + 4), load32(o.value() + at)) <= 0) return false;
        return true;
    });
}
Verdict check_timestamps(const RulePacket& p) {
    return check_option<tcp_option::timestamps>(p, [](const TcpOptions& o) { return o.length() == 10; });
}
Verdict check_timestamp_echo(const RulePacket& p) {
    if (has(p, tcp_flag::ack)) return Verdict::not_applicable;
    return check_option<tcp_option::timestamps>(
        p, [](const TcpOptions& o) { return o.length() != 10 || load32(o.value() + 4) == 0; });
}
void repair_timestamp_echo(const RulePacket& p, MutablePacket& packet) {
    TcpOptions options = options_of(p);
    while (options.next())
        if (options.kind() == tcp_option::timestamps && options.length() == 10)
            store32(segment(p, packet) + 20 + options.offset() + 6, 0);
}

Verdict check_sack_acknowledges(const RulePacket& p) {
    return check_option<tcp_option::sack>(p, [&](const TcpOptions&) { return has(p, tcp_flag::ack); });
}
Verdict check_fast_open(const RulePacket& p) {
    return check_option<tcp_option::fast_open>(p, [&](const TcpOptions&) { return has(p, tcp_flag::syn); });
}

bool other_option_is_legal(const TcpOptions& o) {
    switch (o.kind()) {
        case tcp_option::md5:
            return o.length() == 18;
        case tcp_option::user_timeout:
            return o.length() == 4;
        case tcp_option::authentication:
            return o.length() >= 4;
        case tcp_option::multipath:
            return o.length() >= 3;
        case tcp_option::fast_open:
            return o.length() == 2 || (o.length() >= 6 && o.length() <= 18 && o.length() % 2 == 0);
        case tcp_option::experiment_1:
        case tcp_option::experiment_2:
            return o.length() >= 4;
        default:
            return true;
    }
}
Verdict check_other_options(const RulePacket& p) {
    if (const Verdict state = options_state(p); state != Verdict::passed) return state;
    TcpOptions options = options_of(p);
    while (options.next())
        if (!other_option_is_legal(options)) return Verdict::failed;
    return Verdict::passed;
}
void repair_other_options(const RulePacket& p, MutablePacket& packet) {
    TcpOptions options = options_of(p);
    while (options.next())
        if (!other_option_is_legal(options))
            std::fill_n(segment(p, packet) + 20 + options.offset(), options.length(), tcp_option::nop);
}

constexpr RuleLayer layer = RuleLayer::tcp;

constexpr Rule rules[] = {
    {"tcp.header", "the IP packet holds the whole fixed header of 20 bytes", "RFC 9293 section 3.1",
     "completed with zeros", layer, check_header, repair_header, nullptr, nullptr, true},
    {"tcp.data_offset", "the header has 5 words or more, and lies within the segment", "RFC 9293 section 3.1",
     "set to the nearest legal length", layer, check_data_offset, repair_data_offset},
    {"tcp.ports", "neither port is 0", "RFC 6335 section 6", "set to 49152", layer, check_ports,
     repair_ports},
    {"tcp.reserved", "the reserved bits are 0", "RFC 9293 section 3.1", "cleared", layer, check_reserved,
     repair_reserved},
    {"tcp.unicast", "the destination is not a multicast or broadcast address",
     "RFC 9293 section 3.9.2.3 (MUST-57)", "replaced by a unicast prefix", layer, check_unicast,
     repair_unicast},
    {"tcp.syn_fin", "SYN and FIN are not set together", "RFC 9293 sections 3.5 and 3.6", "FIN cleared", layer,
     check_syn_fin, repair_syn_fin},
    {"tcp.syn_rst", "SYN and RST are not set together", "RFC 9293 section 3.5", "RST cleared", layer,
     check_syn_rst, repair_syn_rst},
    {"tcp.fin_rst", "FIN and RST are not set together", "RFC 9293 sections 3.5.2 and 3.6", "FIN cleared",
     layer, check_fin_rst, repair_fin_rst},
    {"tcp.ack_flag", "ACK is set, but on a first SYN and on RST", "RFC 9293 sections 3.1 and 3.10.7.4",
     "ACK set", layer, check_ack_flag, repair_ack_flag},
    {"tcp.syn_acknowledgement", "the acknowledgement number of a SYN without ACK is 0 (observed practice)",
     "RFC 9293 section 3.1", "set to 0", layer, check_syn_acknowledgement, repair_syn_acknowledgement},
    {"tcp.urgent_pointer", "the urgent pointer is 0 without URG (observed practice)", "RFC 9293 section 3.1",
     "set to 0", layer, check_urgent_pointer, repair_urgent_pointer},
    {"tcp.options_format", "each option lies within the header", "RFC 9293 section 3.2 (MUST-7)",
     "ended before the first that does not", layer, check_options_format, zero_options_from_end},
    {"tcp.options_padding", "what follows End of Option List is 0", "RFC 9293 section 3.1 (MUST-69)",
     "set to 0", layer, check_options_padding, zero_options_from_end},
    {"tcp.options_repeated", "no option of kinds 2 to 8 occurs twice",
     "RFC 9293 section 3.2 (observed practice)", "replaced by No-Operation", layer, check_options_repeated,
     repair_options_repeated},
    {"tcp.option_mss", "maximum segment size: 4 bytes, not 0, with SYN only", "RFC 9293 section 3.2",
     "replaced by No-Operation", layer, check_mss, remove_option<tcp_option::mss>},
    {"tcp.option_window_scale", "window scale: 3 bytes, with SYN only", "RFC 7323 section 2.2",
     "replaced by No-Operation", layer, check_window_scale, remove_option<tcp_option::window_scale>},
    {"tcp.window_scale_range", "the window scale is at most 14", "RFC 7323 section 2.3", "set to 14", layer,
     check_window_scale_range, repair_window_scale_range},
    {"tcp.option_sack_permitted", "SACK-permitted: 2 bytes, with SYN only", "RFC 2018 section 2",
     "replaced by No-Operation", layer, check_sack_permitted, remove_option<tcp_option::sack_permitted>},
    {"tcp.option_sack", "SACK: 1 to 4 blocks that end after they begin, never with SYN", "RFC 2018 section 3",
     "replaced by No-Operation", layer, check_sack, remove_option<tcp_option::sack>},
    {"tcp.sack_acknowledges", "SACK comes with ACK", "RFC 2018 section 4", "replaced by No-Operation", layer,
     check_sack_acknowledges, remove_option<tcp_option::sack>},
    {"tcp.option_fast_open", "a Fast Open cookie comes with SYN only", "RFC 7413 section 4.1.1",
     "replaced by No-Operation", layer, check_fast_open, remove_option<tcp_option::fast_open>},
    {"tcp.option_timestamps", "timestamps: 10 bytes", "RFC 7323 section 3.2", "replaced by No-Operation",
     layer, check_timestamps, remove_option<tcp_option::timestamps>},
    {"tcp.timestamp_echo", "the timestamp echo reply is 0 without ACK", "RFC 7323 section 3.2", "set to 0",
     layer, check_timestamp_echo, repair_timestamp_echo},
    {"tcp.option_lengths",
     "signature, user timeout, authentication, multipath, fast open and experimental options have legal "
     "lengths",
     "RFC 2385, 5482, 5925, 8684, 7413, 6994", "replaced by No-Operation", layer, check_other_options,
     repair_other_options},
};

}  // namespace

std::span<const Rule> tcp_packet_rules() {
    return rules;
}

}  // namespace tracebench
