// What holds of every distance, whatever the data.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "metrics/distance/divergence.h"
#include "metrics/distance/field_comparison.h"
#include "metrics/distance/ordered.h"

namespace tracebench {
namespace {

using Values = std::vector<double>;

/// Counts over a few bins, at least one of them not empty.
Values counts(std::size_t bins) {
    Values result;
    for (std::size_t i = 0; i < bins; ++i) result.push_back(*rc::gen::inRange(0, 50));
    result[*rc::gen::inRange<std::size_t>(0, bins)] += 1;
    return result;
}

/// Whole numbers, so that ties are common.
Values sample() {
    const auto whole = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 20)));
    return {whole.begin(), whole.end()};
}

using Divergence = double (*)(std::span<const double>, std::span<const double>);
constexpr Divergence divergences[] = {jensen_shannon, total_variation, hellinger, chi_square};

RC_GTEST_PROP(Divergence, IsSymmetricBoundedAndZeroForItself, ()) {
    const auto bins = *rc::gen::inRange<std::size_t>(1, 20);
    const Values p = counts(bins), q = counts(bins);
    for (const Divergence distance : divergences) {
        const double there = distance(p, q);
        RC_ASSERT(there >= 0 && there <= 1);
        RC_ASSERT(std::abs(there - distance(q, p)) < 1e-12);
        RC_ASSERT(distance(p, p) == 0);
    }
    // Pinsker-like order: H^2 <= TVD <= sqrt(2) H, and JSD <= TVD in bits (Lin 1991).
    const double h = hellinger(p, q), tv = total_variation(p, q);
    RC_ASSERT(h * h <= tv + 1e-12);
    RC_ASSERT(tv <= std::sqrt(2.0) * h + 1e-12);
    RC_ASSERT(jensen_shannon(p, q) <= tv + 1e-12);
    // Topsoe 2000, in bits.
    const double chi = chi_square(p, q), jsd = jensen_shannon(p, q);
    RC_ASSERT(chi / (2 * std::numbers::ln2) <= jsd + 1e-12);
    RC_ASSERT(jsd <= chi + 1e-12);
}

RC_GTEST_PROP(Divergence, RootsAreMetrics, ()) {
    const auto bins = *rc::gen::inRange<std::size_t>(1, 20);
    const Values p = counts(bins), q = counts(bins), r = counts(bins);
    // Endres and Schindelin, IEEE Trans. Inf. Theory 49(7), 2003, for the root of JSD; Le Cam 1986.
    const auto root_jsd = [](const Values& a, const Values& b) { return std::sqrt(jensen_shannon(a, b)); };
    const auto root_chi = [](const Values& a, const Values& b) { return std::sqrt(chi_square(a, b)); };
    RC_ASSERT(root_jsd(p, r) <= root_jsd(p, q) + root_jsd(q, r) + 1e-7);
    RC_ASSERT(root_chi(p, r) <= root_chi(p, q) + root_chi(q, r) + 1e-7);
    RC_ASSERT(total_variation(p, r) <= total_variation(p, q) + total_variation(q, r) + 1e-12);
    RC_ASSERT(hellinger(p, r) <= hellinger(p, q) + hellinger(q, r) + 1e-12);
}

RC_GTEST_PROP(Divergence, KullbackLeiblerIsFiniteAndNotNegative, ()) {
    const auto bins = *rc::gen::inRange<std::size_t>(1, 20);
    const Values p = counts(bins), q = counts(bins);
    const double bits = kullback_leibler(p, q);
    RC_ASSERT(std::isfinite(bits) && bits >= 0);
    RC_ASSERT(kullback_leibler(p, p) == 0);
    // No term is beyond the logarithm of what the rarest bin of q has.
    const double total = std::accumulate(q.begin(), q.end(), 0.0);
    RC_ASSERT(bits <= std::log2(2 * total + static_cast<double>(bins)) + 1e-9);
    // Bins that nobody has say nothing, nor does their order.
    Values p_more(p.rbegin(), p.rend()), q_more(q.rbegin(), q.rend());
    p_more.push_back(0);
    q_more.push_back(0);
    RC_ASSERT(std::abs(kullback_leibler(p_more, q_more) - bits) < 1e-12);
}

RC_GTEST_PROP(Divergence, MixingWithTheOtherSideNeverAdds, ()) {
    // Convexity: a share of q's own shape in p brings p nearer.
    const auto bins = *rc::gen::inRange<std::size_t>(1, 20);
    const Values p = counts(bins), q = counts(bins);
    const double p_total = std::accumulate(p.begin(), p.end(), 0.0),
                 q_total = std::accumulate(q.begin(), q.end(), 0.0);
    for (const Divergence distance : divergences) {
        double before = 2;
        for (const double share : {0.0, 0.3, 0.7, 1.0}) {
            Values mixed;
            for (std::size_t i = 0; i < bins; ++i)
                mixed.push_back((1 - share) * p[i] / p_total + share * q[i] / q_total);
            const double value = distance(mixed, q);
            RC_ASSERT(value <= before + 1e-7);
            before = value;
        }
    }
}

RC_GTEST_PROP(Divergence, DoesNotDependOnTheOrderOfBinsOrTheScaleOfCounts, ()) {
    const auto bins = *rc::gen::inRange<std::size_t>(1, 20);
    const Values p = counts(bins), q = counts(bins);
    const auto shift = *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(bins));
    Values p_moved = p, q_moved = q;
    std::rotate(p_moved.begin(), p_moved.begin() + shift, p_moved.end());
    std::rotate(q_moved.begin(), q_moved.begin() + shift, q_moved.end());
    for (double& count : p_moved) count *= 7;
    for (const Divergence distance : divergences)
        RC_ASSERT(std::abs(distance(p, q) - distance(p_moved, q_moved)) < 1e-12);
}

RC_GTEST_PROP(Divergence, MergingBinsNeverAdds, ()) {
    // Data processing inequality.
    const auto bins = *rc::gen::inRange<std::size_t>(2, 20);
    Values p = counts(bins), q = counts(bins);
    Values fewer_p(p.begin() + 1, p.end()), fewer_q(q.begin() + 1, q.end());
    fewer_p[0] += p[0];
    fewer_q[0] += q[0];
    for (const Divergence distance : divergences)
        RC_ASSERT(distance(fewer_p, fewer_q) <= distance(p, q) + 1e-12);
}

RC_GTEST_PROP(Ordered, IsAMetric, ()) {
    const Values a = sample(), b = sample(), c = sample();
    for (const auto distance :
         {static_cast<Divergence>(wasserstein1), static_cast<Divergence>(kolmogorov_smirnov),
          static_cast<Divergence>(energy_distance)}) {
        RC_ASSERT(std::abs(distance(a, b) - distance(b, a)) < 1e-12);
        RC_ASSERT(distance(a, a) == 0);
        RC_ASSERT(distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9);
    }
}

RC_GTEST_PROP(Ordered, MovesWithTheValues, ()) {
    const Values a = sample(), b = sample();
    const double shift = *rc::gen::inRange(-1000, 1000), scale = *rc::gen::inRange(1, 100);
    Values a_moved = a, b_moved = b, shifted = a;
    for (double& value : a_moved) value = value * scale + shift;
    for (double& value : b_moved) value = value * scale + shift;
    for (double& value : shifted) value += shift;
    RC_ASSERT(std::abs(wasserstein1(a_moved, b_moved) - scale * wasserstein1(a, b)) < 1e-6);
    RC_ASSERT(std::abs(kolmogorov_smirnov(a_moved, b_moved) - kolmogorov_smirnov(a, b)) < 1e-12);
    RC_ASSERT(std::abs(energy_distance(a_moved, b_moved) - std::sqrt(scale) * energy_distance(a, b)) < 1e-6);
    RC_ASSERT(std::abs(wasserstein1(a, shifted) - std::abs(shift)) < 1e-9);
}

RC_GTEST_PROP(Ordered, DoesNotDependOnTheOrderOfValues, ()) {
    const Values a = sample(), b = sample();
    const Values backwards(a.rbegin(), a.rend());
    RC_ASSERT(wasserstein1(a, b) == wasserstein1(backwards, b));
    RC_ASSERT(kolmogorov_smirnov(a, b) == kolmogorov_smirnov(backwards, b));
    RC_ASSERT(energy_distance(a, b) == energy_distance(backwards, b));
}

RC_GTEST_PROP(Ordered, GrowsWithTheShift, ()) {
    const Values a = sample();
    double wasserstein = 0, ks = 0, energy = 0;
    for (const double shift : {0.5, 1.0, 3.0, 10.0, 100.0}) {
        Values moved = a;
        for (double& value : moved) value += shift;
        RC_ASSERT(wasserstein1(a, moved) > wasserstein);
        RC_ASSERT(energy_distance(a, moved) > energy);
        wasserstein = wasserstein1(a, moved);
        energy = energy_distance(a, moved);
        ks = kolmogorov_smirnov(a, moved);
        // Szekely: the integral of the squared difference is at most that of the difference.
        RC_ASSERT(energy * energy <= 2 * wasserstein + 1e-9);
    }
    RC_ASSERT(ks == 1);  // beyond the range of the sample
}

RC_GTEST_PROP(Bins, HoldEveryValueOnce, ()) {
    const Values real = sample(), other = sample();
    const Bins bins = Bins::numeric(real);
    RC_ASSERT(std::is_sorted(bins.edges().begin(), bins.edges().end()));
    for (const double value : real) RC_ASSERT(bins.index(value) > 0 && bins.index(value) + 1 < bins.size());
    const auto [low, high] = std::minmax_element(real.begin(), real.end());
    for (const double value : other) {
        const std::size_t bin = bins.index(value);
        RC_ASSERT(bin < bins.size());
        RC_ASSERT((bin == 0) == (value < *low));
        RC_ASSERT((bin + 1 == bins.size()) == (value > *high));
    }
}

RC_GTEST_PROP(Bins, DistancesDoNotDependOnTheScale, ()) {
    // Bins of equal mass follow any increasing map of the values.
    const Values real = sample(), synthetic = sample();
    const auto map = [](Values values) {
        for (double& value : values) value = std::pow(2.0, value / 2);
        return values;
    };
    const auto distance = [](const Values& a, const Values& b) {
        const FieldInfo info{"x", FieldKind::continuous, FieldScope::packet, "", ""};
        const Column left{info, a, std::vector<std::uint32_t>(a.size())},
            right{info, b, std::vector<std::uint32_t>(b.size())};
        return *FieldComparison(left, 1, right, 1, Bins::numeric(a)).distances();
    };
    const Distances plain = distance(real, synthetic), mapped = distance(map(real), map(synthetic));
    RC_ASSERT(plain[measure::ks] == mapped[measure::ks]);
    // Midpoints between few different values do not map exactly: only values between real ones may move.
    const bool between = std::any_of(synthetic.begin(), synthetic.end(), [&](double value) {
        return std::find(real.begin(), real.end(), value) == real.end();
    });
    if (!between) {
        RC_ASSERT(std::abs(plain[measure::jsd] - mapped[measure::jsd]) < 1e-12);
    }
}

}  // namespace
}  // namespace tracebench
