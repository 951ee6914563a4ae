// What holds of privacy measures, whatever the flows.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "metrics/privacy/minhash.h"
#include "metrics/privacy/neighbours.h"
#include "metrics/privacy/roc.h"
#include "metrics/privacy/shared_runs.h"

namespace tracebench {
namespace {

using Symbols = std::vector<std::uint32_t>;

/// Few different symbols, so that runs are shared.
Symbols symbols() {
    return *rc::gen::container<Symbols>(rc::gen::inRange<std::uint32_t>(0, 3));
}

RC_GTEST_PROP(MinHash, EstimatesTheJaccardIndex, ()) {
    const auto a = shingles(symbols()), b = shingles(symbols());
    const double exact = jaccard(a, b), estimate = estimated_jaccard(minhash(a), minhash(b));
    // Hoeffding: 128 hash functions are farther off than 0.3 once in 10^10 times.
    RC_ASSERT(std::abs(exact - estimate) < 0.3);
    RC_ASSERT(exact >= 0 && exact <= 1);
    RC_ASSERT(jaccard(b, a) == exact);
    RC_ASSERT(jaccard(a, a) == 1);
    RC_ASSERT(estimated_jaccard(minhash(a), minhash(a)) == 1);
}

RC_GTEST_PROP(MinHash, DoesNotDependOnTheOrderOfShingles, ()) {
    auto some = shingles(symbols());
    const MinHash before = minhash(some);
    std::reverse(some.begin(), some.end());
    RC_ASSERT(minhash(some) == before);
}

std::size_t longest_by_hand(const Symbols& a, const Symbols& b) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < b.size(); ++j) {
            std::size_t length = 0;
            while (i + length < a.size() && j + length < b.size() && a[i + length] == b[j + length]) ++length;
            best = std::max(best, std::min(length, SharedRuns::longest));
        }
    return best;
}

RC_GTEST_PROP(SharedRuns, AreTheLongestThereAre, ()) {
    std::vector<Symbols> collection(*rc::gen::inRange<std::size_t>(0, 5));
    for (Symbols& sequence : collection) sequence = symbols();
    const SharedRuns runs({collection.begin(), collection.end()});
    const Symbols wanted = symbols();
    std::size_t expected = 0;
    for (const Symbols& sequence : collection)
        expected = std::max(expected, longest_by_hand(wanted, sequence));
    RC_ASSERT(runs.longest_in(wanted) == expected);
    for (const Symbols& sequence : collection)
        RC_ASSERT(runs.longest_in(sequence) == std::min(sequence.size(), SharedRuns::longest));
}

RC_GTEST_PROP(Roc, FollowsTheOrderOfScoresAlone, ()) {
    std::vector<Judged> judged;
    const auto count = *rc::gen::inRange(2, 40);
    for (int i = 0; i < count; ++i)
        judged.push_back({static_cast<double>(*rc::gen::inRange(-5, 5)), i % 2 == 0, 0});
    const std::vector<double> once = {1.0};
    sort_by_score(judged);
    std::vector<Judged> mapped = judged, turned = judged;
    for (Judged& one : mapped) one.score = std::exp(one.score) - 3;
    for (Judged& one : turned) one.member = !one.member;
    const double area = area_under_curve(judged, once, once);
    RC_ASSERT(area >= 0 && area <= 1);
    RC_ASSERT(area_under_curve(mapped, once, once) == area);
    RC_ASSERT(std::abs(area_under_curve(turned, once, once) - (1 - area)) < 1e-12);
    double last = 0;
    for (const double level : {0.0, 0.01, 0.1, 0.5, 1.0}) {
        const double rate = true_positive_rate(judged, level, once, once);
        RC_ASSERT(rate >= last);
        RC_ASSERT(true_positive_rate(mapped, level, once, once) == rate);
        last = rate;
    }
    RC_ASSERT(last == 1);
}

RC_GTEST_PROP(Nearest, IsTheLeastDistance, ()) {
    const auto points = [](std::size_t least) {
        Points result(*rc::gen::inRange<std::size_t>(least, 8));
        for (auto& row : result)
            for (int f = 0; f < 3; ++f) row.push_back(*rc::gen::inRange(-9, 9));
        return result;
    };
    const Points from = points(0), to = points(2);
    const auto nearest = nearest_two(from, to);
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::vector<double> all;
        for (const auto& point : to)
            all.push_back(std::hypot(from[i][0] - point[0], from[i][1] - point[1], from[i][2] - point[2]));
        std::sort(all.begin(), all.end());
        RC_ASSERT(std::abs(nearest[i][0] - all[0]) < 1e-9);
        RC_ASSERT(std::abs(nearest[i][1] - all[1]) < 1e-9);
    }
}

}  // namespace
}  // namespace tracebench
