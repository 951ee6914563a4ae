#pragma once
/// A turn at the cores, for generators whose training or sampling is a computation of several threads: how
/// many threads it has must not depend on what else happens to run in the process.

#include <cstddef>

#include "base/progress.h"

namespace tracebench {

/// So many of the process's cores, held while it exists. First come, first served, whichever generator asks.
class Turn {
  public:
    /// `threads`: how many the computation has; 0, or more than there are cores: all of them. Waits until so
    /// many are free and all who came before have theirs; waiting can be interrupted.
    Turn(const Progress& progress, int threads);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    /// How many wait for theirs.
    static std::size_t waiting();

  private:
    unsigned cores_;
};

}  // namespace tracebench
