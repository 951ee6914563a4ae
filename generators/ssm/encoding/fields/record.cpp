#include "generators/ssm/encoding/fields/record.h"

#include <algorithm>

#include "traffic/bytes.h"

namespace tracebench::ssm {
namespace {

constexpr std::uint32_t ethernet = 14;
constexpr std::uint32_t largest_trailer = 65535;

/// Payload of neighbour discovery (RFC 4861 sections 4.1 to 4.4 and 4.6.1): the target, then the sender's
/// link-layer address as often as there is room, since zeros are no options. Nothing for other messages.
std::vector<std::uint8_t> discovery_payload(const PacketFields& fields) {
    enum : std::uint8_t { router_solicitation = 133, router_advertisement, solicitation, advertisement };
    std::vector<std::uint8_t> payload;
    if (fields.protocol != ip_protocol::icmpv6 || fields.icmp_type < router_solicitation ||
        fields.icmp_type > advertisement)
        return payload;
    if (fields.icmp_type == router_advertisement) payload.resize(8);  // reachable time, retransmission timer
    if (fields.icmp_type >= solicitation) {
        const bool own = fields.icmp_type == advertisement;
        auto target = (own ? fields.src : fields.dst).address.bytes;
        if (target[0] == 0xFF) {  // a solicited-node group ends as the address does (RFC 4291 section 2.7.1)
            std::fill(target.begin(), target.begin() + 13, std::uint8_t{0});
            target[0] = 0xFE;
            target[1] = 0x80;
        }
        payload.assign(target.begin(), target.end());
    }
    const std::uint8_t option = fields.icmp_type == advertisement ? 2 : 1;
    for (std::uint32_t at = payload.size(); at + 8 <= fields.payload_length && at < 128; at += 8) {
        payload.insert(payload.end(), {option, 1});
        payload.insert(payload.end(), fields.src_mac.begin(), fields.src_mac.end());
    }
    return payload;
}

PacketFields complete_fields(const Record& record) {
    PacketFields fields = record.fields;
    if (record.tcp()) fields.tcp_options = write_options(record.options, record.option_values);
    if (!record.tcp() && !record.udp()) fields.payload = discovery_payload(fields);
    return fields;
}

/// Whether two frames agree up to `size`, but for the checksums.
bool same_headers(const Record& record, std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                  std::uint32_t size) {
    if (a.size() < size || b.size() < size) return false;
    const std::uint32_t ip_header = record.version() == 4 ? 20 : 40;
    const std::uint32_t transport = ethernet + ip_header;
    const std::uint32_t sum = transport + (record.tcp() ? 16 : record.udp() ? 6 : 2);
    for (std::uint32_t i = 0; i < size; ++i) {
        if (record.version() == 4 && (i == ethernet + 10 || i == ethernet + 11)) continue;
        if (i == sum || i == sum + 1) continue;
        if (a[i] != b[i]) return false;
    }
    return true;
}

bool is_plain(const PacketView& packet, const Headers& h) {
    if (packet.link != link_type::ethernet || h.ip_offset != ethernet || !h.has_ip() || h.is_fragment())
        return false;
    if (h.ip_header_length != (h.ip_version == 4 ? 20 : 40)) return false;
    if (h.payload_offset == Headers::none || !h.transport_complete) return false;
    const std::uint32_t wire = std::max(packet.original_length, h.captured);
    return h.ip_end >= h.payload_offset && h.ip_end <= wire && wire - h.ip_end <= largest_trailer;
}

}  // namespace

std::uint32_t Record::header_bytes() const {
    std::uint32_t size = ethernet + (version() == 4 ? 20 : 40);
    if (!tcp()) return size + 8;
    return size + 20 + static_cast<std::uint32_t>(options.size() + 3) / 4 * 4;
}

std::optional<Record> read_record(const PacketView& packet) {
    const Headers h = dissect(packet);
    if (!is_plain(packet, h)) return std::nullopt;
    auto fields = packet_fields(packet, h);
    if (!fields) return std::nullopt;
    Record record;
    record.time_ns = packet.time_ns;
    record.trailer = std::max(packet.original_length, h.captured) - h.ip_end;
    if (record.tcp() || fields->protocol == ip_protocol::tcp) {
        auto options = parse_options(fields->tcp_options);
        if (!options) return std::nullopt;
        record.options = std::move(options->list);
        record.option_values = options->values;
    }
    const bool udp = fields->protocol == ip_protocol::udp;
    fields->payload.resize(udp ? std::min<std::size_t>(fields->payload.size(), code::payload_bytes) : 0);
    fields->tcp_options.clear();
    record.fields = std::move(*fields);
    // What does not come out as it went in (odd lengths, reserved bits, ...) is not ours to say.
    const std::uint32_t size = record.header_bytes();
    if (!same_headers(record, build_headers(record), packet.bytes, size)) return std::nullopt;
    return record;
}

std::vector<std::uint8_t> build_frame(const Record& record, std::uint32_t snap) {
    std::vector<std::uint8_t> frame = build_packet(complete_fields(record));
    frame.resize(frame.size() + record.trailer);
    if (snap != 0 && frame.size() > snap) frame.resize(snap);
    return frame;
}

std::vector<std::uint8_t> build_headers(const Record& record) {
    PacketFields fields = complete_fields(record);
    const std::uint32_t payload = fields.payload_length;
    fields.payload_length = 0;
    fields.payload.clear();
    std::vector<std::uint8_t> frame = build_packet(fields);
    const auto add = [&](std::size_t offset) {
        store16(&frame[offset], static_cast<std::uint16_t>(load16(&frame[offset]) + payload));
    };
    add(ethernet + (record.version() == 4 ? 2 : 4));
    if (record.udp()) add(ethernet + (record.version() == 4 ? 20 : 40) + 4);
    return frame;
}

}  // namespace tracebench::ssm
