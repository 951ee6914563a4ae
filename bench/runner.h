#pragma once
/// Runs a plan on this machine: several tasks at once, finished ones taken from the store.

#include <cstdint>
#include <string>
#include <vector>

#include "bench/plan.h"
#include "bench/store.h"
#include "bench/workspace.h"

namespace tracebench {

struct TaskOutcome {
    enum class Status { done, reused, failed, skipped };
    Status status = Status::skipped;
    double seconds = 0;
    std::string error;        ///< why it failed, or which need did
    bool bad_input = false;   ///< the failure is the user's to mend (exit code 2), not ours (5)
};

struct RunnerOptions {
    unsigned jobs = 0;   ///< tasks at once; 0: one a core
    bool fresh = false;  ///< do every task again
};

/// One outcome a task, in plan order. A failed task stops only those that need it. Throws Interrupted when
/// the user stops the run: what was finished is in the store.
std::vector<TaskOutcome> run_plan(const Plan& plan, Workspace& workspace, const Store& store,
                                  const RunnerOptions& options);

/// One task alone; its needs must be in the store. Throws InputError where they are not.
void run_task(const Plan& plan, const Task& task, Workspace& workspace, const Store& store, Progress& progress);

}  // namespace tracebench
