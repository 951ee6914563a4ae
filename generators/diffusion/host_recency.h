#pragma once
/// Which host a flow's end is, said without its address.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "generators/fresh_identifiers.h"
#include "traffic/flow_key.h"

namespace tracebench::diffusion {

/// Addresses as the 32 bits of model_rows.h and back. Encoding and decoding the same flows step by step keep
/// the same order of hosts.
class HostRecency {
  public:
    /// decode() makes no more than `most` hosts where it can do with those there are.
    explicit HostRecency(std::optional<std::size_t> most = {}) : most_(most) {}

    std::uint32_t encode(const IpAddress& address);
    /// An address drawn for a host not seen before, or the latest one where there are `most` already; `other`
    /// is the flow's other end, which it will not be.
    IpAddress decode(std::uint32_t code, std::uint8_t version, const IpAddress& other, FreshAddresses& fresh);

    /// Whether encode() says this of a host not seen before.
    static bool is_new(std::uint32_t code);

  private:
    std::vector<IpAddress>& hosts(std::uint8_t version) { return hosts_[version == 6]; }
    void use(const IpAddress& address);

    std::optional<std::size_t> most_;
    std::vector<IpAddress> hosts_[2];  ///< IPv4, IPv6; latest last
};

}  // namespace tracebench::diffusion
