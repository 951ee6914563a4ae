#include "metrics/privacy/minhash.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <map>

namespace tracebench {
namespace {

/// The finaliser of SplitMix64 (Steele et al., OOPSLA 2014): every bit of the result depends on every bit.
std::uint64_t mixed(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

/// 0 for 0, else four classes for every factor of two.
std::uint32_t size_class(std::uint32_t payload) {
    if (payload == 0) return 0;
    const auto octave = static_cast<std::uint32_t>(std::bit_width(payload));
    const std::uint32_t quarter = octave >= 3 ? payload >> (octave - 3) & 3 : (payload << (3 - octave)) & 3;
    return 1 + 4 * octave + quarter;
}

std::uint32_t gap_class(std::int64_t gap_ns) {
    const auto microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(gap_ns, 0)) / 1000;
    return static_cast<std::uint32_t>(std::bit_width(microseconds >> 4) + 1) / 2;
}

}  // namespace

std::uint32_t packet_class(bool reverse, std::uint32_t payload, std::uint8_t flags, std::int64_t gap_ns) {
    return (reverse ? 1U : 0U) << 31 | gap_class(gap_ns) << 16 | size_class(payload) << 8 | flags;
}

std::vector<std::uint64_t> shingles(std::span<const std::uint32_t> classes) {
    std::vector<std::uint64_t> result;
    if (classes.empty()) return result;
    const std::size_t width = std::min(shingle_packets, classes.size());
    std::map<std::uint64_t, std::uint64_t> seen;
    for (std::size_t i = 0; i + width <= classes.size(); ++i) {
        std::uint64_t hash = width;
        for (std::size_t p = 0; p < width; ++p) hash = mixed(hash ^ classes[i + p]);
        result.push_back(mixed(hash + seen[hash]++));
    }
    return result;
}

double jaccard(std::vector<std::uint64_t> a, std::vector<std::uint64_t> b) {
    if (a.empty() && b.empty()) return 1;
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    std::vector<std::uint64_t> both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return static_cast<double>(both.size()) / static_cast<double>(a.size() + b.size() - both.size());
}

MinHash minhash(std::span<const std::uint64_t> shingles) {
    MinHash least;
    least.fill(UINT32_MAX);
    for (const std::uint64_t shingle : shingles)
        for (std::size_t h = 0; h < minhash_size; ++h)
            least[h] = std::min(least[h], static_cast<std::uint32_t>(mixed(shingle ^ h << 56 ^ h) >> 32));
    return least;
}

double estimated_jaccard(const MinHash& a, const MinHash& b) {
    std::uint32_t equal = 0;
    for (std::size_t h = 0; h < minhash_size; ++h) equal += a[h] == b[h];
    return static_cast<double>(equal) / static_cast<double>(minhash_size);
}

}  // namespace tracebench
