// Flow scope: one value a flow where it is defined.

#include <array>
#include <cmath>
#include <limits>

#include "metrics/field_codes.h"
#include "metrics/observed_sample.h"

namespace tracebench {
namespace {

enum Field : std::size_t {
    protocol,
    service_port,
    packets,
    bytes,
    duration,
    iat_mean,
    iat_std,
    size_mean_forward,
    size_mean_reverse,
    size_std_forward,
    size_std_reverse,
    forward_packets,
    forward_bytes,
    syn_share,
    fin_share,
    rst_share,
    psh_share,
    rtt,
    retransmissions,
    handshake,
    closed,
    field_count
};

/// Welford's running mean and sample standard deviation.
class Moments {
  public:
    void add(double value) {
        ++n_;
        const double step = value - mean_;
        mean_ += step / static_cast<double>(n_);
        squares_ += step * (value - mean_);
    }
    std::size_t n() const { return n_; }
    double mean() const { return mean_; }
    /// n - 1 in the denominator: needs two values.
    double deviation() const { return std::sqrt(squares_ / static_cast<double>(n_ - 1)); }

  private:
    std::size_t n_ = 0;
    double mean_ = 0, squares_ = 0;
};

struct TcpShares {
    std::size_t packets = 0, syn = 0, fin = 0, rst = 0, psh = 0;

    void add(std::uint8_t flags) {
        ++packets;
        syn += (flags & tcp_flag::syn) != 0;
        fin += (flags & tcp_flag::fin) != 0;
        rst += (flags & tcp_flag::rst) != 0;
        psh += (flags & tcp_flag::psh) != 0;
    }
    double of(std::size_t count) const { return static_cast<double>(count) / static_cast<double>(packets); }
};

using Values = std::array<double, field_count>;

void measure_tcp(const Flow& flow, const TcpShares& shares, Values& values) {
    values[syn_share] = shares.of(shares.syn);
    values[fin_share] = shares.of(shares.fin);
    values[rst_share] = shares.of(shares.rst);
    values[psh_share] = shares.of(shares.psh);
    if (flow.rtt_ms) values[rtt] = *flow.rtt_ms;
    values[retransmissions] = static_cast<double>(flow.retransmissions) / static_cast<double>(shares.packets);
    values[handshake] = flow.handshake;
    values[closed] = flow.closed;
}

Values measure_flow(const ObservedSample& sample, const FlowPackets& observed) {
    Moments gaps, sizes[2];
    TcpShares tcp;
    for (std::size_t i = 0; i < observed.packets.size(); ++i) {
        const PacketView& packet = sample.trace.packets[observed.packets[i]];
        const Headers& headers = sample.headers[observed.packets[i]];
        sizes[static_cast<std::size_t>(observed.directions[i])].add(packet.original_length);
        if (i > 0) {
            const PacketView& before = sample.trace.packets[observed.packets[i - 1]];
            gaps.add(static_cast<double>(packet.time_ns - before.time_ns) * 1e-9);
        }
        if (headers.has_tcp()) tcp.add(headers.tcp()[13]);
    }
    const Flow& flow = observed.flow;
    const auto count = static_cast<double>(flow.packets[0] + flow.packets[1]);
    const auto octets = static_cast<double>(flow.bytes[0] + flow.bytes[1]);
    Values values;
    values.fill(std::numeric_limits<double>::quiet_NaN());
    values[protocol] = flow.key.protocol;
    if (flow.key.protocol == ip_protocol::tcp || flow.key.protocol == ip_protocol::udp)
        values[service_port] = codes::service_port(flow.src.port, flow.dst.port);
    values[packets] = count;
    values[bytes] = octets;
    values[duration] = flow.duration_s();
    if (gaps.n() >= 1) values[iat_mean] = gaps.mean();
    if (gaps.n() >= 2) values[iat_std] = gaps.deviation();
    if (sizes[0].n() >= 1) values[size_mean_forward] = sizes[0].mean();
    if (sizes[1].n() >= 1) values[size_mean_reverse] = sizes[1].mean();
    if (sizes[0].n() >= 2) values[size_std_forward] = sizes[0].deviation();
    if (sizes[1].n() >= 2) values[size_std_reverse] = sizes[1].deviation();
    values[forward_packets] = static_cast<double>(flow.packets[0]) / count;
    if (octets > 0) values[forward_bytes] = static_cast<double>(flow.bytes[0]) / octets;
    if (tcp.packets > 0) measure_tcp(flow, tcp, values);
    return values;
}

}  // namespace

const std::vector<FieldInfo>& flow_fields() {
    constexpr auto flow = FieldScope::flow;
    constexpr auto codes = FieldKind::categorical;
    constexpr auto number = FieldKind::continuous;
    static const std::vector<FieldInfo> fields = {
        {"flow.protocol", codes, flow, "", "Transport protocol of flows"},
        {"flow.service_port", codes, flow, "", "Service port of flows (the lower one)"},
        {"flow.packets", number, flow, "packets", "Packets a flow", true},
        {"flow.bytes", number, flow, "bytes", "Bytes a flow", true},
        {"flow.duration", number, flow, "s", "Flow duration", true},
        {"flow.iat_mean", number, flow, "s", "Mean inter-arrival time", true},
        {"flow.iat_std", number, flow, "s", "Standard deviation of inter-arrival times", true},
        {"flow.size_mean_fwd", number, flow, "bytes", "Mean frame length, forward"},
        {"flow.size_mean_rev", number, flow, "bytes", "Mean frame length, reverse"},
        {"flow.size_std_fwd", number, flow, "bytes", "Standard deviation of frame lengths, forward"},
        {"flow.size_std_rev", number, flow, "bytes", "Standard deviation of frame lengths, reverse"},
        {"flow.fwd_packet_share", number, flow, "1", "Share of packets that go forward"},
        {"flow.fwd_byte_share", number, flow, "1", "Share of bytes that go forward"},
        {"flow.syn_share", number, flow, "1", "Share of packets with SYN"},
        {"flow.fin_share", number, flow, "1", "Share of packets with FIN"},
        {"flow.rst_share", number, flow, "1", "Share of packets with RST"},
        {"flow.psh_share", number, flow, "1", "Share of packets with PSH"},
        {"flow.rtt", number, flow, "ms", "Handshake round-trip time", true},
        {"flow.retransmission_share", number, flow, "1", "Share of retransmitted packets"},
        {"flow.handshake", codes, flow, "", "TCP handshake seen"},
        {"flow.closed", codes, flow, "", "TCP connection closed"},
    };
    return fields;
}

std::vector<double> flow_values(const ObservedSample& sample, const FlowPackets& flow) {
    const Values values = measure_flow(sample, flow);
    return {values.begin(), values.end()};
}

void observe_flows(const ObservedSample& sample, FieldWriter writer) {
    for (const FlowPackets& flow : sample.flows) {
        if (flow.packets.empty()) continue;
        const Values values = measure_flow(sample, flow);
        for (std::size_t field = 0; field < field_count; ++field)
            if (!std::isnan(values[field])) writer.add(field, values[field]);
    }
}

}  // namespace tracebench
