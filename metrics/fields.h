#pragma once
/// The fields of each scope, in the order in which all_fields() has them.

#include <vector>

#include "metrics/observations.h"

namespace tracebench {

const std::vector<FieldInfo>& packet_fields();
const std::vector<FieldInfo>& flow_fields();
const std::vector<FieldInfo>& session_fields();

}  // namespace tracebench
