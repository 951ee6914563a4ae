#pragma once
/// Addresses, ports and times for made-up sessions: of the same kind as real ones, but nobody's.

#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "base/random.h"
#include "traffic/flow_key.h"

namespace tracebench {

using MacAddress = std::array<std::uint8_t, 6>;

enum class AddressKind {
    fixed,        ///< means the same everywhere: multicast, broadcast, loopback, unspecified
    private_net,  ///< RFC 1918, RFC 6598, RFC 3927, RFC 4193, IPv6 link-local
    global,
};
AddressKind address_kind(const IpAddress& address);

/// Locally administered, of one unicast station.
MacAddress random_mac(Random& random);
/// Where an IP multicast or broadcast address is sent on Ethernet (RFC 1112, RFC 2464); `otherwise` for
/// unicast addresses.
MacAddress multicast_mac(const IpAddress& address, const MacAddress& otherwise);
/// A port of the same range: dynamic (49152 and up), Linux's ephemeral (32768-60999), registered.
std::uint16_t random_port_like(std::uint16_t original, Random& random);
/// A whole second in 2024, in nanoseconds, plus a random fraction.
std::int64_t random_start_ns(Random& random);

/// Replaces addresses one for one. Private addresses stay in their block and neighbours in a /24 stay
/// neighbours (0 and 255 stay as they are); global ones go to the blocks set aside for benchmarks,
/// 198.18.0.0/15 (RFC 2544) and 2001:2::/48 (RFC 5180), so that a replay reaches nobody. IPv6 solicited-node
/// groups follow their address. Fixed addresses stay. Where a block is used up (254 hosts drawn in a private
/// /24, some 100,000 global IPv4 addresses) two may become one.
class FreshAddresses {
  public:
    explicit FreshAddresses(Random& random) : random_(random) {}
    /// The same answer for the same address.
    IpAddress replace(const IpAddress& original);
    /// Another one each time, of the same kind as `like` (fixed addresses stay).
    IpAddress draw(const IpAddress& like);
    MacAddress replace(const MacAddress& original);

  private:
    IpAddress draw4(const IpAddress& original);
    IpAddress draw6(const IpAddress& original);
    std::array<std::uint8_t, 3> private_prefix(const IpAddress& original);
    std::array<std::uint8_t, 3> low_bytes6(const IpAddress& original);

    Random& random_;
    std::map<IpAddress, IpAddress> addresses_;
    std::set<IpAddress> taken_;
    std::map<std::array<std::uint8_t, 3>, std::array<std::uint8_t, 3>> prefixes_, low_bytes_;
    std::set<std::array<std::uint8_t, 3>> taken_prefixes_;
    std::map<std::array<std::uint8_t, 8>, std::array<std::uint8_t, 8>> networks_;
    std::map<MacAddress, MacAddress> macs_;
};

}  // namespace tracebench
