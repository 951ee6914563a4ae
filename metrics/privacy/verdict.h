#pragma once
/// What a reader is told before any number: how much is given away of each kind.

#include <string>
#include <string_view>
#include <vector>

#include "metrics/privacy/finding.h"

namespace tracebench {

enum class PrivacyLevel { unknown, low, medium, high };
const char* privacy_level_name(PrivacyLevel level);

/// When a value speaks of a leak: its excess over the floor is at least so much, and more than chance. The
/// 95% interval of the excess lies above 0 for `medium`, at or above the threshold of `medium` for `high`.
struct PrivacyThreshold {
    std::string_view area;  ///< `copies`, `membership`, `model` (membership for who holds it), `identifiers`
    std::string_view metric;  ///< without `privacy.`
    std::string_view group;   ///< empty: all groups
    double medium, high;
};
const std::vector<PrivacyThreshold>& privacy_thresholds();

struct PrivacyVerdict {
    std::string area;
    /// The highest of any value of the area. `unknown` where no value has an interval of its excess: without
    /// held-out samples, or with too few sessions.
    PrivacyLevel level = PrivacyLevel::unknown;
    std::string metric, group;  ///< of the value that decided: the highest level, then the greatest excess
    double excess = 0;          ///< of that value; meaningless for `unknown`
};
/// One an area, in the order above.
std::vector<PrivacyVerdict> privacy_verdicts(const std::vector<Finding>& findings);

}  // namespace tracebench
