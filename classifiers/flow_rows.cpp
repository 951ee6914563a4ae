#include "classifiers/flow_rows.h"

#include <algorithm>

#include "base/random.h"
#include "traffic/flow_split.h"

namespace tracebench {

std::size_t rows_per_session(std::span<const std::size_t> rows, std::size_t max_rows) {
    std::size_t low = 0, high = max_rows;  // low is possible, everything above high is not
    while (low < high) {
        const std::size_t limit = low + (high - low + 1) / 2;
        std::size_t kept = 0;
        for (const std::size_t count : rows) kept += std::min(count, limit);
        kept <= max_rows ? low = limit : high = limit - 1;
    }
    return low;
}

FeatureTable flow_rows(const Samples& samples, std::size_t max_rows, std::uint64_t seed) {
    std::vector<std::size_t> counts;
    for (const LabelledTrace& sample : samples) counts.push_back(split_flows(sample.trace).size());
    const std::size_t limit = std::max<std::size_t>(rows_per_session(counts, max_rows), 1);
    Random random(stream_seed(seed, "flow rows"));
    FeatureTable table = extract_features({}, {FeatureKind::flow});
    for (const LabelledTrace& sample : samples) {
        std::vector<FlowPackets> found = split_flows(sample.trace);
        if (found.size() > limit) {
            random.shuffle(found);
            found.resize(limit);
        }
        std::vector<LabelledTrace> flows;
        for (const FlowPackets& flow : found) {
            LabelledTrace& one = flows.emplace_back(LabelledTrace{sample.id, sample.label, {}});
            // Views into the sample's memory, which outlives them.
            for (const std::uint32_t packet : flow.packets)
                one.trace.packets.push_back(sample.trace.packets[packet]);
        }
        table.append(extract_features(std::move(flows), {FeatureKind::flow}));
    }
    return table;
}

}  // namespace tracebench
