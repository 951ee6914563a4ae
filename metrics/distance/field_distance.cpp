#include "metrics/distance/field_distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/distance/calibration.h"
#include "metrics/distance/comparison_plan.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The least that a ceiling must be above the floor for a score to mean anything.
double resolution(std::size_t m, const RankedValues& real) {
    if (measure::is_divergence(m)) return 0.005;
    if (m == measure::wasserstein) return 0.02 * real.mean_deviation();
    // At most the root of twice the mean deviation: the energy distance to a constant.
    return m == measure::energy ? 0.02 * std::sqrt(2 * real.mean_deviation()) : 0.02;
}

std::string unit(std::size_t m, const FieldInfo& info) {
    if (m == measure::jsd || m == measure::kl) return "bit";
    if (m == measure::wasserstein) return info.unit;
    return m == measure::energy && info.unit != "1" ? "sqrt(" + info.unit + ")" : "1";
}

/// Other views of what the five first measures say.
bool counts_in_score(std::size_t m) {
    return m != measure::kl && m != measure::chi_square && m != measure::energy;
}

/// One field of all four sets of samples.
class FieldEvaluation {
  public:
    FieldEvaluation(const ComparisonPlan& plan, std::size_t field)
        : plan_(plan),
          train_(plan.input.real_train.observations.columns[field]),
          heldout_(plan.input.real_heldout.observations.columns[field]),
          synthetic_(plan.input.synthetic.observations.columns[field]),
          ceiling_(plan.input.ceiling.observations.columns[field]),
          real_(pooled(train_, plan.input.real_train.observations.sessions(), heldout_)),
          ranked_(sorted_counts(real_)) {}

    std::vector<MetricValue> values() const;

  private:
    Bins bins(const Column& uniform) const;
    void compare(std::vector<MetricValue>& values) const;
    Distances ceiling(const Column& uniform, const Bins& bins) const;

    const ComparisonPlan& plan_;
    const Column &train_, &heldout_, &synthetic_, &ceiling_;
    Column real_;  ///< train and held-out
    RankedValues ranked_;
};

std::vector<MetricValue> FieldEvaluation::values() const {
    const FieldInfo& info = heldout_.info;
    std::vector<MetricValue> values(measure_count(info.kind));
    for (std::size_t m = 0; m < values.size(); ++m) {
        values[m].metric = measure::names[m];
        values[m].group = info.name;
        values[m].area = scope_name(info.scope);
        values[m].unit = unit(m, info);
        values[m].in_score = counts_in_score(m);
        values[m].n_real = heldout_.total();
        values[m].n_synthetic = synthetic_.total();
        values[m].floor = values[m].ceiling = nan;
        if (heldout_.values.empty() && synthetic_.values.empty())
            values[m].skipped = "occurs neither in held-out nor in synthetic samples";
    }
    if (!heldout_.values.empty() || !synthetic_.values.empty()) compare(values);
    return values;
}

Bins FieldEvaluation::bins(const Column& uniform) const {
    if (real_.info.kind == FieldKind::continuous) return Bins::numeric(ranked_);
    std::vector<double> codes = real_.values;
    for (const Column* column : {&synthetic_, &ceiling_, &uniform})
        codes.insert(codes.end(), column->values.begin(), column->values.end());
    return Bins::categorical(std::move(codes));
}

Distances FieldEvaluation::ceiling(const Column& uniform, const Bins& shared) const {
    const bool flat = heldout_.info.ceiling == CeilingModel::uniform;
    const Column& column = flat ? uniform : ceiling_;
    const std::size_t sessions = flat ? 1 : plan_.input.ceiling.observations.sessions();
    const FieldComparison comparison(heldout_, plan_.input.real_heldout.observations.sessions(), column,
                                     sessions, shared);
    if (const auto distances = comparison.distances()) return *distances;
    // Samples that never have the field are as far as can be, except where there is no scale to say so.
    Distances none;
    none.fill(heldout_.values.empty() ? nan : 1);
    for (std::size_t m = 0; m < measure::count; ++m)
        if (!measure::is_bounded(m)) none[m] = nan;
    return none;
}

void FieldEvaluation::compare(std::vector<MetricValue>& values) const {
    const MetricInput& input = plan_.input;
    const std::size_t heldout_sessions = input.real_heldout.observations.sessions();
    const std::string empty_side = heldout_.values.empty()     ? "occurs in no held-out sample"
                                   : synthetic_.values.empty() ? "occurs in no synthetic sample"
                                                               : "";
    for (std::size_t m = 0; m < values.size(); ++m) {
        values[m].value = 1;
        if (!measure::is_bounded(m)) values[m].failed = empty_side;
    }
    if (real_.values.empty()) return;

    const Column uniform = know_nothing(train_.values.empty() ? heldout_ : train_);
    const Bins shared = bins(uniform);
    const FieldComparison pool(real_, input.real_train.observations.sessions() + heldout_sessions,
                               Column{real_.info, {}, {}}, 0, shared);
    const NoiseFloor floor =
        noise_floor(pool, plan_.splits, plan_.floor_seed(), ComparisonPlan::floor_splits);
    const Distances highest = ceiling(uniform, shared);
    for (std::size_t m = 0; m < values.size(); ++m) {
        values[m].floor = floor.mean[m];
        const double least = std::max(3 * floor.deviation[m], resolution(m, ranked_));
        const bool indistinct = highest[m] < floor.mean[m] + least;
        values[m].ceiling = indistinct ? nan : highest[m];
    }
    if (!empty_side.empty()) return;

    const FieldComparison comparison(heldout_, heldout_sessions, synthetic_,
                                     input.synthetic.observations.sessions(), shared);
    const Distances distances = comparison.distances().value();
    DistanceLists replicates = bootstrap_distances(comparison, plan_.real, plan_.synthetic, plan_.real_seed(),
                                                   plan_.synthetic_seed(), input.bootstrap);
    for (std::size_t m = 0; m < values.size(); ++m) {
        values[m].value = distances[m];
        values[m].replicates = std::move(replicates[m]);
    }
}

}  // namespace

MetricResult FieldDistance::evaluate(const MetricInput& input) const {
    const ComparisonPlan plan(input);
    MetricResult result;
    const std::size_t fields = all_fields().size();
    for (std::size_t field = 0; field < fields; ++field) {
        if (input.progress != nullptr) {
            input.progress->check_interrupted();
            input.progress->update(static_cast<double>(field), static_cast<double>(fields), "fields");
        }
        for (MetricValue& value : FieldEvaluation(plan, field).values())
            result.values.push_back(std::move(value));
    }
    return result;
}

}  // namespace tracebench
