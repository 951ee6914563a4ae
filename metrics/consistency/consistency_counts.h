#pragma once
/// How often the flow records of a set of samples keep the rules, sample by sample, for resampling.

#include <string>
#include <vector>

#include "datasets/samples.h"
#include "metrics/consistency/consistency_rules.h"
#include "metrics/session_counts.h"

namespace tracebench {

/// A record that breaks a rule, for a person to look at.
struct BrokenRecord {
    std::string sample;  ///< LabelledTrace::id
    std::string flow;    ///< `TCP 192.0.2.1:50000 > 198.51.100.7:443`
};

struct ConsistencyCounts {
    /// Records that break no required rule, of all.
    SessionCounts consistent;
    /// Of each of consistency_rules(): records that keep it, of those it speaks about.
    std::vector<SessionCounts> rules;
    /// Of each of them: records that break it, at most 5, of different samples. None of observed rules.
    std::vector<std::vector<BrokenRecord>> examples;
};

ConsistencyCounts count_consistency(const Samples& samples);

}  // namespace tracebench
