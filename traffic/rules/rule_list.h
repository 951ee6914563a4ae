#pragma once
/// The rule table for people.

#include <string>

namespace tracebench {

/// docs/rules.md, as it should be.
std::string rule_list_markdown();

}  // namespace tracebench
