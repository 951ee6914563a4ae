// Packet scope: header fields, sizes and times, one value a packet that has the field.

#include <algorithm>
#include <optional>

#include "metrics/field_codes.h"
#include "metrics/sample_observer.h"
#include "traffic/bytes.h"

namespace tracebench {
namespace {

enum Field : std::size_t {
    ip_version_field,
    ip_protocol_field,
    ip_ttl,
    ip_tos,
    ip_df,
    ip_length,
    frame_length,
    packet_iat,
    packet_direction,
    port_source,
    port_destination,
    port_service,
    tcp_flags,
    tcp_window,
    tcp_options,
    tcp_mss,
    tcp_payload,
    udp_length,
    joint_direction_flags,
    joint_flags_size,
    joint_size_bigram,
    joint_ip_id_step,
    field_count
};

/// Where a packet stands in its flow; what the joint fields need of the packet before it.
struct Place {
    bool in_flow = false;
    Direction direction = Direction::forward;
    std::uint32_t class_before = codes::packet_start;
    std::optional<std::uint16_t> id_before;
};

void observe_ip(const Headers& h, const Place& place, FieldWriter& writer) {
    const std::uint8_t* const ip = h.ip();
    const bool v4 = h.ip_version == 4;
    writer.add(ip_version_field, h.ip_version);
    writer.add(ip_protocol_field, h.protocol);
    writer.add(ip_ttl, v4 ? ip[8] : ip[7]);
    writer.add(ip_tos, v4 ? ip[1] : (ip[0] & 0x0F) << 4 | ip[1] >> 4);
    writer.add(ip_length, h.ip_end - h.ip_offset);
    if (!v4) return;
    writer.add(ip_df, ip[6] >> 6 & 1);
    if (place.id_before) writer.add(joint_ip_id_step, codes::ip_id_step(*place.id_before, load16(ip + 4)));
}

void observe_ports(const std::uint8_t* transport, FieldWriter& writer) {
    const std::uint16_t source = load16(transport), destination = load16(transport + 2);
    writer.add(port_source, codes::port_range(source));
    writer.add(port_destination, codes::port_range(destination));
    writer.add(port_service, codes::service_port(source, destination));
}

void observe_tcp(const Headers& h, const Place& place, FieldWriter& writer) {
    const std::uint8_t* const tcp = h.tcp();
    const std::uint8_t flags = tcp[13];
    writer.add(tcp_flags, flags);
    writer.add(tcp_window, load16(tcp + 14));
    writer.add(joint_direction_flags, static_cast<double>(place.direction) * 256 + flags);
    if (h.payload_offset != Headers::none) {
        writer.add(tcp_payload, h.payload_length());
        writer.add(joint_flags_size, flags * 8 + codes::size_class(h.payload_length()));
    }
    if (!h.transport_complete) return;
    const std::span options(tcp + 20, (tcp[12] >> 4) * 4U - 20);
    writer.add(tcp_options, static_cast<double>(codes::tcp_options(options)));
    if ((flags & tcp_flag::syn) == 0) return;
    if (const auto mss = codes::tcp_mss(options)) writer.add(tcp_mss, *mss);
}

}  // namespace

const std::vector<FieldInfo>& packet_fields() {
    constexpr auto packet = FieldScope::packet;
    constexpr auto codes = FieldKind::categorical;
    constexpr auto number = FieldKind::continuous;
    constexpr auto uniform = CeilingModel::uniform, samples = CeilingModel::samples;
    static const std::vector<FieldInfo> fields = {
        {"ip.version", codes, packet, "", "IP version", false, uniform},
        {"ip.protocol", codes, packet, "", "Transport protocol", false, uniform},
        {"ip.ttl", codes, packet, "", "TTL or hop limit", false, uniform},
        {"ip.tos", codes, packet, "", "DSCP and ECN", false, uniform},
        {"ip.df", codes, packet, "", "IPv4 don't fragment", false, uniform},
        {"ip.length", number, packet, "bytes", "IP packet length", false, uniform},
        {"frame.length", number, packet, "bytes", "Frame length on the wire", false, uniform},
        {"packet.iat", number, packet, "s", "Time since the session's packet before", true, uniform},
        {"packet.direction", codes, packet, "", "Direction within the flow", false, uniform},
        {"src.port", codes, packet, "", "Source port (1024 and above by range)", false, uniform},
        {"dst.port", codes, packet, "", "Destination port (1024 and above by range)", false, uniform},
        {"service.port", codes, packet, "", "Service port (the lower one)", false, uniform},
        {"tcp.flags", codes, packet, "", "TCP flags", false, uniform},
        {"tcp.window", number, packet, "1", "TCP window field, unscaled", true, uniform},
        {"tcp.options", codes, packet, "", "TCP option kinds in order", false, uniform},
        {"tcp.mss", codes, packet, "", "MSS option of SYNs", false, uniform},
        {"tcp.payload", number, packet, "bytes", "TCP payload", false, uniform},
        {"udp.length", number, packet, "bytes", "UDP length", false, uniform},
        {"joint.direction_flags", codes, packet, "", "Direction with TCP flags", false, samples},
        {"joint.flags_size", codes, packet, "", "TCP flags with payload size class", false, samples},
        {"joint.size_bigram", codes, packet, "", "Direction and size class, then the next packet's", false,
         samples},
        {"joint.ip_id_step", codes, packet, "", "IP ID step within flow and direction", false, samples},
    };
    return fields;
}

struct PacketObserver::State {
    FieldWriter writer;
    bool any = false;
    std::int64_t before_ns = 0;

    /// What a flow's packets so far left, by the flow's number.
    struct Course {
        std::uint32_t class_before = codes::packet_start;
        std::optional<std::uint16_t> id_before[2];
    };
    std::vector<Course> flows;

    Place place(const Headers& headers, const FlowTable::Placed& placed) {
        if (placed.flow >= flows.size()) flows.resize(placed.flow + 1);
        Course& course = flows[placed.flow];
        Place result{true, placed.direction, course.class_before, {}};
        course.class_before = codes::packet_class(placed.direction, headers.payload_length());
        if (headers.ip_version != 4) return result;
        auto& id = course.id_before[static_cast<std::size_t>(placed.direction)];
        result.id_before = id;
        id = load16(headers.ip() + 4);
        return result;
    }
};

PacketObserver::PacketObserver(FieldWriter writer)
    : state_(std::make_unique<State>(State{std::move(writer), false, 0, {}})) {}

PacketObserver::~PacketObserver() = default;

void PacketObserver::add(const PacketView& packet, const Headers& h,
                         const std::optional<FlowTable::Placed>& placed) {
    FieldWriter& writer = state_->writer;
    writer.add(frame_length, packet.original_length);
    if (state_->any) writer.add(packet_iat, static_cast<double>(packet.time_ns - state_->before_ns) * 1e-9);
    state_->any = true;
    state_->before_ns = packet.time_ns;
    if (!h.has_ip()) return;
    const Place place = placed ? state_->place(h, *placed) : Place{};
    observe_ip(h, place, writer);
    if (place.in_flow) {
        writer.add(packet_direction, static_cast<double>(place.direction));
        writer.add(joint_size_bigram,
                   place.class_before * 16 + codes::packet_class(place.direction, h.payload_length()));
    }
    if (h.has_tcp() || h.has_udp()) observe_ports(h.transport(), writer);
    if (h.has_tcp()) observe_tcp(h, place, writer);
    if (h.has_udp()) writer.add(udp_length, load16(h.udp() + 4));
}

void PacketObserver::finish() {
    state_->writer.finish();
}

}  // namespace tracebench
