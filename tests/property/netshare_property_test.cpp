// NetShare's distances on arbitrary values.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numbers>

#include "metrics/netshare/trace_comparison.h"

namespace tracebench {
namespace {

/// One session of one to forty small numbers.
Column values(std::vector<std::uint8_t> numbers) {
    Column result;
    for (const std::uint8_t number : numbers) result.values.push_back(number);
    result.session.assign(numbers.size(), 0);
    return result;
}

std::vector<std::uint8_t> numbers() {
    return *rc::gen::resize(40, rc::gen::nonEmpty<std::vector<std::uint8_t>>());
}

double distance(TraceDistance kind, const Column& a, const Column& b) {
    return TraceComparison(kind, a, 1, b, 1).distance().value();
}

constexpr TraceDistance kinds[] = {TraceDistance::rank_jsd, TraceDistance::jsd, TraceDistance::emd};

RC_GTEST_PROP(NetshareDistance, IsSymmetricWithinItsRangeAndZeroForEqualSides, ()) {
    const Column a = values(numbers()), b = values(numbers());
    for (const TraceDistance kind : kinds) {
        const double d = distance(kind, a, b);
        RC_ASSERT(d >= 0);
        if (kind != TraceDistance::emd) RC_ASSERT(d <= std::numbers::ln2 + 1e-12);
        RC_ASSERT(std::abs(d - distance(kind, b, a)) <= 1e-12 * std::max(1.0, d));
        RC_ASSERT(std::abs(distance(kind, a, a)) <= 1e-12);
    }
}

RC_GTEST_PROP(NetshareDistance, DoesNotDependOnTheOrder, ()) {
    std::vector<std::uint8_t> first = numbers();
    const Column before = values(first), b = values(numbers());
    std::reverse(first.begin(), first.end());
    for (const TraceDistance kind : kinds)
        RC_ASSERT(std::abs(distance(kind, before, b) - distance(kind, values(first), b)) <= 1e-9);
}

RC_GTEST_PROP(NetshareDistance, OfRanksIsBlindToNamesAndNeverMoreThanOfValues, ()) {
    const std::vector<std::uint8_t> first = numbers();
    const Column a = values(first), b = values(numbers());
    std::vector<std::uint8_t> renamed;
    for (const std::uint8_t number : first) renamed.push_back(static_cast<std::uint8_t>(number + 77));
    const double ranks = distance(TraceDistance::rank_jsd, a, b);
    RC_ASSERT(std::abs(ranks - distance(TraceDistance::rank_jsd, values(renamed), b)) <= 1e-12);
    // Sorting both sides pairs like shares with like: of all ways to name the values it is the nearest.
    RC_ASSERT(ranks <= distance(TraceDistance::jsd, a, b) + 1e-12);
}

RC_GTEST_PROP(NetshareDistance, SessionsCountAsOftenAsTheyAreDrawn, ()) {
    const std::vector<std::uint8_t> first = numbers(), second = numbers();
    const std::size_t times = *rc::gen::inRange<std::size_t>(1, 5);
    Column two = values(first);  // two sessions, of which the second is drawn several times
    std::vector<std::uint8_t> repeated = first;
    for (const std::uint8_t number : second) {
        two.values.push_back(number);
        two.session.push_back(1);
        for (std::size_t i = 0; i < times; ++i) repeated.push_back(number);
    }
    const Column other = values(numbers());
    for (const TraceDistance kind : kinds) {
        const std::vector<double> left = {1, static_cast<double>(times), 0}, right = {0, 0, 1};
        const double weighted = TraceComparison(kind, two, 2, other, 1).distance(left, right).value();
        RC_ASSERT(std::abs(weighted - distance(kind, values(repeated), other)) <= 1e-9);
    }
}

}  // namespace
}  // namespace tracebench
