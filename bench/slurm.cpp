#include "bench/slurm.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/process.h"
#include "base/progress.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

/// For the one place where a shell does read it: the job script that sbatch --wrap makes.
std::string shell_quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string submit(const Plan& plan, const Task& task, const fs::path& folder, const SlurmOptions& options,
                   const std::vector<std::string>& after) {
    std::string command = fmt::format("{} task {} {} -o {}", shell_quoted(fs::read_symlink("/proc/self/exe").string()),
                                      shell_quoted(task.id), shell_quoted(fs::absolute(plan.manifest.path).string()),
                                      shell_quoted(fs::absolute(folder).string()));
    if (options.seeds > 0) command += fmt::format(" --seeds {}", options.seeds);
    if (options.fresh) command += " --fresh";
    ProcessRequest request;
    request.arguments = {"sbatch", "--parsable", "--job-name=tracebench-" + task.kind,
                         "--output=" + (fs::absolute(folder) / "slurm" / "%j.log").string()};
    if (!after.empty()) {
        request.arguments.push_back(fmt::format("--dependency=afterok:{}", fmt::join(after, ":")));
        request.arguments.push_back("--kill-on-invalid-dep=yes");
    }
    request.arguments.push_back("--wrap=" + command);
    request.timeout_s = 120;
    const ProcessResult result = run_process(request);
    if (!result.succeeded())
        throw InputError("sbatch", result.outcome() + " " + result.errors, "check the cluster, or use --executor local");
    // "123" or "123;cluster"
    const std::string id = result.output.substr(0, result.output.find_first_of(";\n"));
    if (id.empty() || id.find_first_not_of("0123456789_") != std::string::npos)
        throw InputError("sbatch", "gave no job number: " + result.output);
    return id;
}

/// How many of our jobs are still waiting or running.
std::size_t jobs_left(const std::map<std::string, std::string>& jobs) {
    std::vector<std::string> ids;
    for (const auto& [task, job] : jobs) ids.push_back(job);
    const ProcessResult result =
        run_process({.arguments = {"squeue", "--noheader", "--format=%i", "--jobs=" + fmt::format("{}", fmt::join(ids, ","))},
                     .timeout_s = 120});
    // squeue fails once every job it is asked for is long gone.
    if (!result.succeeded()) return 0;
    std::istringstream lines(result.output);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += line.empty() ? 0 : 1;
    return count;
}

}  // namespace

std::vector<TaskOutcome> run_on_slurm(const Plan& plan, const Store& store, const fs::path& folder,
                                      const SlurmOptions& options) {
    fs::create_directories(folder / "slurm");
    std::vector<TaskOutcome> outcomes(plan.tasks.size());
    std::map<std::string, std::string> jobs;  // task id -> job number
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        const Task& task = plan.tasks[i];
        if (!options.fresh && store.find(task)) {
            outcomes[i].status = TaskOutcome::Status::reused;
            continue;
        }
        std::vector<std::string> after;
        for (const std::string& need : task.needs)
            if (const auto job = jobs.find(need); job != jobs.end()) after.push_back(job->second);
        jobs[task.id] = submit(plan, task, folder, options, after);
    }
    ConsoleProgress progress("slurm");
    while (!jobs.empty()) {
        const std::size_t left = jobs_left(jobs);
        progress.update(static_cast<double>(jobs.size() - left), static_cast<double>(jobs.size()), "jobs");
        if (left == 0) break;
        for (int i = 0; i < 20; ++i) {
            progress.check_interrupted();
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        const Task& task = plan.tasks[i];
        const auto job = jobs.find(task.id);
        if (job == jobs.end()) continue;
        if (const auto entry = store.find(task)) {
            outcomes[i].status = TaskOutcome::Status::done;
            outcomes[i].seconds = entry->at("seconds");
        } else {
            outcomes[i].status = TaskOutcome::Status::failed;
            outcomes[i].bad_input = true;
            outcomes[i].error = fmt::format("see {}", (folder / "slurm" / (job->second + ".log")).string());
        }
    }
    return outcomes;
}

}  // namespace tracebench
