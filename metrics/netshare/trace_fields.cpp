#include "metrics/netshare/trace_fields.h"

#include <utility>

#include "metrics/field_writer.h"
#include "traffic/bytes.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

enum Field : std::size_t {
    packet_source,
    packet_destination,
    packet_source_port,
    packet_destination_port,
    packet_protocol,
    packet_size,
    packet_arrival,
    packet_flow_size,
    flow_source,
    flow_destination,
    flow_source_port,
    flow_destination_port,
    flow_protocol,
    flow_start,
    flow_duration,
    flow_packets,
    flow_bytes,
    field_count
};
static_assert(field_count == trace_fields.size());

double seconds(std::int64_t later, std::int64_t earlier) {
    return static_cast<double>(later - earlier) * 1e-9;
}

bool ported(std::uint8_t protocol) {
    return protocol == ip_protocol::tcp || protocol == ip_protocol::udp;
}

double ip_length(const Headers& headers) {
    return static_cast<double>(headers.ip_end - headers.ip_offset);
}

/// Arrival times, which are all different: those of a long sample in groups of as many in a row, each at the
/// group's mean.
class ArrivalTimes {
  public:
    ArrivalTimes(std::size_t packets, FieldWriter& writer)
        : group_((packets + most_arrival_times - 1) / most_arrival_times), writer_(writer) {}

    void add(double time) {
        sum_ += time;
        if (++count_ == group_) finish();
    }
    void finish() {
        for (std::size_t i = 0; i < count_; ++i)
            writer_.add(packet_arrival, sum_ / static_cast<double>(count_));
        sum_ = 0;
        count_ = 0;
    }

  private:
    const std::size_t group_;
    FieldWriter& writer_;
    double sum_ = 0;
    std::size_t count_ = 0;
};

/// Takes one sample apart. Headers are dissected twice rather than kept: a sample may be a long capture.
class SampleRecords {
  public:
    SampleRecords(const Trace& trace, FieldWriter writer, AddressCodes& addresses)
        : trace_(trace), writer_(std::move(writer)), addresses_(addresses) {}

    void add_packets() {
        std::map<std::pair<FlowKey, bool>, double> sizes;  // by 5-tuple and direction
        ArrivalTimes arrivals(trace_.size(), writer_);
        for (const PacketView& packet : trace_.packets) {
            const Headers headers = dissect(packet);
            const PacketFlow flow = flow_of(headers);
            if (!flow.ok) continue;
            const Endpoint& source = flow.from_high ? flow.key.high : flow.key.low;
            const Endpoint& destination = flow.from_high ? flow.key.low : flow.key.high;
            writer_.add(packet_source, addresses_.code(source.address));
            writer_.add(packet_destination, addresses_.code(destination.address));
            if (ported(headers.protocol) && headers.has_ports()) {
                writer_.add(packet_source_port, load16(headers.transport()));
                writer_.add(packet_destination_port, load16(headers.transport() + 2));
            }
            writer_.add(packet_protocol, headers.protocol);
            writer_.add(packet_size, ip_length(headers));
            arrivals.add(seconds(packet.time_ns, trace_.packets.front().time_ns));
            ++sizes[{flow.key, flow.from_high}];
        }
        arrivals.finish();
        for (const auto& [flow, packets] : sizes) writer_.add(packet_flow_size, packets);
    }

    void add_flows() {
        for (const FlowPackets& flow : split_flows(trace_)) {
            for (const Direction direction : {Direction::forward, Direction::reverse})
                add_flow(flow, direction);
        }
        writer_.finish();
    }

  private:
    void add_flow(const FlowPackets& flow, Direction direction) {
        double packets = 0, bytes = 0;
        std::int64_t first = 0, last = 0;
        for (std::size_t i = 0; i < flow.packets.size(); ++i) {
            if (flow.directions[i] != direction) continue;
            const PacketView& packet = trace_.packets[flow.packets[i]];
            last = packet.time_ns;
            if (packets == 0) first = last;
            ++packets;
            bytes += ip_length(dissect(packet));
        }
        if (packets == 0) return;
        const bool forward = direction == Direction::forward;
        const Endpoint& source = forward ? flow.flow.src : flow.flow.dst;
        const Endpoint& destination = forward ? flow.flow.dst : flow.flow.src;
        writer_.add(flow_source, addresses_.code(source.address));
        writer_.add(flow_destination, addresses_.code(destination.address));
        if (ported(flow.flow.key.protocol)) {
            writer_.add(flow_source_port, source.port);
            writer_.add(flow_destination_port, destination.port);
        }
        writer_.add(flow_protocol, flow.flow.key.protocol);
        writer_.add(flow_start, seconds(first, trace_.packets.front().time_ns));
        writer_.add(flow_duration, seconds(last, first));
        writer_.add(flow_packets, packets);
        writer_.add(flow_bytes, bytes);
    }

    const Trace& trace_;
    FieldWriter writer_;
    AddressCodes& addresses_;
};

}  // namespace

double AddressCodes::code(const IpAddress& address) {
    return codes_.try_emplace(address, static_cast<double>(codes_.size())).first->second;
}

TraceRecords trace_records(const Samples& samples, AddressCodes& addresses) {
    TraceRecords records;
    records.fields.resize(trace_fields.size());
    for (const LabelledTrace& sample : samples) {
        const FieldWriter writer(records.fields, static_cast<std::uint32_t>(records.sessions++));
        SampleRecords one(sample.trace, writer, addresses);
        one.add_packets();
        one.add_flows();
    }
    return records;
}

}  // namespace tracebench
