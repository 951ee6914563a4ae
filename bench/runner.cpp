#include "bench/runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"

namespace tracebench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Status of the whole run on standard error: redrawn in place on a terminal, a line a task otherwise.
class RunDisplay {
  public:
    explicit RunDisplay(const Plan& plan) : terminal_(isatty(STDERR_FILENO) != 0), start_(Clock::now()) {
        total_tasks_ = plan.tasks.size();
        for (const Task& task : plan.tasks) total_ += task.weight;
    }
    ~RunDisplay() {
        if (terminal_) fmt::print(stderr, "\r\033[K");
    }

    void running(const std::string& id, const std::string& detail) {
        const std::lock_guard lock(mutex_);
        running_[id] = detail;
        draw();
    }

    void finished(const Task& task, const TaskOutcome& outcome) {
        const std::lock_guard lock(mutex_);
        running_.erase(task.id);
        ++tasks_;
        const bool reused = outcome.status == TaskOutcome::Status::reused;
        (reused ? reused_ : done_) += task.weight;
        if (outcome.status == TaskOutcome::Status::failed) {
            if (terminal_) fmt::print(stderr, "\r\033[K");
            fmt::print(stderr, "failed: {}: {}\n", task.id, outcome.error);
        } else if (!terminal_ && !reused) {
            fmt::print(stderr, "[{}/{}] {} {}{}\n", tasks_, total_tasks_,
                       outcome.status == TaskOutcome::Status::skipped ? "skipped" : "done", task.id,
                       outcome.seconds > 0 ? " in " + format_duration(outcome.seconds) : "");
        }
        draw();
    }

  private:
    void draw() {
        if (!terminal_ || seconds_since(last_) < 0.1) return;
        last_ = Clock::now();
        const double elapsed = seconds_since(start_), left = total_ - done_ - reused_;
        std::string line = fmt::format("{} of {} tasks", tasks_, total_tasks_);
        if (done_ > 0 && left > 0) line += ", about " + format_duration(left * elapsed / done_) + " left";
        for (const auto& [id, detail] : running_) line += fmt::format(" | {}{}", id, detail);
        fmt::print(stderr, "\r\033[K{}", line.substr(0, 160));
        std::fflush(stderr);
    }

    bool terminal_;
    Clock::time_point start_, last_;
    std::mutex mutex_;
    std::map<std::string, std::string> running_;
    std::size_t tasks_ = 0, total_tasks_ = 0;
    double total_ = 0, done_ = 0, reused_ = 0;
};

/// Forwards one task's progress to the run's line.
class TaskProgress : public Progress {
  public:
    TaskProgress(RunDisplay& display, std::string id) : display_(display), id_(std::move(id)) {}
    void update(double done, double total, std::string_view unit, std::string_view detail) override {
        std::string text = total > 0 ? fmt::format(" {:.0f}/{:.0f} {}", done, total, unit)
                                     : fmt::format(" {:.0f} {}", done, unit);
        if (!detail.empty()) text += fmt::format(" {}", detail);
        display_.running(id_, text);
    }

  private:
    RunDisplay& display_;
    std::string id_;
};

class Runner {
  public:
    Runner(const Plan& plan, Workspace& workspace, const Store& store, const RunnerOptions& options)
        : plan_(plan), workspace_(workspace), store_(store), options_(options), display_(plan),
          outcomes_(plan.tasks.size()), state_(plan.tasks.size(), State::waiting) {
        for (std::size_t i = 0; i < plan.tasks.size(); ++i) index_[plan.tasks[i].id] = i;
    }

    std::vector<TaskOutcome> run() {
        const unsigned cores = usable_cores();
        const std::size_t workers = std::clamp<std::size_t>(options_.jobs == 0 ? cores : options_.jobs, 1,
                                                            std::max<std::size_t>(1, plan_.tasks.size()));
        set_compute_threads(std::max(1U, cores / static_cast<unsigned>(workers)));
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < workers; ++i) threads.emplace_back([this] { work(); });
        }
        if (interrupted()) throw Interrupted();
        return std::move(outcomes_);
    }

  private:
    enum class State { waiting, running, finished };

    void work() {
        std::unique_lock lock(mutex_);
        while (!interrupted()) {
            const auto next = take();
            if (next == Next::all_done) return;
            if (next == Next::none_ready) {
                changed_.wait_for(lock, std::chrono::milliseconds(200));
                continue;
            }
            const std::size_t i = taken_;
            state_[i] = State::running;
            lock.unlock();
            TaskOutcome outcome = perform(plan_.tasks[i]);
            lock.lock();
            finish(i, std::move(outcome));
        }
    }

    enum class Next { ready, none_ready, all_done };
    /// Finds a task whose needs are met (`taken_`); settles those whose needs failed. Holds the lock.
    Next take() {
        bool open = false;
        for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
            if (state_[i] == State::finished) continue;
            open = true;
            if (state_[i] != State::waiting) continue;
            bool ready = true;
            std::string failed;
            for (const std::string& need : plan_.tasks[i].needs) {
                const std::size_t j = index_.at(need);
                ready = ready && state_[j] == State::finished;
                if (state_[j] == State::finished && outcomes_[j].status >= TaskOutcome::Status::failed) failed = need;
            }
            if (!failed.empty()) {
                TaskOutcome outcome;
                outcome.error = fmt::format("needs {}, which failed", failed);
                finish(i, std::move(outcome));
            } else if (ready) {
                taken_ = i;
                return Next::ready;
            }
        }
        return open ? Next::none_ready : Next::all_done;
    }

    void finish(std::size_t i, TaskOutcome outcome) {
        outcomes_[i] = std::move(outcome);
        state_[i] = State::finished;
        display_.finished(plan_.tasks[i], outcomes_[i]);
        changed_.notify_all();
    }

    TaskOutcome perform(const Task& task) {
        TaskOutcome outcome;
        if (!options_.fresh) {
            if (const auto entry = store_.find(task)) {
                outcome.status = TaskOutcome::Status::reused;
                outcome.seconds = entry->at("seconds");
                return outcome;
            }
        }
        display_.running(task.id, "");
        const auto start = Clock::now();
        try {
            TaskProgress progress(display_, task.id);
            const nlohmann::json result = task.run(workspace_, progress);
            outcome.seconds = seconds_since(start);
            store_.put(task, result, outcome.seconds);
            outcome.status = TaskOutcome::Status::done;
        } catch (const Interrupted&) {
            outcome.error = "interrupted";
        } catch (const InputError& error) {
            outcome.status = TaskOutcome::Status::failed;
            outcome.error = error.what();
            outcome.bad_input = true;
        } catch (const std::exception& error) {
            outcome.status = TaskOutcome::Status::failed;
            outcome.error = printable(error.what());
        }
        return outcome;
    }

    const Plan& plan_;
    Workspace& workspace_;
    const Store& store_;
    const RunnerOptions& options_;
    RunDisplay display_;
    std::vector<TaskOutcome> outcomes_;
    std::vector<State> state_;
    std::map<std::string, std::size_t> index_;
    std::size_t taken_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace

std::vector<TaskOutcome> run_plan(const Plan& plan, Workspace& workspace, const Store& store,
                                  const RunnerOptions& options) {
    return Runner(plan, workspace, store, options).run();
}

void run_task(const Plan& plan, const Task& task, Workspace& workspace, const Store& store, Progress& progress) {
    for (const std::string& need : task.needs)
        if (!store.find(plan.find(need)))
            throw InputError(task.id, fmt::format("needs '{}', which is not in the store", need),
                             "run that task first");
    const auto start = Clock::now();
    const nlohmann::json result = task.run(workspace, progress);
    store.put(task, result, seconds_since(start));
}

}  // namespace tracebench
