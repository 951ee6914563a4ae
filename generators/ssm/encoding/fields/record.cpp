#include "generators/ssm/encoding/fields/record.h"

#include <algorithm>

#include "traffic/bytes.h"

namespace tracebench::ssm {
namespace {

constexpr std::uint32_t ethernet = 14;
constexpr std::uint32_t largest_trailer = 65535;

PacketFields with_options(const Record& record) {
    PacketFields fields = record.fields;
    if (record.tcp()) fields.tcp_options = write_options(record.options, record.option_values);
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
    std::vector<std::uint8_t> frame = build_packet(with_options(record));
    frame.resize(frame.size() + record.trailer);
    if (snap != 0 && frame.size() > snap) frame.resize(snap);
    return frame;
}

std::vector<std::uint8_t> build_headers(const Record& record) {
    PacketFields fields = with_options(record);
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
