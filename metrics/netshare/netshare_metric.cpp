#include "metrics/netshare/netshare_metric.h"

#include <limits>
#include <memory>
#include <utility>

#include "metrics/distance/calibrated_values.h"
#include "metrics/netshare/trace_comparison.h"
#include "metrics/value_counts.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// What a ceiling must be above its floor at least, as for the fields of metric `distance`: 0.005 bit, or 2%
/// of the real values' mean deviation from their median.
double resolution(TraceDistance distance, const Column& real) {
    if (distance != TraceDistance::emd) return 0.005 * std::numbers::ln2;
    if (real.values.empty()) return 0;
    return 0.02 * RankedValues(sorted_counts(real)).mean_deviation();
}

/// Held-out against synthetic records, field by field.
class Evaluation {
  public:
    explicit Evaluation(const MetricInput& input)
        : plan_(input),
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
        CalibratedValue calibrated =
            calibrate_values(plan_, {{kind(field), resolution(info.distance, heldout_.fields[field])}},
                             sets(field, heldout_, synthetic_), pool(field), sets(field, heldout_, ceiling_))
                .front();
        value.floor = calibrated.floor;
        value.ceiling = calibrated.ceiling;
        if (calibrated.measured) {
            value.value = calibrated.value;
            value.replicates = std::move(calibrated.replicates);
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

    static MeasuredSets sets(std::size_t field, const TraceRecords& a, const TraceRecords& b) {
        const auto comparison = std::make_shared<TraceComparison>(
            trace_fields[field].distance, a.fields[field], a.sessions, b.fields[field], b.sessions);
        return {[comparison](std::span<const double> left,
                             std::span<const double> right) -> std::optional<std::vector<double>> {
                    const auto distance = comparison->distance(left, right);
                    if (!distance) return std::nullopt;
                    return std::vector<double>{*distance};
                },
                a.sessions, b.sessions};
    }

    /// All real sessions as one side, to be split.
    MeasuredSets pool(std::size_t field) const {
        MeasuredSets real = sets(field, train_, heldout_);
        real.left += std::exchange(real.right, 0);
        return real;
    }

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
