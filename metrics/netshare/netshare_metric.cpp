#include "metrics/netshare/netshare_metric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "metrics/distance/comparison_plan.h"
#include "metrics/distance/session_resamples.h"
#include "metrics/netshare/trace_comparison.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// What a ceiling must be above its floor at least, as for the fields of metric `distance`: 0.005 bit, or 2%
/// of the real values' mean deviation from their median.
double resolution(TraceDistance distance, const Column& real) {
    if (distance != TraceDistance::emd) return 0.005 * std::numbers::ln2;
    if (real.values.empty()) return 0;
    std::vector<std::size_t> order(real.values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t i, std::size_t j) { return real.values[i] < real.values[j]; });
    const std::uint64_t total = real.total();
    std::uint64_t below = 0;
    std::size_t middle = 0;
    while ((below += real.count(order[middle])) <= total / 2) ++middle;
    const double median = real.values[order[middle]];
    double sum = 0;
    for (std::size_t i = 0; i < real.values.size(); ++i)
        sum += std::abs(real.values[i] - median) * real.count(i);
    return 0.02 * sum / static_cast<double>(total);
}

/// Held-out against synthetic records, field by field.
class Evaluation {
  public:
    explicit Evaluation(const MetricInput& input)
        : input_(input),
          plan_(input),
          train_(trace_records(input.real_train.samples, addresses_)),
          heldout_(trace_records(input.real_heldout.samples, addresses_)),
          synthetic_(trace_records(input.synthetic.samples, addresses_)),
          ceiling_(trace_records(input.ceiling.samples, addresses_)) {}

    MetricValue value(std::size_t field) const {
        const TraceField& info = trace_fields[field];
        const bool emd = info.distance == TraceDistance::emd;
        MetricValue value;
        value.metric = emd ? "netshare.emd" : "netshare.jsd";
        value.group = info.name;
        value.area = info.area;
        value.unit = info.unit;
        value.in_score = false;
        value.n_real = heldout_.fields[field].total();
        value.n_synthetic = synthetic_.fields[field].total();
        value.floor = value.ceiling = nan;
        if (value.n_real == 0 && value.n_synthetic == 0) {
            value.skipped = "occurs neither in held-out nor in synthetic samples";
            return value;
        }
        calibrate(field, value);
        const TraceComparison comparison = compare(field, heldout_, synthetic_);
        if (const auto distance = comparison.distance()) {
            value.value = *distance;
            value.replicates = replicates(comparison, kind(field), value.value);
        } else if (emd) {
            value.failed = value.n_real == 0 ? "no held-out sample has this field"
                                             : "no synthetic sample has this field";
        } else {
            value.value = TraceComparison::largest_jsd;
        }
        return value;
    }

  private:
    static MeasuredValue kind(std::size_t field) {
        if (trace_fields[field].distance == TraceDistance::emd)
            return {std::numeric_limits<double>::infinity(), false};
        return {TraceComparison::largest_jsd, true};
    }

    static TraceComparison compare(std::size_t field, const TraceRecords& a, const TraceRecords& b) {
        return {trace_fields[field].distance, a.fields[field], a.sessions, b.fields[field], b.sessions};
    }

    SessionMeasure measure(const TraceComparison& comparison) const {
        return [this, &comparison](std::span<const double> left,
                                   std::span<const double> right) -> std::optional<std::vector<double>> {
            if (input_.progress != nullptr) input_.progress->check_interrupted();
            const auto distance = comparison.distance(left, right);
            if (!distance) return std::nullopt;
            return std::vector<double>{*distance};
        };
    }

    void calibrate(std::size_t field, MetricValue& value) const {
        const TraceComparison real = compare(field, train_, heldout_);
        const ValueFloor floor =
            floor_of_values(measure(real), std::array{kind(field)}, plan_.splits, real.sessions(),
                            plan_.floor_seed(), ComparisonPlan::floor_splits)
                .front();
        value.floor = floor.mean;
        const auto highest = compare(field, heldout_, ceiling_).distance();
        if (!highest) return;
        const double least =
            std::max(3 * floor.deviation, resolution(trace_fields[field].distance, heldout_.fields[field]));
        if (*highest >= floor.mean + least) value.ceiling = *highest;
    }

    std::vector<double> replicates(const TraceComparison& comparison, MeasuredValue kind,
                                   double value) const {
        return bootstrap_values(measure(comparison), std::array{value}, std::array{kind},
                                {plan_.real, plan_.synthetic, comparison.a_sessions(),
                                 comparison.sessions() - comparison.a_sessions(), plan_.real_seed(),
                                 plan_.synthetic_seed()},
                                input_.bootstrap)
            .front();
    }

    const MetricInput& input_;
    ComparisonPlan plan_;
    AddressCodes addresses_;
    TraceRecords train_, heldout_, synthetic_, ceiling_;
};

}  // namespace

MetricResult NetshareMetric::evaluate(const MetricInput& input) const {
    const Evaluation evaluation(input);
    MetricResult result;
    for (std::size_t field = 0; field < trace_fields.size(); ++field)
        result.values.push_back(evaluation.value(field));
    return result;
}

}  // namespace tracebench
