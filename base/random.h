#pragma once
/// Seeded randomness that gives the same numbers with every compiler and library: the distributions of
/// <random> are not portable, so they are not used.

#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tracebench {

/// A seed for one purpose, derived from a run's seed: independent streams for independent tasks.
///     Random random(stream_seed(seed, "resample/video"));
std::uint64_t stream_seed(std::uint64_t seed, std::string_view purpose);

class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t bits() { return engine_(); }
    /// Uniform in [0, 1), 53 bits.
    double uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// Uniform in [0, n); 0 for n = 0.
    std::uint64_t below(std::uint64_t n);
    /// Standard normal (Box-Muller).
    double normal();
    /// Exponential with the given mean.
    double exponential(double mean);
    bool chance(double probability) { return uniform() < probability; }
    /// An index drawn in proportion to `weights` (not negative). 0 when they are empty or sum to 0.
    std::size_t weighted(std::span<const double> weights);

    template <typename T>
    const T& choose(std::span<const T> items) {
        return items[below(items.size())];
    }
    /// Fisher-Yates.
    template <typename T>
    void shuffle(std::vector<T>& items) {
        for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
    }

  private:
    std::mt19937_64 engine_;
};

}  // namespace tracebench
