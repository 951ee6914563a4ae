#include "traffic/rules/observed.h"

#include <limits>

#include "traffic/rules/ipv6_chain.h"

namespace tracebench {
namespace {

/// Places in the table below.
enum Place : std::size_t {
    retransmission,
    out_of_order,
    duplicate_ack,
    zero_window,
    window_full,
    keep_alive,
    reset,
    urgent,
    ecn_echo,
    window_shrunk,
    zero_window_probe,
    past_mss,
    syn_data,
    half_closed,
    after_reset,
    reset_flow,
    closed_flow,
    midway_flow,
    ecn_capable,
    congestion,
    dont_fragment,
    ipv4_fragment,
    ipv4_options,
    zero_id,
    extension,
    ipv6_fragment,
    no_checksum,
    resolved,
    station_changed,
    offload,
};

constexpr std::string_view wireshark = "Wireshark User's Guide section 7.5 (TCP Analysis)";
constexpr std::string_view segments = "TCP segments", tcp_flows = "TCP flows", ip = "IP packets",
                           ipv4 = "IPv4 packets", ipv6 = "IPv6 packets";

constexpr Behaviour table[] = {
    {"tcp.retransmission", "segments sent again, fast and spurious ones included", segments, wireshark},
    {"tcp.out_of_order", "segments that came late", segments, wireshark},
    {"tcp.duplicate_ack", "acknowledgements that repeat the one before", segments, wireshark},
    {"tcp.zero_window", "segments that close the window", segments, wireshark},
    {"tcp.window_full", "segments that fill the window, where both SYNs were captured", segments, wireshark},
    {"tcp.keep_alive", "keep-alives", segments, wireshark},
    {"tcp.reset", "segments with RST", segments, "RFC 9293 section 3.5.2"},
    {"tcp.urgent", "segments with URG", segments, "RFC 6093"},
    {"tcp.ecn_echo", "segments with ECE or CWR, but for SYNs", segments, "RFC 3168 section 6.1"},
    {"tcp.window_shrunk", "acknowledgements that take back window by more than scaling rounds off",
     "TCP segments with ACK, where both SYNs were captured", "RFC 9293 section 3.8.6; RFC 7323 section 2.4"},
    {"tcp.zero_window_probe", "segments of one byte that probe a closed window", segments, wireshark},
    {"tcp.past_mss", "segments with more data than the receiver's MSS allows: joined by the network card",
     "TCP segments with data, where the receiver's SYN was captured", "RFC 9293 section 3.7.1 (MUST-16)"},
    {"tcp.syn_data", "SYNs with data (Fast Open)", "SYNs", "RFC 7413; RFC 9293 section 3.5"},
    {"tcp.half_closed_data", "segments with data sent after the receiver's FIN", "TCP segments with data",
     "RFC 9293 section 3.6"},
    {"tcp.data_after_reset", "segments with data sent after the receiver's RST", "TCP segments with data",
     "RFC 9293 section 3.5.3"},
    {"tcp.flow_reset", "flows in which a RST was sent", tcp_flows, "RFC 9293 section 3.10.7"},
    {"tcp.flow_closed", "flows closed by FIN both ways or RST", tcp_flows, "RFC 9293 section 3.6"},
    {"tcp.flow_midway", "flows without the whole handshake: they began before the capture, or in vain",
     tcp_flows, "RFC 9293 section 3.5"},
    {"ip.ecn_capable", "packets of an ECN-capable transport", ip, "RFC 3168 section 5"},
    {"ip.congestion_experienced", "packets marked on the way", ip, "RFC 3168 section 5"},
    {"ipv4.dont_fragment", "packets that forbid fragmentation", ipv4, "RFC 1191 section 3"},
    {"ipv4.fragment", "fragments", ipv4, "RFC 791 section 3.2"},
    {"ipv4.options", "packets with options", ipv4, "RFC 7126"},
    {"ipv4.zero_id", "packets with identification 0", ipv4, "RFC 6864 section 4.1"},
    {"ipv6.extension_header", "packets with an extension header", ipv6, "RFC 8200 section 4"},
    {"ipv6.fragment", "fragments", ipv6, "RFC 8200 section 4.5"},
    {"udp.no_checksum", "datagrams over IPv4 without checksum", "UDP datagrams over IPv4", "RFC 768"},
    {"dns.flow_resolved", "flows to an address that a DNS answer has named before", "TCP and UDP flows",
     "RFC 1034 section 5"},
    {"ip.station_changed", "packets that come from another Ethernet address than the last of their source",
     "IP packets over Ethernet, but for the first of each source", "RFC 1122 section 2.3.2"},
    {"checksum.offloaded", "TCP and UDP checksums left to the network card",
     "TCP and UDP checksums that can be told", "docs/rules.md"},
};
static_assert(std::size(table) == offload + 1);

void count(BehaviourCount& entry, bool shown) {
    ++entry.of;
    entry.count += shown;
}

}  // namespace

std::span<const Behaviour> behaviour_table() {
    return table;
}

double BehaviourCount::rate() const {
    if (of == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(count) / static_cast<double>(of);
}

BehaviourCounter::BehaviourCounter() {
    for (const Behaviour& behaviour : table) counts_.push_back({&behaviour, 0, 0});
}

void BehaviourCounter::add(const RulePacket& p) {
    if (p.network_state == LayerState::readable && p.network_layer != RuleLayer::arp) add_ip(p);
    if (p.state(RuleLayer::udp) == LayerState::readable && p.network_layer == RuleLayer::ipv4)
        count(counts_[no_checksum], load16(p.segment() + 6) == 0);
}

void BehaviourCounter::add_ip(const RulePacket& p) {
    const std::uint8_t* const header = p.net();
    const bool v4 = p.network_layer == RuleLayer::ipv4;
    const unsigned ecn = v4 ? header[1] & 3U : (header[1] >> 4) & 3U;
    count(counts_[ecn_capable], ecn != 0);
    count(counts_[congestion], ecn == 3);
    if (!v4) {
        count(counts_[extension], Ipv6Chain::is_extension(header[6]));
        count(counts_[ipv6_fragment], p.headers.is_fragment());
        return;
    }
    count(counts_[dont_fragment], (header[6] & 0x40) != 0);
    count(counts_[ipv4_fragment], p.headers.is_fragment());
    count(counts_[ipv4_options], (header[0] & 0x0F) > 5);
    count(counts_[zero_id], load16(header + 4) == 0);
}

void BehaviourCounter::add(const FlowContext& context) {
    const SegmentFields& s = context.segment;
    const FlowState& flow = context.state;
    const bool syn = s.has(tcp_flag::syn), ordinary = !s.has(tcp_flag::syn | tcp_flag::fin | tcp_flag::rst);
    count(counts_[reset], s.has(tcp_flag::rst));
    count(counts_[urgent], s.has(tcp_flag::urg));
    count(counts_[ecn_echo], !syn && s.has(tcp_flag::ece | tcp_flag::cwr));
    const TcpSide& peer = flow.peer(context.direction);
    const bool fills = flow.negotiated() && peer.acknowledged && ordinary && s.payload > 0 &&
                       s.sequence + s.payload == peer.window_edge;
    count(counts_[window_full], fills);
    add_windows(context);
    if (syn) count(counts_[syn_data], s.payload > 0);
    if (s.payload == 0) return;
    if (peer.mss != 0 && s.options_known) count(counts_[past_mss], s.payload + s.options_size > peer.mss);
    count(counts_[half_closed], peer.fin);
    count(counts_[after_reset], peer.rst);
}

void BehaviourCounter::add_windows(const FlowContext& context) {
    const SegmentFields& s = context.segment;
    const FlowState& flow = context.state;
    const TcpSide& me = flow.own(context.direction);
    const TcpSide& peer = flow.peer(context.direction);
    const bool probes =
        s.payload == 1 && peer.acknowledged && peer.window_closed && s.sequence == peer.last_edge;
    count(counts_[zero_window_probe], probes);
    if (!s.has(tcp_flag::ack) || s.has(tcp_flag::syn | tcp_flag::rst) || !flow.negotiated() ||
        !me.acknowledged)
        return;
    const int scale = flow.scale(s, context.direction);
    const std::uint32_t edge = s.acknowledgement + (std::uint32_t{s.window} << scale);
    const std::int32_t rounding = (1 << scale) - 1;
    const bool late = sequence_distance(s.acknowledgement, me.acknowledgement) < 0;
    count(counts_[window_shrunk], !late && sequence_distance(me.last_edge, edge) > rounding);
}

void BehaviourCounter::add(const RulePacket& p, const SessionState& session, bool begins_flow) {
    const std::uint8_t protocol = p.headers.protocol;
    if (begins_flow && (protocol == ip_protocol::tcp || protocol == ip_protocol::udp))
        count(counts_[resolved], session.is_resolved(p));
    const auto station = SessionState::station_of(p);
    if (!station) return;
    if (const auto before = session.last_ethernet(station->address))
        count(counts_[station_changed], station->ethernet != *before);
}

void BehaviourCounter::add_checksums(std::uint64_t checked, std::uint64_t offloaded) {
    counts_[offload].count += offloaded;
    counts_[offload].of += checked + offloaded;
}

void BehaviourCounter::end(const Flow& flow) {
    if (flow.key.protocol != ip_protocol::tcp) return;
    const std::uint64_t packets = flow.packets[0] + flow.packets[1];
    const std::pair<Place, std::uint64_t> analysed[] = {{retransmission, flow.retransmissions},
                                                        {out_of_order, flow.out_of_order},
                                                        {duplicate_ack, flow.duplicate_acks},
                                                        {zero_window, flow.zero_windows},
                                                        {keep_alive, flow.keep_alives}};
    for (const auto& [place, seen] : analysed) {
        counts_[place].count += seen;
        counts_[place].of += packets;
    }
    count(counts_[reset_flow], ((flow.tcp_flags[0] | flow.tcp_flags[1]) & tcp_flag::rst) != 0);
    count(counts_[closed_flow], flow.closed);
    count(counts_[midway_flow], !flow.handshake);
}

}  // namespace tracebench
