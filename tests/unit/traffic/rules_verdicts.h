#pragma once
/// What the rule table makes of a capture, for the tests of rules.

#include <algorithm>
#include <string>
#include <string_view>

#include "traffic/rules/checker.h"

namespace tracebench::rules_test {

inline RuleResult result_of(const ComplianceResult& result, std::string_view rule) {
    return *std::find_if(result.rules.begin(), result.rules.end(),
                         [&](const RuleResult& r) { return r.rule->id == rule; });
}
inline RuleResult result_of(const Trace& trace, std::string_view rule) {
    return result_of(check_compliance(trace), rule);
}

/// Rules that fail, each followed by a space, in the table's order.
inline std::string failures(const Trace& trace) {
    std::string failing;
    for (const RuleResult& result : check_compliance(trace).rules)
        if (result.failed > 0) failing += std::string(result.rule->id) + " ";
    return failing;
}

}  // namespace tracebench::rules_test
