#pragma once
/// Runs the rule table over traffic, streaming: packet rules at once, flow rules when a flow ends.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "traffic/rules/rule.h"

namespace tracebench {

struct RuleResult {
    const Rule* rule = nullptr;
    std::uint64_t checked = 0;        ///< passed or failed
    std::uint64_t failed = 0;
    std::uint64_t not_checkable = 0;
    std::vector<std::uint64_t> examples;  ///< frame numbers of the first failures, at most 10
};

struct ComplianceResult {
    std::uint64_t packets = 0;
    std::vector<RuleResult> rules;  ///< every rule of the table, in table order
    /// Share of packets that fail no rule at all, of the packets that at least one rule checked;
    /// 1 where nothing could be checked.
    double score = 1;
    std::uint64_t packets_checked = 0, packets_failed = 0;

    void merge(const ComplianceResult& other);  ///< examples stay those of the first
};

class ComplianceChecker {
  public:
    explicit ComplianceChecker(FlowOptions options = {});
    ~ComplianceChecker();
    void add(const PacketView& packet);
    ComplianceResult finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

ComplianceResult check_compliance(const Trace& trace);

}  // namespace tracebench
