#pragma once
/// results.json out of a plan and what the store holds of it.

#include <vector>

#include "bench/plan.h"
#include "bench/runner.h"
#include "bench/store.h"
#include "reports/run_record.h"

namespace tracebench {

/// Tasks that failed or are missing leave their rows with status "failed" and the reason; nothing is dropped.
RunRecord assemble_record(const Plan& plan, const Store& store, const std::vector<TaskOutcome>& outcomes);

}  // namespace tracebench
