#pragma once
/// A barrier for threads that meet every few microseconds.

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace tracebench::ssm::decode {

/// Everybody says on a cache line of its own how many rounds it has come to: what it costs is one line's way
/// from one processor to another. Spins, for a wake-up by the system takes longer than most of what lies
/// between two meetings; but yields before long, for the thread awaited may be off its processor.
class SpinBarrier {
  public:
    explicit SpinBarrier(int threads) : places_(static_cast<std::size_t>(threads)) {}

    /// Before a team begins; nobody may be waiting.
    void reset() {
        for (Place& place : places_) place.round.store(0, std::memory_order_relaxed);
    }
    /// Returns when threads 0 to team - 1 have called it as often as the caller.
    void wait(int thread, int team) {
        if (team == 1) return;
        std::atomic<unsigned>& own = places_[static_cast<std::size_t>(thread)].round;
        const unsigned round = own.load(std::memory_order_relaxed) + 1;
        own.store(round, std::memory_order_release);
        for (int other = 0; other < team; ++other) {
            const std::atomic<unsigned>& its = places_[static_cast<std::size_t>(other)].round;
            for (int tries = 0; its.load(std::memory_order_acquire) < round; ++tries)
                if (tries > spins) std::this_thread::yield();
        }
    }

  private:
    static constexpr int spins = 20000;
    struct alignas(64) Place {
        std::atomic<unsigned> round{0};
    };
    std::vector<Place> places_;
};

}  // namespace tracebench::ssm::decode
