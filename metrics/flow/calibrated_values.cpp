#include "metrics/flow/calibrated_values.h"

#include <algorithm>
#include <limits>

namespace tracebench {
namespace {

/// Every session of the left against every session of the right.
std::optional<std::vector<double>> all_against_all(const MeasuredSets& sets) {
    std::vector<double> left(sets.left + sets.right), right(left.size());
    std::fill_n(left.begin(), sets.left, 1.0);
    std::fill(right.begin() + static_cast<std::ptrdiff_t>(sets.left), right.end(), 1.0);
    return sets.measure(left, right);
}

SessionMeasure interruptible(const ComparisonPlan& plan, const MeasuredSets& sets) {
    return [&plan, &sets](std::span<const double> left, std::span<const double> right) {
        if (plan.input.progress != nullptr) plan.input.progress->check_interrupted();
        return sets.measure(left, right);
    };
}

}  // namespace

std::vector<CalibratedValue> calibrate_values(const ComparisonPlan& plan, const std::vector<ValueKind>& kinds,
                                              const MeasuredSets& synthetic, const MeasuredSets& pool,
                                              const MeasuredSets& ceiling) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<MeasuredValue> measured;
    for (const ValueKind& kind : kinds) measured.push_back(kind.measured);
    std::vector<CalibratedValue> result(kinds.size());

    const auto floors = floor_of_values(interruptible(plan, pool), measured, plan.splits, pool.left,
                                        plan.floor_seed(), ComparisonPlan::floor_splits);
    const auto highest = all_against_all(ceiling);
    for (std::size_t v = 0; v < kinds.size(); ++v) {
        result[v].floor = floors[v].mean;
        const double least = std::max(3 * floors[v].deviation, kinds[v].resolution);
        const bool distinct = highest && (*highest)[v] >= floors[v].mean + least;
        result[v].ceiling = distinct ? (*highest)[v] : nan;
    }
    const auto values = all_against_all(synthetic);
    if (!values) return result;
    auto replicates = bootstrap_values(
        interruptible(plan, synthetic), *values, measured,
        {plan.real, plan.synthetic, synthetic.left, synthetic.right, plan.real_seed(), plan.synthetic_seed()},
        plan.input.bootstrap);
    for (std::size_t v = 0; v < kinds.size(); ++v) {
        result[v].value = (*values)[v];
        result[v].measured = true;
        result[v].replicates = std::move(replicates[v]);
    }
    return result;
}

}  // namespace tracebench
