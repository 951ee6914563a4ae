#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace tracebench {
namespace {

std::atomic<unsigned> wanted_threads = 0;

/// Runs `work` on this thread and `threads - 1` more. It must not throw.
void run_threads(std::size_t threads, const std::function<void()>& work) {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
    work();
}

class Pipeline {
  public:
    Pipeline(std::size_t batches, const std::function<bool(std::size_t)>& read,
             const std::vector<Stage>& stages)
        : read_(read), stages_(stages), batches_(batches), turns_(stages.size()) {}

    /// Until there is nothing left to do. Never throws.
    void work() {
        std::unique_lock lock(mutex_);
        while (!error_) {
            if (const auto batch = ready()) {
                perform(*batch, lock);
            } else if (const auto free = unused(); free && more_ && !reading_) {
                read_into(*free, lock);
            } else if (!more_ && !reading_ && std::none_of(batches_.begin(), batches_.end(), in_use)) {
                return;
            } else {
                changed_.wait(lock);
            }
        }
    }
    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    struct Batch {
        std::uint64_t number = 0;  ///< in the order of reading
        std::size_t stage = 0;     ///< the next one, or the one it is in
        bool used = false, busy = false;
    };
    static bool in_use(const Batch& batch) { return batch.used; }

    /// The earliest batch that can go on.
    std::optional<std::size_t> ready() const {
        std::optional<std::size_t> best;
        for (std::size_t b = 0; b < batches_.size(); ++b) {
            const Batch& batch = batches_[b];
            if (!batch.used || batch.busy) continue;
            if (stages_[batch.stage].in_order && turns_[batch.stage] != batch.number) continue;
            if (!best || batch.number < batches_[*best].number) best = b;
        }
        return best;
    }
    std::optional<std::size_t> unused() const {
        const auto free =
            std::find_if(batches_.begin(), batches_.end(), [](const Batch& b) { return !b.used; });
        if (free == batches_.end()) return std::nullopt;
        return static_cast<std::size_t>(free - batches_.begin());
    }

    /// Without the lock, which is held again afterwards. False where it threw.
    bool unlocked(std::unique_lock<std::mutex>& lock, const std::function<void()>& act) {
        lock.unlock();
        std::exception_ptr error;
        try {
            act();
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        if (error && !error_) error_ = error;
        changed_.notify_all();
        return !error;
    }

    void perform(std::size_t b, std::unique_lock<std::mutex>& lock) {
        Batch& batch = batches_[b];
        batch.busy = true;
        if (!unlocked(lock, [&] { stages_[batch.stage].work(b); })) return;
        if (stages_[batch.stage].in_order) ++turns_[batch.stage];
        batch.busy = false;
        batch.used = ++batch.stage < stages_.size();
    }

    void read_into(std::size_t b, std::unique_lock<std::mutex>& lock) {
        reading_ = true;
        bool got = false;
        unlocked(lock, [&] { got = read_(b); });
        reading_ = false;
        more_ = more_ && got;
        if (got) batches_[b] = {next_number_++, 0, true, false};
    }

    const std::function<bool(std::size_t)>& read_;
    const std::vector<Stage>& stages_;
    std::vector<Batch> batches_;
    std::vector<std::uint64_t> turns_;  ///< of each stage: the number of the batch that comes next
    std::uint64_t next_number_ = 0;
    bool reading_ = false, more_ = true;
    std::exception_ptr error_;
    std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace

unsigned usable_cores() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    return std::max(1U, std::thread::hardware_concurrency());
}

unsigned compute_threads() {
    const unsigned wanted = wanted_threads;
    return wanted > 0 ? wanted : usable_cores();
}

void set_compute_threads(unsigned threads) {
    wanted_threads = threads;
}

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::exception_ptr error;
    run_threads(std::min<std::size_t>(count, compute_threads()), [&] {
        for (std::size_t i = next++; i < count; i = next++) {
            try {
                work(i);
            } catch (...) {
                next = count;
                const std::lock_guard lock(mutex);
                if (!error) error = std::current_exception();
            }
        }
    });
    if (error) std::rethrow_exception(error);
}

std::size_t batches_wanted() {
    const std::size_t threads = compute_threads();
    return threads == 1 ? 1 : 4 * threads;
}

void run_stages(std::size_t batches, const std::function<bool(std::size_t)>& read,
                const std::vector<Stage>& stages) {
    Pipeline pipeline(batches, read, stages);
    run_threads(std::min<std::size_t>(batches, compute_threads()), [&pipeline] { pipeline.work(); });
    pipeline.rethrow();
}

}  // namespace tracebench
