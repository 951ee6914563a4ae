#pragma once
/// A turn at all the cores, for generators whose training or sampling uses every core by itself: how many
/// threads there are must not depend on what else happens to run in the process.

#include <chrono>
#include <mutex>

#include "base/progress.h"

namespace tracebench {

/// Held while it exists; one at a time in a process, whichever generator asks. Waiting can be interrupted.
class Turn {
  public:
    explicit Turn(const Progress& progress) : lock_(mutex(), std::defer_lock) {
        while (!lock_.try_lock_for(std::chrono::milliseconds(100))) progress.check_interrupted();
    }

  private:
    static std::timed_mutex& mutex() {
        static std::timed_mutex instance;
        return instance;
    }
    std::unique_lock<std::timed_mutex> lock_;
};

}  // namespace tracebench
