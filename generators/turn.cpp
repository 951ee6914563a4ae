#include "generators/turn.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

#include "base/parallel.h"

namespace tracebench {
namespace {

struct Cores {
    const unsigned all = usable_cores();
    std::mutex mutex;
    std::condition_variable changed;
    unsigned free = all;
    std::list<unsigned> waiting;  ///< what they wait for, the first to come in front
};

Cores& cores() {
    static Cores instance;
    return instance;
}

}  // namespace

Turn::Turn(const Progress& progress, int threads)
    : cores_(threads <= 0 ? cores().all : std::min(static_cast<unsigned>(threads), cores().all)) {
    Cores& shared = cores();
    std::unique_lock lock(shared.mutex);
    const auto place = shared.waiting.insert(shared.waiting.end(), cores_);
    try {
        while (place != shared.waiting.begin() || shared.free < cores_) {
            shared.changed.wait_for(lock, std::chrono::milliseconds(100));
            progress.check_interrupted();
        }
    } catch (...) {
        shared.waiting.erase(place);
        shared.changed.notify_all();
        throw;
    }
    shared.waiting.erase(place);
    shared.free -= cores_;
    shared.changed.notify_all();
}

std::size_t Turn::waiting() {
    Cores& shared = cores();
    const std::lock_guard lock(shared.mutex);
    return shared.waiting.size();
}

Turn::~Turn() {
    Cores& shared = cores();
    const std::lock_guard lock(shared.mutex);
    shared.free += cores_;
    shared.changed.notify_all();
}

}  // namespace tracebench
