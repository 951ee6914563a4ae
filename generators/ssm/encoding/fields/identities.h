#pragma once
/// What the model does not say: who talks (addresses, MACs, ephemeral ports), where counters begin, noise of
/// clocks. When a capture is encoded these are set aside, so that tokens and identities together give it back
/// exactly; when one is generated they are drawn afresh, so that nobody's identifiers are learned or leaked.

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "generators/fresh_identifiers.h"
#include "generators/ssm/encoding/fields/vocabulary.h"

namespace tracebench::ssm {

/// Of one packet; each is used only where the packet needs it.
struct PacketIdentity {
    std::int64_t gap_offset_ns =
        0;                       ///< inside the inter-arrival time's bucket; of the first packet: its time
    std::uint32_t sequence = 0;  ///< where a sender's numbers begin
    std::uint32_t acknowledgement = 0;  ///< of a peer that was not seen
    std::uint32_t timestamp = 0;        ///< where a sender's clock begins
    std::int32_t timestamp_noise = 0;   ///< what it shows, minus what it should show
    std::uint32_t echo = 0;             ///< of a clock that was not seen
    std::uint16_t ip_id = 0;
    std::uint32_t flow_label = 0;
    std::uint32_t icmp_rest = 0;
    MacAddress src_mac{}, dst_mac{};
    std::array<std::uint8_t, code::payload_bytes> payload{};  ///< where payload bytes are unpredictable
};

class Identities {
  public:
    virtual ~Identities() = default;
    /// Of the next packet, whose inter-arrival time lies in this bucket (-1: the trace's first packet).
    virtual PacketIdentity packet(int gap_bucket) = 0;
    /// An address for a new host: `kind` is a value of Item::source_host from new_10 to new_global6.
    virtual IpAddress address(int kind) = 0;
    /// An ephemeral port: `kind` is one of code::Port.
    virtual std::uint16_t port(int kind) = 0;
    /// Whether what cannot be had may be drawn again; recorded ones are right even so.
    virtual bool redraws() const = 0;
    /// A number of packets or flows from a bucket of extent.h.
    virtual std::uint64_t extent(int bucket) = 0;
    /// MAC addresses of a flow's first packet.
    virtual std::pair<MacAddress, MacAddress> macs(const IpAddress& src, const IpAddress& dst) = 0;
};

/// In the order in which they were used.
struct RecordedIdentities {
    std::vector<PacketIdentity> packets;
    std::vector<IpAddress> addresses;
    std::vector<std::uint16_t> ports;
    std::vector<std::uint64_t> extents;
};
/// Gives them back one after another; defaults where there are no more. `recorded` must outlive it.
std::unique_ptr<Identities> replay_identities(const RecordedIdentities& recorded);

/// Drawn from the seed: private hosts neighbours in one network, global ones from the blocks set aside for
/// benchmarks (see FreshAddresses), start times in 2024.
std::unique_ptr<Identities> fresh_identities(std::uint64_t seed);

/// What kind of new host an address would be; nothing for those that mean the same everywhere.
int new_host_kind(const IpAddress& address);
inline constexpr int no_new_host = -1;

}  // namespace tracebench::ssm
