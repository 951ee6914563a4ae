#include "metrics/netshare/trace_fields.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

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

/// Takes one sample apart.
class SampleRecords {
  public:
    SampleRecords(const Trace& trace, std::uint32_t session, AddressCodes& addresses, TraceRecords& records)
        : trace_(trace), session_(session), addresses_(addresses), records_(records) {
        headers_.reserve(trace.size());
        for (const PacketView& packet : trace.packets) headers_.push_back(dissect(packet));
    }

    void add_packets() {
        std::map<std::pair<FlowKey, bool>, double> sizes;  // by 5-tuple and direction
        for (std::size_t i = 0; i < trace_.size(); ++i) {
            const Headers& headers = headers_[i];
            const PacketFlow flow = flow_of(headers);
            if (!flow.ok) continue;
            const auto& [source, destination] = flow.from_high ? std::tie(flow.key.high, flow.key.low)
                                                               : std::tie(flow.key.low, flow.key.high);
            add(packet_source, addresses_.code(source.address));
            add(packet_destination, addresses_.code(destination.address));
            if (ported(headers.protocol) && headers.has_ports()) {
                add(packet_source_port, load16(headers.transport()));
                add(packet_destination_port, load16(headers.transport() + 2));
            }
            add(packet_protocol, headers.protocol);
            add(packet_size, ip_length(headers));
            add(packet_arrival, seconds(trace_.packets[i].time_ns, trace_.packets.front().time_ns));
            ++sizes[{flow.key, flow.from_high}];
        }
        for (const auto& [flow, packets] : sizes) add(packet_flow_size, packets);
    }

    void add_flows() {
        for (const FlowPackets& flow : split_flows(trace_)) {
            for (const Direction direction : {Direction::forward, Direction::reverse})
                add_flow(flow, direction);
        }
    }

  private:
    void add(Field field, double value) {
        records_.fields[field].values.push_back(value);
        records_.fields[field].session.push_back(session_);
    }

    void add_flow(const FlowPackets& flow, Direction direction) {
        double packets = 0, bytes = 0;
        std::int64_t first = 0, last = 0;
        for (std::size_t i = 0; i < flow.packets.size(); ++i) {
            if (flow.directions[i] != direction) continue;
            last = trace_.packets[flow.packets[i]].time_ns;
            if (packets == 0) first = last;
            ++packets;
            bytes += ip_length(headers_[flow.packets[i]]);
        }
        if (packets == 0) return;
        const bool forward = direction == Direction::forward;
        const Endpoint& source = forward ? flow.flow.src : flow.flow.dst;
        const Endpoint& destination = forward ? flow.flow.dst : flow.flow.src;
        add(flow_source, addresses_.code(source.address));
        add(flow_destination, addresses_.code(destination.address));
        if (ported(flow.flow.key.protocol)) {
            add(flow_source_port, source.port);
            add(flow_destination_port, destination.port);
        }
        add(flow_protocol, flow.flow.key.protocol);
        add(flow_start, seconds(first, trace_.packets.front().time_ns));
        add(flow_duration, seconds(last, first));
        add(flow_packets, packets);
        add(flow_bytes, bytes);
    }

    const Trace& trace_;
    std::uint32_t session_;
    AddressCodes& addresses_;
    TraceRecords& records_;
    std::vector<Headers> headers_;
};

}  // namespace

double AddressCodes::code(const IpAddress& address) {
    return codes_.try_emplace(address, static_cast<double>(codes_.size())).first->second;
}

TraceRecords trace_records(const std::vector<LabelledTrace>& samples, AddressCodes& addresses) {
    TraceRecords records;
    for (const LabelledTrace& sample : samples) {
        SampleRecords one(sample.trace, static_cast<std::uint32_t>(records.sessions++), addresses, records);
        one.add_packets();
        one.add_flows();
    }
    return records;
}

}  // namespace tracebench
