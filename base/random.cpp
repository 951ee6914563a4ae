#include "base/random.h"

#include <cmath>

namespace tracebench {

std::uint64_t stream_seed(std::uint64_t seed, std::string_view purpose) {
    // FNV-1a over the purpose, then the SplitMix64 finaliser, so that near seeds give far streams.
    std::uint64_t hash = 0xCBF29CE484222325ull ^ seed;
    for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    hash += 0x9E3779B97F4A7C15ull * (seed + 1);
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9ull;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBull;
    return hash ^ (hash >> 31);
}

std::uint64_t Random::below(std::uint64_t n) {
    if (n == 0) return 0;
    // Rejection keeps it exact: the values of the last, incomplete round are drawn again.
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    std::uint64_t value = engine_();
    while (value >= limit) value = engine_();
    return value % n;
}

double Random::normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Random::exponential(double mean) { return -mean * std::log(1.0 - uniform()); }

std::size_t Random::weighted(std::span<const double> weights) {
    double total = 0;
    for (const double weight : weights) total += weight;
    double left = uniform() * total;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        left -= weights[i];
        if (left < 0) return i;
    }
    return weights.empty() ? 0 : weights.size() - 1;
}

}  // namespace tracebench
