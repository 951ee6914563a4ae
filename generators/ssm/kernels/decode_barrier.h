#pragma once
/// A barrier for threads that meet every few microseconds.

#include <atomic>
#include <thread>

namespace tracebench::ssm::decode {

/// Spins, for a wake-up by the system takes longer than most of what lies between two meetings; but yields
/// before long, for the thread awaited may be off its processor.
class SpinBarrier {
  public:
    /// All but the last of `team` callers wait for it. Every round needs the same team.
    void wait(int team) {
        if (team == 1) return;
        const unsigned round = round_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == team) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
            if (spins < kSpins) {
                pause();
            } else {
                std::this_thread::yield();
            }
        }
    }

  private:
    static constexpr int kSpins = 2000;
    static void pause() {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }

    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<unsigned> round_{0};
};

}  // namespace tracebench::ssm::decode
