#include "metrics/flow/ipfix_record.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracebench {
namespace {

/// Rounded down, as it is for times before 1970.
std::int64_t milliseconds(std::int64_t ns) {
    return ns / 1'000'000 - (ns % 1'000'000 < 0 ? 1 : 0);
}

std::string of_version(const IpAddress& address, std::uint8_t version) {
    return address.version == version ? address.text() : std::string();
}

}  // namespace

void IpfixRecord::add(const Headers& headers, Direction direction) {
    const std::uint8_t* const ip = headers.ip();
    const bool v4 = headers.ip_version == 4;
    const std::uint8_t ttl = v4 ? ip[8] : ip[7];
    const std::uint32_t length = headers.ip_end - headers.ip_offset;
    Side& side = sides_[static_cast<std::size_t>(direction)];
    if (side.packets == 0) {
        side.class_of_service = v4 ? ip[1] : static_cast<std::uint8_t>((ip[0] & 0x0F) << 4 | ip[1] >> 4);
        side.shortest = length;
        side.least_ttl = ttl;
    }
    const bool first = sides_[0].packets + sides_[1].packets == 0;
    if (first && (headers.has_icmp() || headers.has_icmpv6())) {
        icmp_ = true;
        icmp_type_code_ = static_cast<std::uint16_t>(headers.transport()[0] << 8 | headers.transport()[1]);
    }
    ++side.packets;
    side.octets += length;
    side.shortest = std::min(side.shortest, length);
    side.longest = std::max(side.longest, length);
    side.least_ttl = std::min(side.least_ttl, ttl);
    side.most_ttl = std::max(side.most_ttl, ttl);
}

std::string IpfixRecord::csv_header() {
    std::string header =
        "sourceIPv4Address,destinationIPv4Address,sourceIPv6Address,destinationIPv6Address,"
        "sourceTransportPort,destinationTransportPort,protocolIdentifier,vlanId,flowStartMilliseconds,"
        "flowEndMilliseconds,flowDurationMilliseconds,icmpTypeCodeIPv4,icmpTypeCodeIPv6";
    for (const char* name : {"octetDeltaCount", "packetDeltaCount", "tcpControlBits", "ipClassOfService",
                             "minimumTTL", "maximumTTL", "minimumIpTotalLength", "maximumIpTotalLength"}) {
        header += fmt::format(",{}", name);
    }
    for (const char* name : {"OctetDeltaCount", "PacketDeltaCount", "TcpControlBits", "IpClassOfService",
                             "MinimumTTL", "MaximumTTL", "MinimumIpTotalLength", "MaximumIpTotalLength"}) {
        header += fmt::format(",reverse{}", name);
    }
    return header;
}

std::string IpfixRecord::csv_row(const Flow& flow) const {
    const bool v4 = flow.src.address.version == 4;
    const bool tcp = flow.key.protocol == ip_protocol::tcp;
    const std::string icmp = icmp_ ? fmt::format("{}", icmp_type_code_) : std::string();
    std::string row =
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}", of_version(flow.src.address, 4),
                    of_version(flow.dst.address, 4), of_version(flow.src.address, 6),
                    of_version(flow.dst.address, 6), flow.src.port, flow.dst.port, flow.key.protocol,
                    flow.key.vlan == Headers::no_vlan ? std::string() : fmt::format("{}", flow.key.vlan),
                    milliseconds(flow.first_ns), milliseconds(flow.last_ns),
                    milliseconds(flow.last_ns) - milliseconds(flow.first_ns), v4 ? icmp : "", v4 ? "" : icmp);
    for (std::size_t d = 0; d < 2; ++d) {
        const Side& side = sides_[d];
        row += fmt::format(",{},{},", side.octets, side.packets);
        if (tcp) row += fmt::format("{}", flow.tcp_flags[d]);
        if (side.packets == 0) {
            row += ",,,,,";
            continue;
        }
        row += fmt::format(",{},{},{},{},{}", side.class_of_service, side.least_ttl, side.most_ttl,
                           side.shortest, side.longest);
    }
    return row;
}

}  // namespace tracebench
