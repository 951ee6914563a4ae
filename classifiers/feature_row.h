#pragma once
/// One sample's features as they are computed: names beside values, so that the two cannot disagree.

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "traffic/trace.h"

namespace tracebench {

class FeatureRow {
  public:
    static constexpr float absent = std::numeric_limits<float>::quiet_NaN();

    void add(std::string name, double value) {
        names.push_back(std::move(name));
        values.push_back(static_cast<float>(value));
    }

    std::vector<std::string> names;
    std::vector<float> values;
};

/// Counts, sizes, times, flags, windows, bursts and flow structure. Sizes are by the IP header's own length,
/// so neither snap length nor link-layer padding shows. `up` is the direction of a flow's first packet. The
/// names are the same for every trace, an empty one included.
FeatureRow flow_features(const Trace& trace);

/// Addresses (numeric octets), ports and TTLs of the first three flows, MACs of the first Ethernet frame.
FeatureRow identifier_features(const Trace& trace);

/// Bits of the first `packets` packets that have a TCP, UDP, ICMP or IPv4 header: 1, 0, and -1 for absent.
/// What says who talks or when (addresses, ports, IP ID, TTL, sequence and acknowledgement numbers,
/// checksums, ICMP's rest of header, values of TCP options other than MSS and window scale: timestamps are
/// clocks) is left out, and so are IPv4 options and TCP options past their first 16 bytes: short snap lengths
/// cut them.
std::vector<float> nprint_features(const Trace& trace, std::size_t packets);
/// `p0.ipv4_ver_0`, ..., in the order of the values.
std::vector<std::string> nprint_feature_names(std::size_t packets);

}  // namespace tracebench
