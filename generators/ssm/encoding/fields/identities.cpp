#include "generators/ssm/encoding/fields/identities.h"

#include <algorithm>
#include <map>

#include "generators/ssm/encoding/fields/extent.h"
#include "generators/ssm/encoding/fields/gap.h"

namespace tracebench::ssm {
namespace {

/// A host of each kind, to draw others like it.
IpAddress example(int kind) {
    switch (kind) {
        case code::new_10:
            return {4, {10, 0, 0, 2}};
        case code::new_172:
            return {4, {172, 16, 0, 2}};
        case code::new_192:
            return {4, {192, 168, 0, 2}};
        case code::new_169:
            return {4, {169, 254, 1, 2}};
        case code::new_100:
            return {4, {100, 64, 0, 2}};
        case code::new_link6:
            return {6, {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
        case code::new_unique6:
            return {6, {0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
        case code::new_global6:
            return {6, {0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
        default:
            return {4, {8, 8, 8, 8}};
    }
}

class Replay : public Identities {
  public:
    explicit Replay(const RecordedIdentities& recorded) : recorded_(recorded) {}

    PacketIdentity packet(int) override { return take(recorded_.packets, packet_); }
    IpAddress address(int kind) override {
        return address_ < recorded_.addresses.size() ? take(recorded_.addresses, address_) : example(kind);
    }
    std::uint16_t port(int) override { return take(recorded_.ports, port_); }
    std::uint64_t extent(int bucket) override {
        return extent_ < recorded_.extents.size() ? take(recorded_.extents, extent_)
                                                  : extent_range(bucket).first;
    }
    bool redraws() const override { return false; }
    std::pair<MacAddress, MacAddress> macs(const IpAddress&, const IpAddress&) override {
        // The packet's own are asked for after packet() gave them.
        if (packet_ == 0 || packet_ > recorded_.packets.size()) return {};
        const PacketIdentity& last = recorded_.packets[packet_ - 1];
        return {last.src_mac, last.dst_mac};
    }

  private:
    template <typename T>
    static T take(const std::vector<T>& values, std::size_t& at) {
        return at < values.size() ? values[at++] : T{};
    }

    const RecordedIdentities& recorded_;
    std::size_t packet_ = 0, address_ = 0, port_ = 0, extent_ = 0;
};

class Fresh : public Identities {
  public:
    explicit Fresh(std::uint64_t seed)
        : random_(stream_seed(seed, "identities")), addresses_(random_), gateway_(random_mac(random_)) {}

    PacketIdentity packet(int gap_bucket) override {
        PacketIdentity identity;
        identity.gap_offset_ns = gap_bucket < 0 ? random_start_ns(random_)
                                                : static_cast<std::int64_t>(random_.below(
                                                      static_cast<std::uint64_t>(gap_width_ns(gap_bucket))));
        identity.sequence = static_cast<std::uint32_t>(random_.bits());
        identity.acknowledgement = static_cast<std::uint32_t>(random_.bits());
        identity.timestamp = static_cast<std::uint32_t>(random_.bits());
        identity.echo = static_cast<std::uint32_t>(random_.bits());
        identity.ip_id = static_cast<std::uint16_t>(1 + random_.below(65535));
        identity.flow_label = static_cast<std::uint32_t>(1 + random_.below(0xFFFFF));
        identity.icmp_rest = static_cast<std::uint32_t>(random_.below(65536)) << 16 | 1;
        identity.src_mac = random_mac(random_);
        identity.dst_mac = random_mac(random_);
        for (std::uint8_t& byte : identity.payload) byte = static_cast<std::uint8_t>(random_.below(256));
        return identity;
    }
    IpAddress address(int kind) override { return addresses_.draw(example(kind)); }
    std::uint64_t extent(int bucket) override {
        const auto [first, width] = extent_range(bucket);
        return first + random_.below(width);
    }
    std::uint16_t port(int kind) override {
        const std::uint16_t like = kind == code::ephemeral_dynamic  ? 50000
                                   : kind == code::ephemeral_middle ? 40000
                                                                    : 2000;
        return random_port_like(like, random_);
    }
    bool redraws() const override { return true; }
    /// Private hosts have their own, everybody else is behind the gateway.
    std::pair<MacAddress, MacAddress> macs(const IpAddress& src, const IpAddress& dst) override {
        const MacAddress from = mac_of(src);
        return {from, multicast_mac(dst, mac_of(dst))};
    }

  private:
    MacAddress mac_of(const IpAddress& address) {
        if (address_kind(address) == AddressKind::global && local_global_.has_value() &&
            *local_global_ != address)
            return gateway_;
        // Where the first sender has a global address (IPv6 hosts do) it is still on this network.
        if (address_kind(address) == AddressKind::global && !local_global_) local_global_ = address;
        if (macs_.size() > 4096) macs_.clear();
        auto [mac, is_new] = macs_.try_emplace(address);
        if (is_new) mac->second = random_mac(random_);
        return mac->second;
    }

    Random random_;
    FreshAddresses addresses_;
    MacAddress gateway_;
    std::optional<IpAddress> local_global_;
    std::map<IpAddress, MacAddress> macs_;
};

}  // namespace

std::unique_ptr<Identities> replay_identities(const RecordedIdentities& recorded) {
    return std::make_unique<Replay>(recorded);
}

std::unique_ptr<Identities> fresh_identities(std::uint64_t seed) {
    return std::make_unique<Fresh>(seed);
}

int new_host_kind(const IpAddress& address) {
    const AddressKind kind = address_kind(address);
    if (kind == AddressKind::fixed) return no_new_host;
    const auto& b = address.bytes;
    if (address.version == 6) {
        if (kind == AddressKind::global) return code::new_global6;
        return b[0] == 0xFE ? code::new_link6 : code::new_unique6;
    }
    if (kind == AddressKind::global) return code::new_global4;
    switch (b[0]) {
        case 10:
            return code::new_10;
        case 172:
            return code::new_172;
        case 192:
            return code::new_192;
        case 169:
            return code::new_169;
        default:
            return code::new_100;
    }
}

}  // namespace tracebench::ssm
