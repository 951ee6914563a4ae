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

std::set<std::string>& of(Identifiers& identifiers, IdentifierKind kind) {
    return identifiers[static_cast<std::size_t>(kind)];
}

bool names_a_host(const IpAddress& address) {
    if (address.version == 4)  // 240/4 and above hold no hosts either
        return address.bytes[0] < 224 && address.bytes[0] != 0 && address.bytes[0] != 127;
    const bool only_zeros =
        std::all_of(address.bytes.begin(), address.bytes.end() - 1, [](auto b) { return b == 0; });
    const bool unspecified_or_loopback = only_zeros && address.bytes[15] <= 1;
    return address.version == 6 && address.bytes[0] != 0xFF && !unspecified_or_loopback;
}

void add_macs(const PacketView& packet, std::set<std::string>& macs) {
    if (packet.link != link_type::ethernet || packet.bytes.size() < 12) return;
    for (const std::size_t at : {std::size_t{0}, std::size_t{6}}) {
        const auto mac = packet.bytes.subspan(at, 6);
        const bool zero = std::all_of(mac.begin(), mac.end(), [](auto b) { return b == 0; });
        if ((mac[0] & 1) == 0 && !zero) macs.insert(fmt::format("{:02x}", fmt::join(mac, ":")));
    }
}

void add_ends(const Flow& flow, Identifiers& identifiers) {
    bool hosts = true;
    for (const Endpoint* end : {&flow.src, &flow.dst}) {
        if (!names_a_host(end->address)) {
            hosts = false;
            continue;
        }
        of(identifiers, IdentifierKind::addresses).insert(end->address.text());
        if (end->port != 0) of(identifiers, IdentifierKind::endpoints).insert(end->text());
    }
    if (hosts) of(identifiers, IdentifierKind::connections).insert(flow.key.flow_id());
    const std::uint16_t higher = std::max(flow.src.port, flow.dst.port);
    if (higher >= first_client_port && flow.src.port != flow.dst.port)
        of(identifiers, IdentifierKind::client_ports)
            .insert(fmt::format("{}/{}", protocol_name(flow.key.protocol), higher));
}

/// Both ends' clocks and initial sequence numbers.
void add_tcp_numbers(const ObservedSample& sample, const FlowPackets& flow, Identifiers& identifiers) {
    bool clock_seen[2] = {false, false};
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        const Headers& headers = sample.headers[flow.packets[i]];
        if (!headers.has_tcp()) continue;
        const std::uint8_t* const tcp = headers.tcp();
        if ((tcp[13] & tcp_flag::syn) != 0)
            of(identifiers, IdentifierKind::initial_sequences).insert(std::to_string(load32(tcp + 4)));
        bool& seen = clock_seen[static_cast<std::size_t>(flow.directions[i])];
        if (seen || !headers.transport_complete || headers.payload_offset == Headers::none) continue;
        TcpOptions options(tcp + 20, headers.payload_offset - headers.transport_offset - 20);
        while (options.next()) {
            if (options.kind() != tcp_option::timestamps || options.length() != 10) continue;
            const std::uint32_t value = load32(options.value());
            if (value != 0) of(identifiers, IdentifierKind::tcp_timestamps).insert(std::to_string(value));
            seen = true;
        }
    }
}

bool is_dns_port(std::uint16_t port) {
    return port == 53 || port == 5353 || port == 5355;
}

/// A DNS message over TCP stands behind its length (RFC 1035 section 4.2.2).
void add_names(const Headers& headers, Identifiers& identifiers) {
    auto payload = captured_payload(headers);
    if (payload.empty()) return;
    const std::uint16_t src = load16(headers.transport()), dst = load16(headers.transport() + 2);
    if (is_dns_port(src) || is_dns_port(dst)) {
        if (headers.has_tcp()) payload = payload.subspan(std::min<std::size_t>(2, payload.size()));
        for (std::string& name : dns_question_names(payload))
            of(identifiers, IdentifierKind::dns_names).insert(std::move(name));
        return;
    }
    if (!headers.has_tcp()) return;
    if (auto name = tls_server_name(payload))
        of(identifiers, IdentifierKind::server_names).insert(std::move(*name));
    if (auto name = http_host(payload)) of(identifiers, IdentifierKind::http_hosts).insert(std::move(*name));
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
    Identifiers identifiers;
    for (const PacketView& packet : sample.trace.packets)
        add_macs(packet, of(identifiers, IdentifierKind::macs));
    for (const Headers& headers : sample.headers) add_names(headers, identifiers);
    for (const FlowPackets& flow : sample.flows) {
        if (flow.packets.empty()) continue;
        add_ends(flow.flow, identifiers);
        add_tcp_numbers(sample, flow, identifiers);
    }
    return identifiers;
}

}  // namespace tracebench
