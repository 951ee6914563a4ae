#include "metrics/joint/joint_family.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/distance/calibrated_values.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The three comparisons of one group of vectors.
struct Comparisons {
    const ComparisonPlan& plan;
    const JointPoints& points;
    JointSides real{points.train, points.heldout}, made{points.heldout, points.synthetic},
        highest{points.heldout, points.ceiling};
};

SessionMeasure prepared(const Comparisons& comparisons, const JointFamily& family, const JointSides& sides) {
    return [measure = family.prepare(sides), progress = comparisons.plan.input.progress](
               std::span<const double> left, std::span<const double> right) {
        if (progress != nullptr) progress->check_interrupted();
        return measure(left, right);
    };
}

void calibrate(const Comparisons& comparisons, const JointFamily& family,
               const std::vector<MeasuredValue>& kinds, std::span<MetricValue> values) {
    const auto& [plan, points, real, made, highest] = comparisons;
    const auto floors = floor_of_values(prepared(comparisons, family, real), kinds, plan.splits,
                                        real.all().sessions, plan.floor_seed(), ComparisonPlan::floor_splits);
    const auto ceilings = all_against_all(prepared(comparisons, family, highest), points.heldout.sessions,
                                          points.ceiling.sessions);
    for (std::size_t m = 0; m < values.size(); ++m) {
        values[m].floor = floors[m].mean;
        const double least = std::max(3 * floors[m].deviation, family.measures[m].resolution);
        const double ceiling = ceilings                ? (*ceilings)[m]
                               : points.ceiling.size() ? nan
                                                       : family.measures[m].without_synthetic.value_or(nan);
        const double above =
            family.measures[m].lower_is_better ? ceiling - floors[m].mean : floors[m].mean - ceiling;
        values[m].ceiling = above >= least ? ceiling : nan;
    }
}

void compare(const Comparisons& comparisons, const JointFamily& family,
             const std::vector<MeasuredValue>& kinds, std::span<MetricValue> values) {
    const auto& [plan, points, real, made, highest] = comparisons;
    const SessionMeasure measure = prepared(comparisons, family, made);
    const auto found = all_against_all(measure, points.heldout.sessions, points.synthetic.sessions);
    if (!found) {
        for (MetricValue& value : values) value.failed = family.needs;
        return;
    }
    auto replicates = bootstrap_values(measure, *found, kinds,
                                       {plan.real, plan.synthetic, points.heldout.sessions,
                                        points.synthetic.sessions, plan.real_seed(), plan.synthetic_seed()},
                                       plan.input.bootstrap);
    for (std::size_t m = 0; m < values.size(); ++m) {
        values[m].value = (*found)[m];
        values[m].replicates = std::move(replicates[m]);
    }
}

}  // namespace

JointSides::JointSides(const Points& a, const Points& b) : all_(joined(a, b)) {}

const PairDistances& JointSides::pairs() const {
    if (!pairs_) pairs_ = std::make_unique<PairDistances>(all_, Points{all_.width, {}, {}, 0});
    return *pairs_;
}

JointPoints thinned(const JointPoints& points, std::size_t limit) {
    const std::size_t larger = std::max(points.train.size(), points.heldout.size());
    const auto share = [&](const Points& real) {
        return larger <= limit ? limit : std::max<std::size_t>(1, limit * real.size() / larger);
    };
    return {thinned(points.train, share(points.train), 1), thinned(points.heldout, share(points.heldout), 2),
            thinned(points.synthetic, limit, 3), thinned(points.ceiling, limit, 4)};
}

std::vector<MetricValue> evaluate_families(const ComparisonPlan& plan, const JointPoints& points,
                                           const std::vector<JointFamily>& families, const std::string& group,
                                           const std::string& vectors) {
    const Comparisons comparisons{plan, points};
    std::vector<MetricValue> result;
    for (const JointFamily& family : families) {
        std::vector<MetricValue> values;
        std::vector<MeasuredValue> kinds;
        for (const JointMeasure& measure : family.measures) {
            MetricValue& value = values.emplace_back();
            value.metric = "joint." + measure.name;
            value.group = value.area = group;
            value.lower_is_better = measure.lower_is_better;
            value.unit = measure.unit;
            value.in_score = measure.in_score;
            value.n_real = points.heldout.size();
            value.n_synthetic = points.synthetic.size();
            value.floor = value.ceiling = nan;
            kinds.push_back(measure.kind);
            if (points.heldout.size() == 0 && points.synthetic.size() == 0)
                value.skipped = "no " + vectors + " in held-out or synthetic samples";
            else if (points.heldout.size() == 0)
                value.failed = "no " + vectors + " in held-out samples";
            else if (points.synthetic.size() == 0 && !measure.without_synthetic)
                value.failed = "no " + vectors + " in synthetic samples";
            value.value = measure.without_synthetic.value_or(0);
        }
        if (points.heldout.size() > 0) calibrate(comparisons, family, kinds, values);
        if (points.heldout.size() > 0 && points.synthetic.size() > 0)
            compare(comparisons, family, kinds, values);
        for (MetricValue& value : values) result.push_back(std::move(value));
    }
    return result;
}

}  // namespace tracebench
