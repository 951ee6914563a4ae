#pragma once
/// Flows as an attacker on privacy would compare them: as sequences, as points, and by whom they name.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace tracebench {

struct FlowRecord {
    std::uint32_t session = 0;  ///< which sample it is of
    std::size_t packets = 0;
    std::string sequence;          ///< SHA-256 of (direction, frame length, TCP flags) of every packet
    std::vector<double> features;  ///< flow_fields() without ports; NaN where one is not defined
};

/// What names a host or a connection. Multicast, broadcast and unspecified addresses are left out.
struct Identifiers {
    std::set<std::string> addresses;
    std::set<std::string> macs;         ///< of Ethernet frames
    std::set<std::string> endpoints;    ///< address and port
    std::set<std::string> connections;  ///< FlowKey::flow_id()
};

struct PrivacyView {
    std::vector<FlowRecord> flows;
    Identifiers identifiers;
    std::vector<std::string> labels;  ///< one a sample

    std::size_t sessions() const { return labels.size(); }
};

PrivacyView view_privacy(const std::vector<LabelledTrace>& samples);

}  // namespace tracebench
