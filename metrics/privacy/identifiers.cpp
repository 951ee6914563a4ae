#include "metrics/privacy/identifiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "traffic/application_names.h"
#include "traffic/bytes.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

constexpr std::uint16_t first_client_port = 1024;  // RFC 6335: below are the system ports

constexpr std::size_t max_identifiers = 100'000;

/// What one sample is found to name.
class Collector {
  public:
    void add(IdentifierKind kind, std::string name) {
        std::set<std::string>& names = found[static_cast<std::size_t>(kind)];
        if (names.size() < max_identifiers) names.insert(std::move(name));
    }
    Identifiers found;
};

bool names_a_host(const IpAddress& address) {
    if (address.version == 4)  // 240/4 and above hold no hosts either
        return address.bytes[0] < 224 && address.bytes[0] != 0 && address.bytes[0] != 127;
    const bool only_zeros =
        std::all_of(address.bytes.begin(), address.bytes.end() - 1, [](auto b) { return b == 0; });
    const bool unspecified_or_loopback = only_zeros && address.bytes[15] <= 1;
    return address.version == 6 && address.bytes[0] != 0xFF && !unspecified_or_loopback;
}

/// Both addresses of each frame; most frames have the same as one before.
void add_macs(const Trace& trace, Collector& found) {
    constexpr std::size_t header = 12;
    std::set<std::array<std::uint8_t, header>> known;
    for (const PacketView& packet : trace.packets) {
        if (packet.link != link_type::ethernet || packet.bytes.size() < header) continue;
        std::array<std::uint8_t, header> pair;
        std::copy_n(packet.bytes.begin(), header, pair.begin());
        if (known.size() == max_identifiers || !known.insert(pair).second) continue;
        for (const std::size_t at : {std::size_t{0}, std::size_t{6}}) {
            const auto mac = packet.bytes.subspan(at, 6);
            const bool zero = std::all_of(mac.begin(), mac.end(), [](auto b) { return b == 0; });
            if ((mac[0] & 1) == 0 && !zero)
                found.add(IdentifierKind::macs, fmt::format("{:02x}", fmt::join(mac, ":")));
        }
    }
}

void add_ends(const Flow& flow, Collector& found) {
    bool hosts = true;
    for (const Endpoint* end : {&flow.src, &flow.dst}) {
        if (!names_a_host(end->address)) {
            hosts = false;
            continue;
        }
        found.add(IdentifierKind::addresses, end->address.text());
        if (end->port != 0) found.add(IdentifierKind::endpoints, end->text());
    }
    if (hosts) found.add(IdentifierKind::connections, flow.key.flow_id());
    const std::uint16_t higher = std::max(flow.src.port, flow.dst.port);
    if (higher >= first_client_port && flow.src.port != flow.dst.port)
        found.add(IdentifierKind::client_ports,
                  fmt::format("{}/{}", protocol_name(flow.key.protocol), higher));
}

/// Both ends' clocks and initial sequence numbers.
void add_tcp_numbers(const ObservedSample& sample, const FlowPackets& flow, Collector& found) {
    bool clock_seen[2] = {false, false};
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        const Headers headers = sample.headers(flow.packets[i]);
        if (!headers.has_tcp()) continue;
        const std::uint8_t* const tcp = headers.tcp();
        if ((tcp[13] & tcp_flag::syn) != 0)
            found.add(IdentifierKind::initial_sequences, std::to_string(load32(tcp + 4)));
        bool& seen = clock_seen[static_cast<std::size_t>(flow.directions[i])];
        if (seen || !headers.transport_complete || headers.payload_offset == Headers::none) continue;
        TcpOptions options(tcp + 20, headers.payload_offset - headers.transport_offset - 20);
        while (options.next()) {
            if (options.kind() != tcp_option::timestamps || options.length() != 10) continue;
            const std::uint32_t value = load32(options.value());
            if (value != 0) found.add(IdentifierKind::tcp_timestamps, std::to_string(value));
            seen = true;
        }
    }
}

bool is_dns_port(std::uint16_t port) {
    return port == 53 || port == 5353 || port == 5355;
}

/// A DNS message over TCP stands behind its length (RFC 1035 section 4.2.2).
void add_names(const Headers& headers, Collector& found) {
    auto payload = captured_payload(headers);
    if (payload.empty()) return;
    const std::uint16_t src = load16(headers.transport()), dst = load16(headers.transport() + 2);
    if (is_dns_port(src) || is_dns_port(dst)) {
        if (headers.has_tcp()) payload = payload.subspan(std::min<std::size_t>(2, payload.size()));
        for (std::string& name : dns_question_names(payload))
            found.add(IdentifierKind::dns_names, std::move(name));
        return;
    }
    if (!headers.has_tcp()) return;
    if (auto name = tls_server_name(payload)) found.add(IdentifierKind::server_names, std::move(*name));
    if (auto name = http_host(payload)) found.add(IdentifierKind::http_hosts, std::move(*name));
}

}  // namespace

const char* identifier_kind_name(IdentifierKind kind) {
    constexpr std::array<const char*, identifier_kinds> names = {
        "addresses",    "macs",      "endpoints",  "connections",    "client_ports",
        "server_names", "dns_names", "http_hosts", "tcp_timestamps", "initial_sequences"};
    return names[static_cast<std::size_t>(kind)];
}

std::span<const std::uint8_t> captured_payload(const Headers& headers) {
    if (!headers.has_tcp() && !headers.has_udp()) return {};
    if (headers.is_fragment() || headers.payload_offset == Headers::none) return {};
    const std::uint32_t end = std::min(headers.ip_end, headers.captured);
    if (headers.payload_offset >= end) return {};
    return {headers.data + headers.payload_offset, end - headers.payload_offset};
}

Identifiers find_identifiers(const ObservedSample& sample) {
    Collector found;
    add_macs(sample.trace, found);
    for (const PacketView& packet : sample.trace.packets) add_names(dissect(packet), found);
    for (const FlowPackets& flow : sample.flows) {
        if (flow.packets.empty()) continue;
        add_ends(flow.flow, found);
        add_tcp_numbers(sample, flow, found);
    }
    return std::move(found.found);
}

}  // namespace tracebench
