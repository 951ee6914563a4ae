#pragma once
/// Flows, sessions and packets as vectors of features.

#include <string>
#include <vector>

#include "metrics/joint/points.h"
#include "metrics/metric.h"

namespace tracebench {

/// One field of a vector. Names are those of all_fields(), where there is such a field.
struct Feature {
    std::string name;
    FieldKind kind = FieldKind::continuous;  ///< of packets: categorical ones have no place in a correlation
    bool log = false;                        ///< spans decades: its logarithm is compared
};

/// Flow fields but ports, which are codes; the protocol as two features, TCP or not and UDP or not. A fixed
/// list, so that values stay comparable where fields are added.
const std::vector<Feature>& joint_flow_features();
/// Fields that every session has one value of: a fixed list likewise.
const std::vector<Feature>& joint_session_features();
/// Fields of a packet's own.
const std::vector<Feature>& joint_packet_features();

/// The vectors of one set of samples, one a flow, session (sample without packets: none) and packet, in order
/// of the feature lists. NaN where a packet, flow or session does not have the field. Flow and session
/// features that span decades are logarithms of the value plus 1e-6, which keeps zero durations apart from
/// short ones; packet fields are as they are.
struct FeatureVectors {
    static constexpr std::size_t max_packets = 100'000, max_flows = 100'000;

    /// Of more flows than `max_flows` as many at random.
    Points flows, sessions;
    /// Thinned at random, each packet alike, to about `max_packets` where there are more.
    Points packets;
};

FeatureVectors feature_vectors(const SampleSet& set);

/// Those packet fields that are numbers, logarithms where they span decades.
Points packet_numbers(const Points& packets);

}  // namespace tracebench
