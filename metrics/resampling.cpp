#include "metrics/resampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace tracebench {
namespace {

/// Name of the stratum that rare labels share: no label, since labels are never empty.
const std::string rare;

std::map<std::string, std::vector<std::uint32_t>> group(std::span<const std::string> labels,
                                                        std::size_t enough) {
    const auto counts = count_labels(labels);
    std::map<std::string, std::vector<std::uint32_t>> groups;
    for (std::size_t i = 0; i < labels.size(); ++i)
        groups[counts.at(labels[i]) < enough ? rare : labels[i]].push_back(static_cast<std::uint32_t>(i));
    return groups;
}

struct Sizes {
    std::size_t left = 0, right = 0;
};

/// Of `pool` sessions, disjoint parts of at most the wanted sizes with the least 1/left + 1/right.
Sizes allocate(std::size_t pool, Sizes wanted) {
    if (wanted.left + wanted.right <= pool) return wanted;
    if (2 * wanted.left <= pool) return {wanted.left, pool - wanted.left};
    if (2 * wanted.right <= pool) return {pool - wanted.right, wanted.right};
    return {pool / 2, pool - pool / 2};
}

double noise(Sizes sizes) {
    return 1 / static_cast<double>(sizes.left) + 1 / static_cast<double>(sizes.right);
}

}  // namespace

std::map<std::string, std::size_t> count_labels(std::span<const std::string> labels) {
    std::map<std::string, std::size_t> counts;
    for (const std::string& label : labels) ++counts[label];
    return counts;
}

Bootstrap::Bootstrap(std::span<const std::string> labels) : sessions_(labels.size()) {
    for (auto& [label, sessions] : group(labels, 2)) strata_.push_back(std::move(sessions));
}

void Bootstrap::draw(Random& random, std::span<double> weights) const {
    std::fill(weights.begin(), weights.end(), 0.0);
    for (const auto& stratum : strata_)
        for (std::size_t i = 0; i < stratum.size(); ++i) ++weights[stratum[random.below(stratum.size())]];
}

RandomSplits::RandomSplits(std::span<const std::string> pool, const std::map<std::string, std::size_t>& left,
                           const std::map<std::string, std::size_t>& right) {
    const auto groups = group(pool, 4);
    const auto wanted_of = [&](const std::map<std::string, std::size_t>& wanted, const std::string& name) {
        std::size_t sum = 0;
        for (const auto& [label, count] : wanted)
            if (label == name || (name == rare && !groups.contains(label))) sum += count;
        return sum;
    };
    Sizes wanted_in_all, drawn_in_all;
    for (const auto& [name, sessions] : groups) {
        const Sizes wanted{wanted_of(left, name), wanted_of(right, name)};
        if (wanted.left == 0 || wanted.right == 0 || sessions.size() < 2) continue;
        const Sizes drawn = allocate(sessions.size(), wanted);
        strata_.push_back({sessions, drawn.left, drawn.right});
        wanted_in_all.left += wanted.left;
        wanted_in_all.right += wanted.right;
        drawn_in_all.left += drawn.left;
        drawn_in_all.right += drawn.right;
    }
    left_ = drawn_in_all.left;
    if (left_ > 0) noise_ratio_ = noise(wanted_in_all) / noise(drawn_in_all);
}

void RandomSplits::draw(Random& random, std::span<double> left, std::span<double> right) const {
    std::fill(left.begin(), left.end(), 0.0);
    std::fill(right.begin(), right.end(), 0.0);
    for (const Stratum& stratum : strata_) {
        std::vector<std::uint32_t> order = stratum.sessions;
        random.shuffle(order);
        for (std::size_t i = 0; i < stratum.left; ++i) left[order[i]] = 1;
        for (std::size_t i = 0; i < stratum.right; ++i) right[order[stratum.left + i]] = 1;
    }
}

double Bootstrap::stretch() const {
    if (!possible() || sessions_ <= strata_.size()) return 1;
    const auto n = static_cast<double>(sessions_), freedom = n - static_cast<double>(strata_.size());
    constexpr double z = 1.959964, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    // Student's t by the expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5).
    const double t = z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
                     (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
    return std::sqrt(n / freedom) * t / z;
}

std::vector<double> recentred(std::vector<double> replicates, double value, double stretch, Range range) {
    if (replicates.empty()) return replicates;
    const double mean =
        std::accumulate(replicates.begin(), replicates.end(), 0.0) / static_cast<double>(replicates.size());
    for (double& replicate : replicates)
        replicate = std::clamp((replicate - mean) * stretch + value, range.low, range.high);
    return replicates;
}

std::optional<Interval> interval95(std::span<const double> replicates) {
    if (replicates.size() < 20) return std::nullopt;
    std::vector<double> sorted(replicates.begin(), replicates.end());
    std::sort(sorted.begin(), sorted.end());
    return Interval{quantile(sorted, 0.025), quantile(sorted, 0.975)};
}

double quantile(std::span<const double> sorted, double probability) {
    if (sorted.empty()) throw std::invalid_argument("quantile of no values");
    const double rank = std::clamp(probability, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(rank);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], rank - static_cast<double>(below));
}

}  // namespace tracebench
