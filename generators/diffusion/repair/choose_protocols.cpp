#include <algorithm>
#include <array>
#include <bit>

#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

constexpr std::uint8_t transports[] = {ip_protocol::tcp, ip_protocol::udp, ip_protocol::icmp};

/// Columns of a transport's fixed header.
Field columns_of(std::uint8_t protocol) {
    if (protocol == ip_protocol::tcp) return {field::tcp, 160};
    return {protocol == ip_protocol::udp ? field::udp : field::icmp, 64};
}

double share_present(BitsView row, Field columns) {
    return static_cast<double>(count_present(row, columns.first, columns.width)) / columns.width;
}

/// What most rows say; of equals the least.
std::uint8_t most_frequent_protocol(const Draft& draft, const DraftFlow& flow) {
    std::array<std::uint32_t, 256> counts{};
    for (const std::uint32_t r : flow.rows) ++counts[get(draft.rows[r].bits, field::protocol)];
    return static_cast<std::uint8_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

/// Assigned (IANA), and not one that only IPv6 has: as the rule ipv4.protocol asks.
bool is_legal_in_ipv4(std::uint8_t protocol) {
    constexpr std::array<std::uint8_t, 7> ipv6_only{0, 43, 44, 58, 59, 60, 135};
    const bool assigned = protocol <= 145 || protocol == 253 || protocol == 254;
    return assigned && std::find(ipv6_only.begin(), ipv6_only.end(), protocol) == ipv6_only.end();
}

std::uint8_t nearest_transport(std::uint8_t protocol) {
    return *std::min_element(
        std::begin(transports), std::end(transports), [&](std::uint8_t a, std::uint8_t b) {
            return std::popcount(unsigned{a} ^ protocol) < std::popcount(unsigned{b} ^ protocol);
        });
}

void choose(const Draft& draft, DraftFlow& flow) {
    double best = 0, ipv4 = 0;
    for (const std::uint8_t transport : transports) {
        double sum = 0;
        for (const std::uint32_t r : flow.rows)
            sum += share_present(draft.rows[r].bits, columns_of(transport));
        if (sum > best) {
            best = sum;
            flow.protocol = transport;
        }
    }
    for (const std::uint32_t r : flow.rows) ipv4 += share_present(draft.rows[r].bits, {0, 160});
    const auto rows = static_cast<double>(flow.rows.size());
    flow.has_transport = 2 * best >= rows;
    flow.ipv6 = 2 * ipv4 < rows && flow.has_transport && flow.protocol != ip_protocol::icmp;
    if (flow.has_transport) return;
    flow.protocol = most_frequent_protocol(draft, flow);
    if (!is_legal_in_ipv4(flow.protocol)) flow.protocol = nearest_transport(flow.protocol);
}

}  // namespace

void choose_protocols(Draft& draft) {
    for (DraftFlow& flow : draft.flows) choose(draft, flow);
}

}  // namespace tracebench::diffusion
