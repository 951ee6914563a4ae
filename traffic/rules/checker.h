#pragma once
/// Runs the rule table over traffic, in one pass.
///
///     ComplianceChecker checker;
///     while (reader.next(packet)) checker.add(packet);
///     for (const RuleResult& result : checker.finish().rules) ...

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "traffic/flow_table.h"
#include "traffic/rules/observed.h"
#include "traffic/rules/rule.h"
#include "traffic/trace.h"

namespace tracebench {

struct RuleResult {
    const Rule* rule = nullptr;
    std::uint64_t checked = 0;  ///< passed or failed
    std::uint64_t failed = 0;
    std::uint64_t not_checkable = 0;  ///< `offloaded` included
    std::uint64_t offloaded = 0;      ///< left to the network card: failed + offloaded are wrong on the wire
    static constexpr std::size_t max_examples = 10;
    std::vector<std::uint64_t> examples;  ///< frame numbers of the first failures, at most max_examples

    void count(Verdict verdict, std::uint64_t frame);
};

struct ComplianceResult {
    std::uint64_t packets = 0;
    std::vector<RuleResult> rules;         ///< every rule of the table, in table order
    std::uint64_t packets_checked = 0;     ///< packets that at least one rule checked
    std::uint64_t packets_failed = 0;      ///< packets that failed at least one rule
    std::vector<BehaviourCount> observed;  ///< every behaviour of the table, in table order

    /// 1 - packets_failed / packets_checked; 1 where nothing could be checked.
    double score() const;
    /// Adds the counts of `other`; examples stay those of the first.
    void merge(const ComplianceResult& other);
};

/// With what rules remember of it a live flow takes more than a kilobyte. Past so many, those idle longest
/// end early; what comes of them then is the middle of a conversation.
inline FlowOptions checked_flows() {
    FlowOptions options;
    options.max_live = 250'000;
    return options;
}

class ComplianceChecker {
  public:
    explicit ComplianceChecker(FlowOptions options = checked_flows());
    ~ComplianceChecker();
    /// Packets in time order, as captured. The view is not kept.
    void add(const PacketView& packet);
    /// What was counted; the checker is done then.
    ComplianceResult finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

ComplianceResult check_compliance(const Trace& trace);

/// The same as check_compliance() on compute_threads() threads: packet rules look at several batches of
/// packets at once, flow rules at one after the other. `next` gives the packets in the order of their frame
/// numbers until it says false, and is called by one thread at a time; views must stay valid to the end.
ComplianceResult stream_compliance(const std::function<bool(PacketView&)>& next);

}  // namespace tracebench
