/// Expected values of everything a packet says.

#include "generators/ssm/encoding/fields/draft.h"

#include <algorithm>

#include "generators/ssm/encoding/fields/gap.h"

namespace tracebench::ssm {
namespace {

constexpr std::uint32_t shortest_frame = 60;  // Ethernet's, without its check sequence

bool is_echo_request(const Draft& draft, std::uint16_t type_and_code) {
    return type_and_code >> 8 == (draft.flow->version() == 4 ? 8 : 128);
}
bool is_echo_reply(const Draft& draft, std::uint16_t type_and_code) {
    return type_and_code >> 8 == (draft.flow->version() == 4 ? 0 : 129);
}

const TcpSide& own_rules(const Draft& draft) {
    return draft.flow->rules.own(draft.direction);
}
const TcpSide& peer_rules(const Draft& draft) {
    return draft.flow->rules.peer(draft.direction);
}

std::uint16_t expected_window(const SessionBook& book, const Draft& draft) {
    const Sender& me = draft.flow->own(draft.direction);
    if (draft.has(tcp_flag::rst)) return 0;
    const Habit& habit = book.habit(*draft.flow, draft.direction, draft.has(tcp_flag::syn));
    if (me.windows.count() == 0) return habit.window;
    if (!me.last_was_syn || draft.has(tcp_flag::syn)) return me.windows.at(0);
    // The window of a SYN is never scaled, all later ones are (RFC 7323 section 2.2).
    const int scale = std::min<int>(own_rules(draft).window_scale, 14);  // RFC 7323 section 2.3
    if (scale > 0 && peer_rules(draft).window_scale >= 0)
        return static_cast<std::uint16_t>((me.windows.at(0) + (1 << scale) - 1) >> scale);
    return habit.known ? habit.window : me.windows.at(0);
}

/// What the receiver has that lies past a gap (RFC 2018 section 4), as far as the rules remember it; where
/// there is no gap, a byte received twice (RFC 2883).
std::array<std::uint32_t, 8> expected_edges(const Draft& draft, std::uint32_t acknowledgement) {
    std::array<std::uint32_t, 8> edges{};
    const TcpSide& peer = peer_rules(draft);
    for (std::size_t block = 0; block < 4; ++block) {
        const bool known = block < peer.island_count;
        const std::size_t island = known ? peer.island_count - 1 - block : 0;
        edges[2 * block] = known ? peer.islands[island].begin : acknowledgement - 1;
        edges[2 * block + 1] = known ? peer.islands[island].end : acknowledgement;
    }
    return edges;
}

void fill_tcp(const SessionBook& book, const Draft& draft, const PacketIdentity& identity, Record& record) {
    PacketFields& f = record.fields;
    const Sender &me = draft.flow->own(draft.direction), &peer = draft.flow->peer(draft.direction);
    const Habit& syn_habit = book.habit(*draft.flow, draft.direction, true);
    f.tcp_flags = draft.flags.value_or(tcp_flag::ack);
    f.payload_length = draft.has_payload ? draft.length.value_or(1) : 0;
    f.sequence = draft.sequence ? *draft.sequence : expected_sequence(draft, identity);
    f.acknowledgement =
        draft.acknowledgement ? *draft.acknowledgement : expected_acknowledgement(draft, identity);
    f.window = draft.window ? *draft.window : expected_window(book, draft);
    f.urgent_pointer = draft.urgent_pointer;
    f.tcp_reserved = draft.reserved;
    record.options = draft.options ? *draft.options : expected_options(book, draft);
    OptionValues& values = record.option_values;
    if (record.options.has(code::mss_option)) values.mss = draft.mss.value_or(syn_habit.mss);
    if (record.options.has(code::scale_option))
        values.window_scale = draft.window_scale.value_or(syn_habit.window_scale);
    if (record.options.has(code::timestamps)) {
        const std::uint32_t clock = expected_timestamp(draft, identity, record.time_ns);
        values.timestamp =
            draft.timestamp_distance
                ? static_cast<std::uint32_t>(clock + *draft.timestamp_distance)
                : clock + (me.clock.started() ? static_cast<std::uint32_t>(identity.timestamp_noise) : 0);
        const std::uint32_t heard = peer.clock_values.count() > 0 ? me.recent_timestamp : identity.echo;
        values.echo = draft.echo ? *draft.echo : draft.has(tcp_flag::ack) ? heard : 0;
    }
    if (const int blocks = record.options.sack_blocks(); blocks > 0) {
        const auto expected = expected_edges(draft, f.acknowledgement);
        for (std::size_t i = 0; i < 2 * static_cast<std::size_t>(blocks); ++i)
            values.edges[i] = i < draft.edges.size() ? draft.edges[i] : expected[i];
    }
}

void fill_datagram(const SessionBook& book, const Draft& draft, const PacketIdentity& identity,
                   Record& record) {
    PacketFields& f = record.fields;
    f.payload_length = draft.length.value_or(0);
    if (draft.udp()) {
        f.payload = draft.payload;
        const auto& expected = expected_payload(book, draft);
        const std::size_t size = std::min<std::size_t>(code::payload_bytes, f.payload_length);
        f.payload.resize(std::min(f.payload.size(), size));
        for (std::size_t i = f.payload.size(); i < size; ++i)
            f.payload.push_back(i < expected.size() ? expected[i] : std::uint8_t{0});
        return;
    }
    const std::uint16_t type =
        draft.icmp.value_or(static_cast<std::uint16_t>(record.version() == 4 ? 8 << 8 : 128 << 8));
    f.icmp_type = static_cast<std::uint8_t>(type >> 8);
    f.icmp_code = static_cast<std::uint8_t>(type);
    const Sender &me = draft.flow->own(draft.direction), &peer = draft.flow->peer(draft.direction);
    if (draft.icmp_rest) {
        f.icmp_rest = *draft.icmp_rest;
    } else if (is_echo_request(draft, type)) {
        f.icmp_rest =
            me.seen ? (me.icmp_rest & 0xFFFF0000) | ((me.icmp_rest + 1) & 0xFFFF) : identity.icmp_rest;
    } else if (is_echo_reply(draft, type)) {
        f.icmp_rest = peer.seen ? peer.icmp_rest : identity.icmp_rest;
    }
}

void fill_ip(const SessionBook& book, const Draft& draft, const PacketIdentity& identity, Record& record) {
    PacketFields& f = record.fields;
    const Sender &me = draft.flow->own(draft.direction), &peer = draft.flow->peer(draft.direction);
    const Habit& habit = book.habit(*draft.flow, draft.direction, draft.has(tcp_flag::syn));
    const int index = draft.flow->hosts[static_cast<int>(draft.direction)];
    const std::uint8_t host_ttl = index >= 0 ? book.host(index).ttl : std::uint8_t{0};
    f.ttl = draft.ttl ? *draft.ttl : me.seen ? me.ttl : host_ttl != 0 ? host_ttl : habit.ttl;
    f.tos = draft.tos ? *draft.tos : me.seen ? me.tos : habit.tos;
    f.dont_fragment = draft.dont_fragment ? *draft.dont_fragment
                      : me.seen           ? me.dont_fragment
                                          : habit.dont_fragment;
    if (record.version() == 4) {
        f.ip_id = draft.ip_id_random ? identity.ip_id
                  : draft.ip_id      ? *draft.ip_id
                                     : expected_ip_id(book, draft);
    } else {
        f.dont_fragment = true;
        const bool labelled = draft.flow_label ? *draft.flow_label == code::label_random : habit.labelled;
        f.flow_label = draft.flow_label || !me.seen ? (labelled ? identity.flow_label : 0) : me.flow_label;
    }
    if (me.seen && !draft.other_macs) {
        f.src_mac = me.src_mac;
        f.dst_mac = me.dst_mac;
    } else if (peer.seen && !draft.other_macs) {
        f.src_mac = peer.dst_mac;
        f.dst_mac = peer.src_mac;
    } else {
        f.src_mac = identity.src_mac;
        f.dst_mac = identity.dst_mac;
    }
}

}  // namespace

OptionList expected_options(const SessionBook& book, const Draft& draft) {
    if (draft.has(tcp_flag::rst)) return {};
    const Sender& me = draft.flow->own(draft.direction);
    const FlowState& rules = draft.flow->rules;
    const bool syn = draft.has(tcp_flag::syn);
    OptionList list =
        !syn && me.options_known ? me.options : book.habit(*draft.flow, draft.direction, syn).options;
    const TcpSide& peer = peer_rules(draft);
    if (syn && peer.options_known) {  // an answer offers only what was offered (RFC 7323, RFC 2018)
        if (!peer.offered_timestamps) list = list.without(code::timestamps);
        if (!peer.offered_sack) list = list.without(code::sack_permitted);
        if (peer.window_scale < 0) list = list.without(code::scale_option);
    }
    if (!syn && rules.negotiated()) {
        const bool agreed = rules.side[0].offered_timestamps && rules.side[1].offered_timestamps;
        if (agreed != list.has(code::timestamps)) {
            list = {};
            if (agreed)
                for (const int option : {+code::nop, +code::nop, +code::timestamps}) list.add(option);
        }
    }
    while (list.size() % 4 != 0) list.add(code::nop);
    return list;
}

std::uint16_t expected_ip_id(const SessionBook& book, const Draft& draft) {
    const Sender& me = draft.flow->own(draft.direction);
    const int index = draft.flow->hosts[static_cast<int>(draft.direction)];
    std::uint16_t last = me.ip_id;
    if (!me.seen) {
        if (index < 0 || !book.host(index).ip_id_known) return 0;
        last = book.host(index).ip_id;
    }
    return last == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(last + 1);
}

const std::vector<std::uint8_t>& expected_payload(const SessionBook& book, const Draft& draft) {
    const Sender& me = draft.flow->own(draft.direction);
    return me.seen ? me.payload : book.usual_payload(*draft.flow, draft.direction);
}

std::uint32_t expected_sequence(const Draft& draft, const PacketIdentity& identity) {
    const TcpSide &me = own_rules(draft), &peer = peer_rules(draft);
    if (draft.has(tcp_flag::syn)) return me.syn ? me.initial_sequence : identity.sequence;
    if (me.seen) return draft.has(tcp_flag::fin) && me.fin ? me.fin_end - 1 : me.next;
    if (draft.has(tcp_flag::rst) && draft.has(tcp_flag::ack) && peer.syn) return 0;
    return peer.acknowledged ? peer.acknowledgement : identity.sequence;
}

std::optional<std::uint32_t> sequence_base(const Draft& draft) {
    const TcpSide &me = own_rules(draft), &peer = peer_rules(draft);
    if (me.seen) return me.next;
    if (peer.acknowledged) return peer.acknowledgement;
    return std::nullopt;
}

std::uint32_t expected_acknowledgement(const Draft& draft, const PacketIdentity& identity) {
    if (!draft.has(tcp_flag::ack)) return 0;
    const TcpSide &me = own_rules(draft), &peer = peer_rules(draft);
    if (peer.seen) return peer.contiguous;
    return me.acknowledged ? me.acknowledgement : identity.acknowledgement;
}

std::uint32_t expected_timestamp(const Draft& draft, const PacketIdentity& identity, std::int64_t time_ns) {
    const TimestampClock& clock = draft.flow->own(draft.direction).clock;
    return clock.started() ? clock.predict(time_ns) : identity.timestamp;
}

Record resolve(const SessionBook& book, const Draft& draft, const PacketIdentity& identity) {
    Record record;
    const auto from = static_cast<std::size_t>(draft.direction);
    record.fields.src = draft.flow->ends[from];
    record.fields.dst = draft.flow->ends[1 - from];
    record.fields.protocol = draft.flow->protocol;
    record.time_ns = book.started
                         ? book.now_ns + (draft.gap_bucket > 0 ? gap_start_ns(draft.gap_bucket) : 0) +
                               identity.gap_offset_ns
                         : identity.gap_offset_ns;
    if (draft.tcp()) {
        fill_tcp(book, draft, identity, record);
    } else {
        fill_datagram(book, draft, identity, record);
    }
    fill_ip(book, draft, identity, record);
    const Sender& me = draft.flow->own(draft.direction);
    const bool pads = draft.pads ? *draft.pads
                      : me.seen  ? me.pads
                                 : book.habit(*draft.flow, draft.direction, draft.has(tcp_flag::syn)).pads;
    const std::uint32_t bare = record.wire_bytes();
    record.trailer = draft.trailer                   ? *draft.trailer
                     : pads && bare < shortest_frame ? shortest_frame - bare
                                                     : 0;
    return record;
}

}  // namespace tracebench::ssm
