#pragma once
/// How often the flow records of a set of samples keep the rules, sample by sample, for resampling.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "metrics/consistency/consistency_rules.h"

namespace tracebench {

/// A share as its two counts in every session.
struct SessionShare {
    std::vector<double> part, whole;

    /// Share where session s counts weights[s] times, 0..1; nothing where there is nothing to divide by.
    std::optional<double> of(std::span<const double> weights) const;
    std::optional<double> of_all() const;
    std::size_t total() const;  ///< of `whole`
    void append(const SessionShare& other);
};

/// A record that breaks a rule, for a person to look at.
struct BrokenRecord {
    std::string sample;  ///< LabelledTrace::id
    std::string flow;    ///< `TCP 192.0.2.1:50000 > 198.51.100.7:443`
};

struct ConsistencyCounts {
    /// Records that break no required rule, of all.
    SessionShare consistent;
    /// Of each of consistency_rules(): records that keep it, of those it speaks about.
    std::vector<SessionShare> rules;
    /// Of each of them: records that break it, at most 5, of different samples. None of observed rules.
    std::vector<std::vector<BrokenRecord>> examples;
};

ConsistencyCounts count_consistency(const std::vector<LabelledTrace>& samples);

}  // namespace tracebench
