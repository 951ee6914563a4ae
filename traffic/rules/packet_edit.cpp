#include "traffic/rules/packet_edit.h"

#include <algorithm>

#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

void store_ip_length(const RulePacket& p, MutablePacket& packet, std::uint32_t end) {
    std::uint8_t* const ip = net(p, packet);
    if (p.network_layer == RuleLayer::ipv4) {
        store16(ip + 2, static_cast<std::uint16_t>(end - p.network));
    } else {
        store16(ip + 4, static_cast<std::uint16_t>(end - p.network - 40));
    }
}

}  // namespace

void set_ip_end(const RulePacket& p, MutablePacket& packet, std::uint32_t end) {
    const bool whole = packet.bytes.size() >= packet.original_length;
    if (end <= p.end) {
        packet.bytes.resize(std::min<std::size_t>(packet.bytes.size(), end));
        packet.original_length = end;
    } else {
        const std::size_t zero_from = std::min<std::size_t>(p.end, packet.bytes.size());
        const std::size_t zero_to = std::min<std::size_t>(end, packet.bytes.size());
        std::fill(packet.bytes.begin() + static_cast<std::ptrdiff_t>(zero_from),
                  packet.bytes.begin() + static_cast<std::ptrdiff_t>(std::max(zero_from, zero_to)),
                  std::uint8_t{0});
        packet.original_length = std::max(packet.original_length, end);
        if (whole) packet.bytes.resize(std::max<std::size_t>(packet.bytes.size(), end));
    }
    store_ip_length(p, packet, end);
}

void remove_tcp_option(const RulePacket& p, MutablePacket& packet, std::uint8_t kind) {
    std::uint8_t* const tcp = segment(p, packet);
    const std::uint32_t size = (tcp[12] >> 4) * 4U - 20;
    TcpOptions options(tcp + 20, size);
    // Overwriting the current option does not disturb the walk: its length was read already.
    while (options.next())
        if (options.kind() == kind)
            std::fill_n(tcp + 20 + options.offset(), options.length(), tcp_option::nop);
}

void set_tcp_timestamps(const RulePacket& p, MutablePacket& packet, std::uint32_t value, std::uint32_t echo) {
    std::uint8_t* tcp = segment(p, packet);
    const std::uint32_t header = (tcp[12] >> 4) * 4U;
    TcpOptions options(tcp + 20, header - 20);
    while (options.next()) {
        if (options.kind() != tcp_option::timestamps || options.length() != 10) continue;
        store32(tcp + 20 + options.offset() + 2, value);
        store32(tcp + 20 + options.offset() + 6, echo);
        return;
    }
    constexpr std::uint32_t added = 12;  // two no-operations keep the words aligned (RFC 7323 appendix A)
    if (header + added > 60) {
        std::fill_n(tcp + 20, header - 20, tcp_option::nop);
    } else {
        packet.bytes.insert(packet.bytes.begin() + p.transport + 20, added, tcp_option::nop);
        packet.original_length += added;
        store_ip_length(p, packet, p.end + added);
        tcp = segment(p, packet);
        tcp[12] = static_cast<std::uint8_t>(tcp[12] + (3 << 4));
    }
    tcp[22] = tcp_option::timestamps;
    tcp[23] = 10;
    store32(tcp + 24, value);
    store32(tcp + 28, echo);
}

void cut_tcp_payload(const RulePacket& p, MutablePacket& packet, std::uint32_t size) {
    const std::uint32_t header = (p.segment()[12] >> 4) * 4U;
    set_ip_end(p, packet, std::min(p.end, p.transport + header + size));
}

}  // namespace tracebench
