#include "generators/diffusion/host_recency.h"

#include <algorithm>

namespace tracebench::diffusion {
namespace {

constexpr std::uint32_t private_octet = 10, global_octet = 198, unspecified_octet = 1;
constexpr std::uint32_t group_from = 224;  // first octet of IPv4 multicast; broadcast is above
constexpr std::uint32_t most_places = 255;

std::uint32_t first_four(const IpAddress& address) {
    const auto& b = address.bytes;
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

IpAddress ipv4_address(std::uint32_t value) {
    IpAddress address;
    address.version = 4;
    for (std::size_t i = 0; i < 4; ++i) address.bytes[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    return address;
}

bool is_group(const IpAddress& address) {
    return address.version == 6 ? address.bytes[0] == 0xFF : address.bytes[0] >= group_from;
}

bool is_unspecified(const IpAddress& address) {
    return std::all_of(address.bytes.begin(), address.bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::uint32_t group_code(const IpAddress& address) {
    if (address.version == 4) return first_four(address);
    const auto& b = address.bytes;
    return 0xFF000000U | std::uint32_t{b[1]} << 16 | std::uint32_t{b[14]} << 8 | b[15];
}

IpAddress group_address(std::uint32_t code, std::uint8_t version) {
    if (version == 4) return ipv4_address(code);
    IpAddress address;
    address.version = 6;
    address.bytes[0] = 0xFF;
    address.bytes[1] = static_cast<std::uint8_t>(code >> 16);
    address.bytes[14] = static_cast<std::uint8_t>(code >> 8);
    address.bytes[15] = static_cast<std::uint8_t>(code);
    return address;
}

/// What a fresh address is to be like: a neighbour of all other private hosts, or somewhere in the world.
IpAddress model_address(bool global, std::uint8_t version) {
    if (version == 4) return ipv4_address(global ? 0x08080808U : 0x0A000001U);
    IpAddress address;
    address.version = 6;
    address.bytes[0] = global ? 0x20 : 0xFD;
    address.bytes[1] = global ? 0x01 : 0x00;
    return address;
}

}  // namespace

void HostRecency::use(const IpAddress& address) {
    std::vector<IpAddress>& known = hosts(address.version);
    std::erase(known, address);
    known.push_back(address);
}

std::uint32_t HostRecency::encode(const IpAddress& address) {
    if (is_group(address)) return group_code(address);
    if (is_unspecified(address)) return unspecified_octet << 24;
    const bool global = address_kind(address) == AddressKind::global;
    const std::vector<IpAddress>& known = hosts(address.version);
    const auto found = std::find(known.rbegin(), known.rend(), address);
    const auto place = static_cast<std::size_t>(found - known.rbegin()) + 1;
    const std::uint32_t low =
        found == known.rend() || place > most_places ? 0 : static_cast<std::uint32_t>(place);
    use(address);
    return (global ? global_octet : private_octet) << 24 | low;
}

bool HostRecency::is_new(std::uint32_t code) {
    return code == private_octet << 24 || code == global_octet << 24;
}

IpAddress HostRecency::decode(std::uint32_t code, std::uint8_t version, const IpAddress& other,
                              FreshAddresses& fresh) {
    const std::uint32_t first = code >> 24, place = code & 0xFF;
    if (version == 6 ? first == 0xFF : first >= group_from) return group_address(code, version);
    if (first == unspecified_octet) {
        IpAddress unspecified;
        unspecified.version = version;
        return unspecified;
    }
    const std::vector<IpAddress>& known = hosts(version);
    IpAddress address;
    if (place >= 1 && place <= known.size()) address = known[known.size() - place];
    const bool global = (first & 0xC0) == 0xC0;  // 198 rather than 10
    if (address.version == 0 && most_ && hosts_[0].size() + hosts_[1].size() >= *most_) {
        const auto latest = [&](bool of_any_kind) {
            const auto found = std::find_if(known.rbegin(), known.rend(), [&](const IpAddress& host) {
                return host != other &&
                       (of_any_kind || (address_kind(host) == AddressKind::global) == global);
            });
            return found == known.rend() ? IpAddress{} : *found;
        };
        address = latest(false);
        if (address.version == 0) address = latest(true);
    }
    if (address.version == 0 || address == other) {
        do {
            address = fresh.draw(model_address(global, version));
        } while (address == other);
    }
    use(address);
    return address;
}

}  // namespace tracebench::diffusion
