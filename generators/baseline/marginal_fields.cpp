/// FieldMarginals: learning and drawing of single fields.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "generators/baseline/marginal.h"
#include "generators/baseline/option_layout.h"
#include "traffic/bytes.h"
#include "traffic/headers.h"

namespace tracebench {
namespace {

struct NumberField {
    std::string_view name;
    std::uint64_t highest;
    int precision = Histogram::exact;
};

constexpr std::uint64_t byte = 0xFF, word = 0xFFFF, double_word = 0xFFFFFFFF;
constexpr std::uint64_t max_packets = 10'000'000, max_gap_ns = std::uint64_t{1} << 50;  // 13 days

/// In the order of FieldMarginals::Number.
constexpr NumberField number_fields[FieldMarginals::number_count] = {
    {"session.packets", max_packets},
    {"gap_ns", max_gap_ns, 6},
    {"ip.version", 6},
    {"ip.protocol", byte},
    {"ipv4.tos", byte},
    {"ipv4.id", word},
    {"ipv4.dont_fragment", 1},
    {"ipv4.ttl", byte},
    {"ipv4.length", word},
    {"ipv6.traffic_class", byte},
    {"ipv6.hop_limit", byte},
    {"ipv6.length", word},
    {"tcp.src_port", word},
    {"tcp.dst_port", word},
    {"tcp.sequence", double_word, 8},
    {"tcp.acknowledgement", double_word, 8},
    {"tcp.flags", byte},
    {"tcp.window", word},
    {"tcp.mss", word},
    {"tcp.window_scale", byte},
    {"tcp.timestamp", double_word, 8},
    {"tcp.timestamp_echo", double_word, 8},
    {"tcp.sack_edge", double_word, 8},
    {"udp.src_port", word},
    {"udp.dst_port", word},
    {"icmp.type", byte},
    {"icmp.code", byte},
    {"icmp.rest", double_word, 8},
    {"icmpv6.type", byte},
    {"icmpv6.code", byte},
    {"icmpv6.rest", double_word, 8},
};

struct BytesField {
    std::string_view name;
    std::size_t longest;
};

/// In the order of FieldMarginals::Bytes.
constexpr BytesField bytes_fields[FieldMarginals::bytes_count] = {
    {"ethernet.src", 6}, {"ethernet.dst", 6}, {"ipv4.src", 4},     {"ipv4.dst", 4},
    {"ipv6.src", 16},    {"ipv6.dst", 16},    {"tcp.options", 40},
};

template <typename Range>
std::string text_of(const Range& bytes, std::size_t size) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

template <typename Array>
void fill(Array& target, const std::string& bytes) {
    std::copy_n(bytes.begin(), std::min(bytes.size(), target.size()), target.begin());
}

}  // namespace

FieldMarginals::FieldMarginals() {
    for (std::size_t i = 0; i < number_count; ++i) numbers_[i] = Histogram(number_fields[i].precision);
}

void FieldMarginals::add(const Trace& session) {
    std::uint64_t packets = 0;
    std::int64_t last_ns = 0;
    for (const PacketView& packet : session.packets) {
        const Headers headers = dissect(packet);
        const auto fields = packet_fields(packet, headers);
        if (!fields) continue;
        if (packet.truncated())
            snap_length_ = std::max(snap_length_, static_cast<std::uint32_t>(packet.bytes.size()));
        if (packets > 0)
            numbers_[gap_ns].add(
                std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(0, packet.time_ns - last_ns)),
                         max_gap_ns - 1));
        last_ns = packet.time_ns;
        ++packets;
        add_packet(*fields, headers.ip_end - headers.ip_offset);
    }
    if (packets > 0) numbers_[session_packets].add(std::min(packets, max_packets));
}

void FieldMarginals::add_packet(const PacketFields& fields, std::uint32_t ip_length) {
    const auto count = [&](Number number, std::uint64_t value) { numbers_[number].add(value); };
    const auto count_bytes = [&](Bytes field, const auto& bytes, std::size_t size) {
        bytes_[field].add(text_of(bytes, size));
    };
    const bool v4 = fields.src.address.version == 4;
    count(ip_version, fields.src.address.version);
    count(ip_protocol_number, fields.protocol);
    count_bytes(ethernet_src, fields.src_mac, 6);
    count_bytes(ethernet_dst, fields.dst_mac, 6);
    count_bytes(v4 ? ipv4_src : ipv6_src, fields.src.address.bytes, v4 ? 4 : 16);
    count_bytes(v4 ? ipv4_dst : ipv6_dst, fields.dst.address.bytes, v4 ? 4 : 16);
    count(v4 ? ipv4_tos : ipv6_traffic_class, fields.tos);
    count(v4 ? ipv4_ttl : ipv6_hop_limit, fields.ttl);
    count(v4 ? ipv4_length : ipv6_length, std::min<std::uint64_t>(v4 ? ip_length : ip_length - 40, word));
    if (v4) {
        count(ipv4_id, fields.ip_id);
        count(ipv4_dont_fragment, fields.dont_fragment ? 1 : 0);
    }
    switch (fields.protocol) {
        case ip_protocol::tcp: {
            count(tcp_src_port, fields.src.port);
            count(tcp_dst_port, fields.dst.port);
            count(tcp_sequence, fields.sequence);
            count(tcp_acknowledgement, fields.acknowledgement);
            count(tcp_flags, fields.tcp_flags);
            count(tcp_window, fields.window);
            const auto layout = tcp_option_layout(fields.tcp_options);
            count_bytes(tcp_options, layout, layout.size());
            const auto value = [&](std::uint8_t kind, std::span<const std::uint8_t> data) {
                if (kind == tcp_option::mss && data.size() == 2) count(tcp_mss, load16(data.data()));
                if (kind == tcp_option::window_scale && data.size() == 1) count(tcp_window_scale, data[0]);
                if (kind == tcp_option::timestamps && data.size() == 8) {
                    count(tcp_timestamp, load32(data.data()));
                    count(tcp_timestamp_echo, load32(data.data() + 4));
                }
                if (kind == tcp_option::sack)
                    for (std::size_t i = 0; i + 4 <= data.size(); i += 4)
                        count(tcp_sack_edge, load32(&data[i]));
            };
            visit_tcp_options(std::span<const std::uint8_t>(fields.tcp_options), value);
            break;
        }
        case ip_protocol::udp:
            count(udp_src_port, fields.src.port);
            count(udp_dst_port, fields.dst.port);
            break;
        default:
            count(v4 ? icmp_type : icmpv6_type, fields.icmp_type);
            count(v4 ? icmp_code : icmpv6_code, fields.icmp_code);
            count(v4 ? icmp_rest : icmpv6_rest, fields.icmp_rest);
    }
}

bool FieldMarginals::empty() const {
    return numbers_[session_packets].empty();
}

std::uint64_t FieldMarginals::draw_packet_count(Random& random) {
    return numbers_[session_packets].draw(random);
}

std::uint64_t FieldMarginals::draw_gap_ns(Random& random) {
    return numbers_[gap_ns].draw(random);
}

void FieldMarginals::draw_tcp_options(PacketFields& fields, Random& random) {
    const std::string layout = bytes_[tcp_options].draw(random);
    fields.tcp_options.assign(layout.begin(), layout.end());
    const auto draw = [&](Number number) {
        return static_cast<std::uint32_t>(numbers_[number].draw(random));
    };
    visit_tcp_options(std::span(fields.tcp_options), [&](std::uint8_t kind, std::span<std::uint8_t> data) {
        if (kind == tcp_option::mss && data.size() == 2)
            store16(data.data(), static_cast<std::uint16_t>(draw(tcp_mss)));
        if (kind == tcp_option::window_scale && data.size() == 1)
            data[0] = static_cast<std::uint8_t>(draw(tcp_window_scale));
        if (kind == tcp_option::timestamps && data.size() == 8) {
            store32(data.data(), draw(tcp_timestamp));
            store32(data.data() + 4, draw(tcp_timestamp_echo));
        }
        if (kind == tcp_option::sack)
            for (std::size_t i = 0; i + 4 <= data.size(); i += 4) store32(&data[i], draw(tcp_sack_edge));
    });
}

PacketFields FieldMarginals::draw_packet(Random& random) {
    const auto draw = [&](Number number) { return numbers_[number].draw(random); };
    const auto draw8 = [&](Number number) { return static_cast<std::uint8_t>(draw(number)); };
    const auto draw16 = [&](Number number) { return static_cast<std::uint16_t>(draw(number)); };
    const auto draw32 = [&](Number number) { return static_cast<std::uint32_t>(draw(number)); };

    PacketFields fields;
    const bool v4 = draw(ip_version) == 4;
    fields.protocol = draw8(ip_protocol_number);
    if (fields.protocol == ip_protocol::icmp || fields.protocol == ip_protocol::icmpv6)
        fields.protocol = v4 ? ip_protocol::icmp : ip_protocol::icmpv6;
    fields.src.address.version = fields.dst.address.version = v4 ? 4 : 6;
    fill(fields.src_mac, bytes_[ethernet_src].draw(random));
    fill(fields.dst_mac, bytes_[ethernet_dst].draw(random));
    fill(fields.src.address.bytes, bytes_[v4 ? ipv4_src : ipv6_src].draw(random));
    fill(fields.dst.address.bytes, bytes_[v4 ? ipv4_dst : ipv6_dst].draw(random));
    fields.tos = draw8(v4 ? ipv4_tos : ipv6_traffic_class);
    fields.ttl = draw8(v4 ? ipv4_ttl : ipv6_hop_limit);
    const std::uint32_t length = v4 ? draw32(ipv4_length) : draw32(ipv6_length) + 40;
    if (v4) {
        fields.ip_id = draw16(ipv4_id);
        fields.dont_fragment = draw(ipv4_dont_fragment) != 0;
    }
    std::uint32_t headers = v4 ? 20 : 40;
    switch (fields.protocol) {
        case ip_protocol::tcp:
            fields.src.port = draw16(tcp_src_port);
            fields.dst.port = draw16(tcp_dst_port);
            fields.sequence = draw32(tcp_sequence);
            fields.acknowledgement = draw32(tcp_acknowledgement);
            fields.tcp_flags = draw8(tcp_flags);
            fields.window = draw16(tcp_window);
            draw_tcp_options(fields, random);
            headers += 20 + static_cast<std::uint32_t>((fields.tcp_options.size() + 3) / 4 * 4);
            break;
        case ip_protocol::udp:
            fields.src.port = draw16(udp_src_port);
            fields.dst.port = draw16(udp_dst_port);
            headers += 8;
            break;
        default:
            fields.icmp_type = draw8(v4 ? icmp_type : icmpv6_type);
            fields.icmp_code = draw8(v4 ? icmp_code : icmpv6_code);
            fields.icmp_rest = draw32(v4 ? icmp_rest : icmpv6_rest);
            headers += 8;
    }
    constexpr std::uint32_t largest_payload = 65535 - 40 - 60;
    fields.payload_length = length > headers ? std::min(length - headers, largest_payload) : 0;
    return fields;
}

nlohmann::json FieldMarginals::to_json() const {
    nlohmann::json fields = nlohmann::json::object();
    for (std::size_t i = 0; i < number_count; ++i)
        fields[std::string(number_fields[i].name)] = numbers_[i].to_json();
    for (std::size_t i = 0; i < bytes_count; ++i)
        fields[std::string(bytes_fields[i].name)] = bytes_[i].to_json();
    return {{"snap_length", snap_length_}, {"fields", std::move(fields)}};
}

FieldMarginals FieldMarginals::from_json(const CheckedJson& json) {
    FieldMarginals model;
    model.snap_length_ = static_cast<std::uint32_t>(json.at("snap_length").integer(0, 1 << 18));
    const CheckedJson fields = json.at("fields");
    for (std::size_t i = 0; i < number_count; ++i)
        model.numbers_[i] = Histogram::from_json(fields.at(number_fields[i].name), number_fields[i].highest,
                                                 number_fields[i].precision);
    for (std::size_t i = 0; i < bytes_count; ++i)
        model.bytes_[i] = ByteHistogram::from_json(fields.at(bytes_fields[i].name), bytes_fields[i].longest);
    if (model.empty()) fields.fail("has no session");
    for (const auto& [protocol, count] : model.numbers_[ip_protocol_number].counts())
        if (protocol != ip_protocol::tcp && protocol != ip_protocol::udp && protocol != ip_protocol::icmp &&
            protocol != ip_protocol::icmpv6)
            fields.at("ip.protocol").fail("has a protocol other than TCP, UDP, ICMP and ICMPv6");
    return model;
}

}  // namespace tracebench
