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

FeatureTable flow_rows(const std::vector<LabelledTrace>& samples, std::size_t max_rows, std::uint64_t seed) {
    std::vector<std::vector<FlowPackets>> of_samples;
    std::vector<std::size_t> counts;
    for (const LabelledTrace& sample : samples) {
        of_samples.push_back(split_flows(sample.trace));
        counts.push_back(of_samples.back().size());
    }
    const std::size_t limit = std::max<std::size_t>(rows_per_session(counts, max_rows), 1);
    Random random(stream_seed(seed, "flow rows"));
    std::vector<LabelledTrace> flows;
    for (std::size_t s = 0; s < samples.size(); ++s) {
        std::vector<FlowPackets>& found = of_samples[s];
        if (found.size() > limit) {
            random.shuffle(found);
            found.resize(limit);
        }
        for (const FlowPackets& flow : found) {
            LabelledTrace& one = flows.emplace_back(LabelledTrace{samples[s].id, samples[s].label, {}});
            // Views into the sample's memory, which outlives this function.
            for (const std::uint32_t packet : flow.packets)
                one.trace.packets.push_back(samples[s].trace.packets[packet]);
        }
    }
    return extract_features(flows, {FeatureKind::flow});
}

}  // namespace tracebench
