#include "bench/cli/capture_summary.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracebench::cli {
namespace {

std::string protocol_of(const Headers& h) {
    constexpr std::uint16_t arp = 0x0806, lldp = 0x88CC, eapol = 0x888E;
    if (h.has_ip()) return fmt::format("IPv{} {}", h.ip_version, protocol_name(h.protocol));
    if (h.ip_offset != Headers::none) return "IP, header cut or broken";
    switch (h.ethertype) {
        case 0:
            return "unknown";
        case arp:
            return "ARP";
        case lldp:
            return "LLDP";
        case eapol:
            return "EAPOL";
        default:
            return fmt::format("EtherType 0x{:04x}", h.ethertype);
    }
}

std::uint64_t bytes_of(const Flow& flow) {
    return flow.bytes[0] + flow.bytes[1];
}

bool larger(const Flow& a, const Flow& b) {
    return bytes_of(a) != bytes_of(b) ? bytes_of(a) > bytes_of(b) : a.number < b.number;
}

class FlowTotals {
  public:
    FlowTotals(CaptureSummary& summary, std::size_t top) : summary_(summary), top_(top) {}

    void add(const Flow& flow) {
        ++summary_.flows;
        summary_.tcp_flows += flow.key.protocol == ip_protocol::tcp;
        summary_.udp_flows += flow.key.protocol == ip_protocol::udp;
        summary_.handshakes += flow.handshake;
        summary_.closed += flow.closed;
        summary_.retransmissions += flow.retransmissions;
        summary_.out_of_order += flow.out_of_order;
        if (flow.rtt_ms) summary_.rtt_ms.push_back(*flow.rtt_ms);
        keep_if_large(flow);
    }

  private:
    /// A heap with the smallest of the largest on top.
    void keep_if_large(const Flow& flow) {
        std::vector<Flow>& kept = summary_.top_flows;
        kept.push_back(flow);
        std::push_heap(kept.begin(), kept.end(), larger);
        if (kept.size() <= top_) return;
        std::pop_heap(kept.begin(), kept.end(), larger);
        kept.pop_back();
    }

    CaptureSummary& summary_;
    std::size_t top_;
};

}  // namespace

CaptureSummary summarise(CaptureReader& reader, std::size_t top, Progress& progress) {
    CaptureSummary summary;
    FlowTotals totals(summary, top);
    FlowTable table({}, [&](const Flow& flow) { totals.add(flow); });
    ComplianceChecker checker;
    PacketView packet;
    std::int64_t before_ns = 0;
    while (reader.next(packet)) {
        const Headers headers = dissect(packet);
        const bool first = summary.all.packets == 0;
        summary.first_ns = first ? packet.time_ns : std::min(summary.first_ns, packet.time_ns);
        summary.last_ns = first ? packet.time_ns : std::max(summary.last_ns, packet.time_ns);
        summary.time_reversals += !first && packet.time_ns < before_ns;
        before_ns = packet.time_ns;

        summary.all.add(packet);
        summary.captured_bytes += packet.bytes.size();
        summary.cut_packets += packet.truncated();
        summary.fragments += headers.is_fragment();
        const Headers inner = dissect(packet, Tunnels::innermost);
        summary.tunnelled += inner.ip_offset != headers.ip_offset;
        ++summary.link_types[packet.link];
        summary.protocols[protocol_of(headers)].add(packet);

        table.add(packet, headers);
        checker.add(packet);
        if ((summary.all.packets & 0xFFF) != 0) continue;
        progress.check_interrupted();
        progress.update(static_cast<double>(reader.position()), static_cast<double>(reader.file_size()), "B");
    }
    table.finish();
    summary.flows_ended_early = table.evicted();
    summary.compliance = checker.finish();
    summary.damage = reader.damage();
    std::sort(summary.rtt_ms.begin(), summary.rtt_ms.end());
    std::sort(summary.top_flows.begin(), summary.top_flows.end(), larger);
    return summary;
}

}  // namespace tracebench::cli
