#pragma once
/// Several threads for one computation. What is computed must not depend on how many there are: work is cut
/// the same way for any number, and what has an order keeps it.

#include <cstddef>
#include <functional>
#include <vector>

namespace tracebench {

/// Cores that this process may use, 1 or more.
unsigned usable_cores();
/// Threads that one computation of this process may use, 1 or more: one a core until it is set.
unsigned compute_threads();
/// 0: one a core. Whoever runs several computations at once gives each its share.
void set_compute_threads(unsigned threads);

/// Calls work(i) once for every i below `count`, on compute_threads() threads. After an exception, which is
/// thrown again, no more are begun.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& work);

/// One thing that is done with every batch of a long input.
struct Stage {
    std::function<void(std::size_t batch)> work;
    /// One batch at a time, in the order in which they were read; else several at once, in any order.
    bool in_order = true;
};

/// Room for so many batches is enough for every thread to have work while others wait for their turn.
std::size_t batches_wanted();

/// Reads a long input batch by batch and takes each batch through all stages, on compute_threads() threads:
/// while one batch is in the last stage, others may be in earlier ones. `read` fills one of the `batches`
/// that the caller has room for, one at a time, until it says false. An exception ends it and is thrown
/// again.
void run_stages(std::size_t batches, const std::function<bool(std::size_t batch)>& read,
                const std::vector<Stage>& stages);

}  // namespace tracebench
