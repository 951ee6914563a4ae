// Flow scope: one value a flow where it is defined.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>

#include "metrics/field_codes.h"
#include "metrics/flow/bursts.h"
#include "metrics/flow/moments.h"
#include "metrics/observed_sample.h"
#include "metrics/sample_observer.h"
#include "traffic/tcp_timestamps.h"

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
    rtt_timestamps,
    out_of_order,
    retransmission_burst,
    idle_longest,
    active_share,
    burst_packets,
    size_entropy,
    field_count
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

/// What is only seen when the packets of a TCP connection are gone through again.
class TcpCourse {
  public:
    void add(Direction direction, const PacketView& packet, const Headers& headers) {
        const auto side = static_cast<unsigned>(direction);
        const TcpSegment segment = tcp_segment(headers, packet.time_ns, packet.original_length);
        timestamps_.add(side, headers, segment);
        const std::uint32_t before = analysis_.retransmissions();
        analysis_.add(side, segment);
        const bool repeats = analysis_.retransmissions() > before;
        runs_ += repeats && !repeating_[side];
        // Acknowledgements between two retransmissions do not end their run.
        if (repeats || segment.length > 0) repeating_[side] = repeats;
    }
    std::optional<double> rtt_ms() const { return timestamps_.mean_ms(); }
    /// Mean length of the runs of retransmissions; nothing where there is none.
    std::optional<double> retransmission_burst() const {
        if (runs_ == 0) return std::nullopt;
        return static_cast<double>(analysis_.retransmissions()) / static_cast<double>(runs_);
    }

  private:
    TcpAnalysis analysis_;
    TimestampRtt timestamps_;
    bool repeating_[2] = {false, false};
    std::size_t runs_ = 0;
};

/// Shannon entropy of a list of sizes, in bits.
double entropy(std::vector<std::uint32_t>& sizes) {
    std::sort(sizes.begin(), sizes.end());
    const auto n = static_cast<double>(sizes.size());
    double bits = 0;
    for (std::size_t i = 0; i < sizes.size();) {
        const std::size_t first = i;
        while (i < sizes.size() && sizes[i] == sizes[first]) ++i;
        const double share = static_cast<double>(i - first) / n;
        bits -= share * std::log2(share);
    }
    return std::max(0.0, bits);
}

using Values = std::array<double, field_count>;

void measure_tcp(const Flow& flow, const TcpShares& shares, const TcpCourse& course, Values& values) {
    values[syn_share] = shares.of(shares.syn);
    values[fin_share] = shares.of(shares.fin);
    values[rst_share] = shares.of(shares.rst);
    values[psh_share] = shares.of(shares.psh);
    if (flow.rtt_ms) values[rtt] = *flow.rtt_ms;
    values[retransmissions] = static_cast<double>(flow.retransmissions) / static_cast<double>(shares.packets);
    values[out_of_order] = static_cast<double>(flow.out_of_order) / static_cast<double>(shares.packets);
    if (const auto ms = course.rtt_ms()) values[rtt_timestamps] = *ms;
    if (const auto burst = course.retransmission_burst()) values[retransmission_burst] = *burst;
    values[handshake] = flow.handshake;
    values[closed] = flow.closed;
}

/// One flow, packet by packet.
class FlowMeasure {
  public:
    void add(Direction direction, const PacketView& packet, const Headers& headers) {
        sizes_[static_cast<std::size_t>(direction)].add(packet.original_length);
        lengths_.push_back(packet.original_length);
        if (lengths_.size() > 1) {
            const double gap = static_cast<double>(packet.time_ns - before_ns_) * 1e-9;
            gaps_.add(gap);
            bursts_.add_gap(gap);
        }
        before_ns_ = packet.time_ns;
        if (!headers.has_tcp()) return;
        tcp_.add(headers.tcp()[13]);
        if (!course_) course_ = std::make_unique<TcpCourse>();
        course_->add(direction, packet, headers);
    }
    Values values(const Flow& flow);

  private:
    Moments gaps_, sizes_[2];
    Bursts bursts_;
    TcpShares tcp_;
    std::unique_ptr<TcpCourse>
        course_;  ///< TCP only: most flows of many captures are not, and this is the most
    std::vector<std::uint32_t> lengths_;
    std::int64_t before_ns_ = 0;
};

Values FlowMeasure::values(const Flow& flow) {
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
    if (gaps_.n() >= 1) values[iat_mean] = gaps_.mean();
    if (gaps_.n() >= 2) values[iat_std] = gaps_.deviation();
    if (sizes_[0].n() >= 1) values[size_mean_forward] = sizes_[0].mean();
    if (sizes_[1].n() >= 1) values[size_mean_reverse] = sizes_[1].mean();
    if (sizes_[0].n() >= 2) values[size_std_forward] = sizes_[0].deviation();
    if (sizes_[1].n() >= 2) values[size_std_reverse] = sizes_[1].deviation();
    values[forward_packets] = static_cast<double>(flow.packets[0]) / count;
    if (octets > 0) values[forward_bytes] = static_cast<double>(flow.bytes[0]) / octets;
    if (gaps_.n() >= 1) {
        values[idle_longest] = bursts_.longest_gap_s();
        values[burst_packets] = bursts_.packets();
        values[size_entropy] = entropy(lengths_);
    }
    if (bursts_.has_duration()) values[active_share] = bursts_.active_share();
    if (tcp_.packets > 0) measure_tcp(flow, tcp_, *course_, values);
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
        {"flow.rtt_timestamps", number, flow, "ms", "Mean round-trip time by TCP timestamps", true},
        {"flow.out_of_order_share", number, flow, "1", "Share of packets out of order"},
        {"flow.retransmission_burst", number, flow, "packets", "Retransmissions in a row", true},
        {"flow.idle_longest", number, flow, "s", "Longest silence", true},
        {"flow.active_share", number, flow, "1", "Share of time in bursts (gaps up to 0.1 s)"},
        {"flow.burst_packets", number, flow, "packets", "Packets a burst (gaps up to 0.1 s)", true},
        {"flow.size_entropy", number, flow, "bit", "Entropy of frame lengths"},
    };
    return fields;
}

std::vector<double> flow_values(const ObservedSample& sample, const FlowPackets& flow) {
    FlowMeasure measure;
    for (std::size_t i = 0; i < flow.packets.size(); ++i)
        measure.add(flow.directions[i], sample.trace.packets[flow.packets[i]],
                    sample.headers(flow.packets[i]));
    const Values values = measure.values(flow.flow);
    return {values.begin(), values.end()};
}

struct FlowObserver::State {
    FieldWriter writer;
    std::unordered_map<std::uint64_t, FlowMeasure> live;
};

FlowObserver::FlowObserver(FieldWriter writer)
    : state_(std::make_unique<State>(State{std::move(writer), {}})) {}

FlowObserver::~FlowObserver() = default;

void FlowObserver::add(const PacketView& packet, const Headers& headers, const FlowTable::Placed& placed) {
    state_->live[placed.flow].add(placed.direction, packet, headers);
}

void FlowObserver::end(const Flow& flow) {
    const auto found = state_->live.find(flow.number);
    if (found == state_->live.end()) return;
    const Values values = found->second.values(flow);
    state_->live.erase(found);
    for (std::size_t field = 0; field < field_count; ++field)
        if (!std::isnan(values[field])) state_->writer.add(field, values[field]);
}

void FlowObserver::finish() {
    state_->writer.finish();
}

}  // namespace tracebench
