#include "metrics/consistency/consistency_counts.h"

#include <fmt/format.h>

namespace tracebench {
namespace {

constexpr std::size_t max_examples = 5;

void add_example(std::vector<BrokenRecord>& examples, const std::string& sample, const Biflow& record) {
    if (examples.size() == max_examples || (!examples.empty() && examples.back().sample == sample)) return;
    examples.push_back({sample, fmt::format("{} {} > {}", protocol_name(record.protocol),
                                            record.source.text(), record.destination.text())});
}

}  // namespace

ConsistencyCounts count_consistency(const Samples& samples) {
    const std::span<const ConsistencyRule> rules = consistency_rules();
    ConsistencyCounts counts;
    const auto sized = [&](SessionCounts& share) {
        share.part.assign(samples.size(), 0);
        share.whole.assign(samples.size(), 0);
    };
    sized(counts.consistent);
    counts.rules.resize(rules.size());
    counts.examples.resize(rules.size());
    for (SessionCounts& share : counts.rules) sized(share);
    std::size_t s = 0;
    for (const LabelledTrace& sample : samples) {
        for (const Biflow& record : biflows(sample.trace)) {
            bool consistent = true;
            for (std::size_t i = 0; i < rules.size(); ++i) {
                const Consistency verdict = rules[i].check(record);
                if (verdict == Consistency::not_applicable) continue;
                ++counts.rules[i].whole[s];
                counts.rules[i].part[s] += verdict == Consistency::holds ? 1 : 0;
                if (rules[i].observed || verdict == Consistency::holds) continue;
                consistent = false;
                add_example(counts.examples[i], sample.id, record);
            }
            ++counts.consistent.whole[s];
            counts.consistent.part[s] += consistent ? 1 : 0;
        }
        ++s;
    }
    return counts;
}

}  // namespace tracebench
