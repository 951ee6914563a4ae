#pragma once
/// The flow features of CICFlowMeter, which most intrusion-detection and VPN data sets are published with.
///
/// Lashkari et al., "Characterization of Tor Traffic Using Time Based Features", ICISSP 2017; names, order
/// and units are those of version 4 (github.com/ahlashkari/CICFlowMeter, FlowFeature.java), so that columns
/// can be put beside published ones. Lengths are payload bytes, times microseconds, and what is not defined
/// is 0 (a deviation of one value, a rate of a flow without duration, which the original writes as Infinity
/// or NaN).
///
/// Where the original has an error, the feature is what its description says (Engelen, Rimmer, Joosen,
/// "Troubleshooting an Intrusion Detection Dataset: the CICIDS2017 Case Study", IEEE SPW 2021, and Liu et
/// al., IEEE CNS 2022, find most of them). That concerns: the first packet's length, which it counts twice in
/// Packet Length *; Fwd/Bwd PSH and URG Flags, which it counts in the first packet only; Bwd Init Win Bytes,
/// which it overwrites with every packet; Fwd Act Data Pkts, where it leaves out the first packet; bulks,
/// nearly all of which it gives to the backward direction because it compares references to addresses;
/// Subflow *, where it divides by one subflow too few and gives 0 for one; the ratios and averages that it
/// computes in integers (Down/Up Ratio, bulks, subflows); flags, windows and times of IPv6. The column Fwd
/// Header Length, which older versions have twice, is there once. Fwd Seg Size Min is, as in the original and
/// in all published data, the shortest transport *header*.
///
/// Flows are those of FlowTable: they end by idle time, while the original cuts them 120 s after their start.

#include <array>
#include <cstdint>
#include <span>

#include "metrics/flow/moments.h"
#include "traffic/flow_table.h"

namespace tracebench {

struct CicFeature {
    const char* name;  ///< `Fwd IAT Mean`
    const char* unit;  ///< "us", "bytes", "packets", "1", ...
};

inline constexpr std::size_t cic_feature_count = 76;
/// From Flow Duration to Idle Min, in the order of the original's columns.
std::span<const CicFeature> cic_features();

/// What one packet adds to its flow's features.
struct CicPacket {
    std::int64_t time_ns = 0;
    Direction direction = Direction::forward;
    std::uint32_t payload = 0;  ///< bytes after the transport header, on the wire
    std::uint32_t header = 0;   ///< bytes of the transport header; 0 where there is none or it is unknown
    std::uint16_t window = 0;   ///< of TCP
    std::uint8_t flags = 0;     ///< of TCP
};
/// Requires headers.has_ip(). Later fragments and protocols without a known header count with all that the
/// IP packet carries.
CicPacket cic_packet(const PacketView& packet, const Headers& headers, Direction direction);

/// One flow, packet by packet in constant space. A packet that is older than the one before it counts as of
/// the same time.
class CicFlow {
  public:
    static constexpr double activity_timeout_s = 5;  ///< a longer silence ends an active period
    static constexpr double subflow_gap_s = 1;       ///< a longer silence begins another subflow, or bulk
    static constexpr std::uint32_t bulk_packets = 4;

    void add(const CicPacket& packet);
    /// In cic_features() order; all finite. Zeros before the first packet.
    std::array<double, cic_feature_count> values() const;

  private:
    /// A bulk is at least four packets with payload of one direction, none of the other between them, and no
    /// silence of more than a second.
    struct Bulk {
        void add(const CicPacket& packet, const Bulk& other);
        std::uint64_t bulks = 0, packets = 0, bytes = 0;
        std::int64_t duration_ns = 0;
        /// The run of packets that may become or is a bulk.
        std::int64_t start_ns = 0, last_ns = 0;
        std::uint64_t run_packets = 0, run_bytes = 0;
    };
    struct Side {
        Moments lengths, gaps_us;
        Bulk bulk;
        std::uint64_t header_bytes = 0, psh = 0, urg = 0, with_data = 0;
        std::uint32_t shortest_header = 0;
        std::uint16_t first_window = 0;
        std::int64_t last_ns = 0;
    };

    void track_activity(std::int64_t now_ns);

    Side sides_[2];
    Moments lengths_, gaps_us_, active_us_, idle_us_;
    std::uint64_t flags_[8] = {};  ///< packets with each flag, by its bit
    std::uint64_t subflows_ = 0;
    std::int64_t first_ns_ = 0, last_ns_ = 0, active_since_ns_ = 0;
};

}  // namespace tracebench
