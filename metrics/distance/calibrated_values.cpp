#include "metrics/distance/calibrated_values.h"

#include <algorithm>
#include <limits>

namespace tracebench {
namespace {

SessionMeasure interruptible(const ComparisonPlan& plan, const MeasuredSets& sets) {
    return [&plan, &sets](std::span<const double> left, std::span<const double> right) {
        if (plan.input.progress != nullptr) plan.input.progress->check_interrupted();
        return sets.measure(left, right);
    };
}

}  // namespace

std::optional<std::vector<double>> all_against_all(const SessionMeasure& measure, std::size_t left,
                                                   std::size_t right) {
    std::vector<double> on_left(left + right), on_right(on_left.size());
    std::fill_n(on_left.begin(), left, 1.0);
    std::fill(on_right.begin() + static_cast<std::ptrdiff_t>(left), on_right.end(), 1.0);
    return measure(on_left, on_right);
}

std::vector<CalibratedValue> calibrate_values(const ComparisonPlan& plan, const std::vector<ValueKind>& kinds,
                                              const MeasuredSets& synthetic, const MeasuredSets& pool,
                                              const MeasuredSets& ceiling) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<MeasuredValue> measured;
    for (const ValueKind& kind : kinds) measured.push_back(kind.measured);
    std::vector<CalibratedValue> result(kinds.size());

    const auto floors = floor_of_values(interruptible(plan, pool), measured, plan.splits, pool.left,
                                        plan.floor_seed(), ComparisonPlan::floor_splits);
    const auto highest = all_against_all(ceiling.measure, ceiling.left, ceiling.right);
    for (std::size_t v = 0; v < kinds.size(); ++v) {
        result[v].floor = floors[v].mean;
        const double least = std::max(3 * floors[v].deviation, kinds[v].resolution);
        const bool distinct = highest && (*highest)[v] >= floors[v].mean + least;
        result[v].ceiling = distinct ? (*highest)[v] : nan;
    }
    const auto values = all_against_all(synthetic.measure, synthetic.left, synthetic.right);
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
