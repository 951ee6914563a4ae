#pragma once
/// The same tasks as jobs of a Slurm cluster: one `sbatch` a task, which runs `tracebench task ID`, with the
/// graph as job dependencies. The output folder must be on a file system that every node sees.

#include <filesystem>
#include <vector>

#include "bench/plan.h"
#include "bench/runner.h"
#include "bench/store.h"

namespace tracebench {

struct SlurmOptions {
    std::size_t seeds = 0;  ///< passed on where the command line gave --seeds
    bool fresh = false;
};

/// Submits what the store lacks and waits until every job has left the queue. Throws InputError where sbatch
/// refuses; Interrupted leaves the jobs in the queue (their results are picked up by the next run).
std::vector<TaskOutcome> run_on_slurm(const Plan& plan, const Store& store, const std::filesystem::path& folder,
                                      const SlurmOptions& options);

}  // namespace tracebench
