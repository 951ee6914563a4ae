#include "classifiers/two_sample.h"
#include "traffic/flow_split.h"

namespace tracebench {

FeatureTable flow_rows(const std::vector<LabelledTrace>& samples) {
    std::vector<LabelledTrace> flows;
    for (const LabelledTrace& sample : samples) {
        for (const FlowPackets& flow : split_flows(sample.trace)) {
            LabelledTrace& one = flows.emplace_back(LabelledTrace{sample.id, sample.label, {}});
            // Views into the sample's memory, which outlives this function.
            for (const std::uint32_t packet : flow.packets)
                one.trace.packets.push_back(sample.trace.packets[packet]);
        }
    }
    return extract_features(flows, {FeatureKind::flow});
}

}  // namespace tracebench
