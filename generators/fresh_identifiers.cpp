#include "generators/fresh_identifiers.h"

#include <algorithm>

namespace tracebench {
namespace {

constexpr int max_draws = 64;  // until a collision is accepted

std::uint8_t random_byte(Random& random) {
    return static_cast<std::uint8_t>(random.below(256));
}

/// Leading bits of an IPv4 private block, and how many: {10.0.0.0, 8}.
struct Block {
    std::array<std::uint8_t, 4> start;
    int bits;
};
constexpr Block private_blocks[] = {{{10, 0, 0, 0}, 8},
                                    {{172, 16, 0, 0}, 12},
                                    {{192, 168, 0, 0}, 16},
                                    {{169, 254, 0, 0}, 16},
                                    {{100, 64, 0, 0}, 10}};

std::uint32_t as_number(const std::uint8_t* bytes) {
    return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
           static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

const Block* private_block(const IpAddress& address) {
    for (const Block& block : private_blocks)
        if ((as_number(address.bytes.data()) ^ as_number(block.start.data())) >> (32 - block.bits) == 0)
            return &block;
    return nullptr;
}

bool is_solicited_node(const IpAddress& address) {
    static constexpr std::uint8_t group[13] = {0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF};
    return address.version == 6 && std::equal(std::begin(group), std::end(group), address.bytes.begin());
}

bool is_link_local6(const IpAddress& address) {
    return address.bytes[0] == 0xFE && (address.bytes[1] & 0xC0) == 0x80;
}

bool is_unique_local6(const IpAddress& address) {
    return (address.bytes[0] & 0xFE) == 0xFC;
}

}  // namespace

AddressKind address_kind(const IpAddress& address) {
    const auto& bytes = address.bytes;
    if (address.version == 4) {
        // This network, loopback, multicast and everything above it.
        if (bytes[0] == 0 || bytes[0] == 127 || bytes[0] >= 224) return AddressKind::fixed;
        return private_block(address) != nullptr ? AddressKind::private_net : AddressKind::global;
    }
    if (bytes[0] == 0xFF) return AddressKind::fixed;
    if (std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; }) && bytes[15] <= 1)
        return AddressKind::fixed;
    return is_link_local6(address) || is_unique_local6(address) ? AddressKind::private_net
                                                                : AddressKind::global;
}

MacAddress random_mac(Random& random) {
    MacAddress mac;
    for (std::uint8_t& byte : mac) byte = random_byte(random);
    mac[0] = static_cast<std::uint8_t>((mac[0] & 0xFC) | 0x02);
    return mac;
}

MacAddress multicast_mac(const IpAddress& address, const MacAddress& otherwise) {
    const auto& bytes = address.bytes;
    if (address.version == 6)
        return bytes[0] == 0xFF ? MacAddress{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}
                                : otherwise;
    if (bytes[0] >= 224 && bytes[0] < 240)
        return {0x01, 0x00, 0x5E, static_cast<std::uint8_t>(bytes[1] & 0x7F), bytes[2], bytes[3]};
    return as_number(bytes.data()) == 0xFFFFFFFF ? MacAddress{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF} : otherwise;
}

std::uint16_t random_port_like(std::uint16_t original, Random& random) {
    const auto between = [&](std::uint16_t low, std::uint16_t high) {
        return static_cast<std::uint16_t>(low + random.below(static_cast<std::uint64_t>(high - low) + 1));
    };
    if (original >= 49152) return between(49152, 65535);
    if (original >= 32768) return between(32768, 49151);
    if (original >= 1024) return between(1024, 32767);
    return original;
}

std::int64_t random_start_ns(Random& random) {
    constexpr std::int64_t year_start_s = 1'704'067'200;  // 2024-01-01
    constexpr std::uint64_t year_s = 366 * 86400;
    constexpr std::int64_t second = 1'000'000'000;
    const auto seconds = year_start_s + static_cast<std::int64_t>(random.below(year_s));
    return seconds * second + static_cast<std::int64_t>(random.below(second));
}

std::array<std::uint8_t, 3> FreshAddresses::private_prefix(const IpAddress& original) {
    const std::array<std::uint8_t, 3> old{original.bytes[0], original.bytes[1], original.bytes[2]};
    if (const auto known = prefixes_.find(old); known != prefixes_.end()) return known->second;
    const Block& block = *private_block(original);
    const auto prefix_bits = static_cast<unsigned>(24 - block.bits);
    const std::uint32_t start = as_number(block.start.data()) >> 8, size = std::uint32_t{1} << prefix_bits;
    // As many prefixes go out as come in, so a free one is always found.
    std::array<std::uint8_t, 3> fresh;
    auto offset = static_cast<std::uint32_t>(random_.below(size));
    do {
        const std::uint32_t prefix = start | offset;
        fresh = {static_cast<std::uint8_t>(prefix >> 16), static_cast<std::uint8_t>(prefix >> 8),
                 static_cast<std::uint8_t>(prefix)};
        offset = (offset + 1) % size;
    } while (!taken_prefixes_.insert(fresh).second);
    return prefixes_[old] = fresh;
}

IpAddress FreshAddresses::draw4(const IpAddress& original) {
    IpAddress fresh;
    fresh.version = 4;
    if (address_kind(original) == AddressKind::private_net) {
        const auto prefix = private_prefix(original);
        std::copy(prefix.begin(), prefix.end(), fresh.bytes.begin());
        fresh.bytes[3] = original.bytes[3];
        if (original.bytes[3] == 0 || original.bytes[3] == 255) return fresh;
        fresh.bytes[3] = static_cast<std::uint8_t>(1 + random_.below(254));
        for (int step = 0; step < 254 && taken_.contains(fresh); ++step)
            fresh.bytes[3] = static_cast<std::uint8_t>(fresh.bytes[3] % 254 + 1);
        return fresh;
    }
    for (int draw = 0; draw < max_draws; ++draw) {
        fresh.bytes = {198, static_cast<std::uint8_t>(18 + random_.below(2)), random_byte(random_),
                       static_cast<std::uint8_t>(1 + random_.below(254))};
        if (!taken_.contains(fresh)) break;
    }
    return fresh;
}

/// One-for-one on the last three bytes, which solicited-node groups repeat (RFC 4291 section 2.7.1).
std::array<std::uint8_t, 3> FreshAddresses::low_bytes6(const IpAddress& original) {
    const std::array<std::uint8_t, 3> old{original.bytes[13], original.bytes[14], original.bytes[15]};
    if (const auto known = low_bytes_.find(old); known != low_bytes_.end()) return known->second;
    return low_bytes_[old] = {random_byte(random_), random_byte(random_), random_byte(random_)};
}

IpAddress FreshAddresses::draw6(const IpAddress& original) {
    IpAddress fresh = original;
    const auto low = low_bytes6(original);
    std::copy(low.begin(), low.end(), fresh.bytes.begin() + 13);
    if (is_solicited_node(original)) return fresh;
    if (!is_link_local6(original)) {  // a new network, the same for all of the old one's hosts
        std::array<std::uint8_t, 8> old{};
        std::copy_n(original.bytes.begin(), 8, old.begin());
        auto [network, is_new] = networks_.try_emplace(old);
        if (is_new && is_unique_local6(original)) {
            for (std::uint8_t& byte : network->second) byte = random_byte(random_);
            network->second[0] = 0xFD;
        } else if (is_new) {
            network->second = {0x20, 0x01, 0x00, 0x02, 0, 0, random_byte(random_), random_byte(random_)};
        }
        std::copy_n(network->second.begin(), 8, fresh.bytes.begin());
    }
    do {
        for (int i = 8; i < 13; ++i) fresh.bytes[static_cast<std::size_t>(i)] = random_byte(random_);
    } while (taken_.contains(fresh));
    return fresh;
}

IpAddress FreshAddresses::replace(const IpAddress& original) {
    if (address_kind(original) == AddressKind::fixed && !is_solicited_node(original)) return original;
    if (const auto known = addresses_.find(original); known != addresses_.end()) return known->second;
    const IpAddress fresh = original.version == 4 ? draw4(original) : draw6(original);
    taken_.insert(fresh);
    return addresses_[original] = fresh;
}

IpAddress FreshAddresses::draw(const IpAddress& like) {
    if (address_kind(like) == AddressKind::fixed) return like;
    IpAddress original = like;
    if (like.version == 6)
        for (std::size_t i = 13; i < 16; ++i) original.bytes[i] = random_byte(random_);
    const IpAddress fresh = like.version == 4 ? draw4(original) : draw6(original);
    taken_.insert(fresh);
    return fresh;
}

MacAddress FreshAddresses::replace(const MacAddress& original) {
    if (original[0] == 0x33 && original[1] == 0x33 && original[2] == 0xFF) {  // a solicited-node group's
        IpAddress group{
            6, {0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, original[3], original[4], original[5]}};
        return multicast_mac(replace(group), original);
    }
    if ((original[0] & 1) != 0 || original == MacAddress{}) return original;
    auto [mac, is_new] = macs_.try_emplace(original);
    if (is_new) mac->second = random_mac(random_);
    return mac->second;
}

}  // namespace tracebench
