#include "metrics/flow/cicflow_metric.h"

#include <limits>

#include "metrics/distance/bins.h"
#include "metrics/distance/calibrated_values.h"
#include "metrics/distance/divergence.h"
#include "metrics/distance/ordered.h"
#include "metrics/flow/cic_features.h"
#include "metrics/flow/reservoir.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

/// The flows of a set of samples as their features.
struct FlowMatrix {
    std::vector<double> values[cic_feature_count];  ///< one a flow
    std::vector<std::uint32_t> session;             ///< one a flow, ascending
    std::size_t sessions = 0;

    std::size_t flows() const { return session.size(); }
};

struct FlowRow {
    std::uint32_t session = 0;
    std::array<double, cic_feature_count> values{};
};

FlowMatrix matrix_of(const Samples& samples, std::uint64_t seed) {
    Reservoir<FlowRow> rows(CicflowMetric::max_flows, seed);
    std::uint32_t session = 0;
    for (const LabelledTrace& sample : samples) {
        const Trace& trace = sample.trace;
        for (const FlowPackets& flow : split_flows(trace)) {
            CicFlow features;
            for (std::size_t i = 0; i < flow.packets.size(); ++i) {
                const PacketView& packet = trace.packets[flow.packets[i]];
                features.add(cic_packet(packet, dissect(packet), flow.directions[i]));
            }
            rows.add({session, features.values()});
        }
        ++session;
    }
    FlowMatrix matrix;
    matrix.sessions = samples.size();
    for (const FlowRow& row : rows.take()) {
        for (std::size_t f = 0; f < cic_feature_count; ++f) matrix.values[f].push_back(row.values[f]);
        matrix.session.push_back(row.session);
    }
    return matrix;
}

FlowMatrix joined(const FlowMatrix& a, const FlowMatrix& b) {
    FlowMatrix both = a;
    for (std::size_t f = 0; f < cic_feature_count; ++f)
        both.values[f].insert(both.values[f].end(), b.values[f].begin(), b.values[f].end());
    for (const std::uint32_t session : b.session)
        both.session.push_back(session + static_cast<std::uint32_t>(a.sessions));
    both.sessions += b.sessions;
    return both;
}

/// All features of some sessions, made ready for any weighting of the sessions.
class FeatureComparison {
  public:
    FeatureComparison(const FlowMatrix& flows, const std::vector<Bins>& bins) : sessions_(flows.sessions) {
        for (std::size_t f = 0; f < cic_feature_count; ++f) {
            std::vector<double> counts(sessions_ * bins[f].size());
            for (std::size_t i = 0; i < flows.flows(); ++i)
                counts[flows.session[i] * bins[f].size() + bins[f].index(flows.values[f][i])] += 1;
            features_.push_back(
                {bins[f].size(), std::move(counts), SortedSessions(flows.values[f], flows.session)});
        }
    }

    /// jsd and ks of each feature in turn.
    std::optional<std::vector<double>> distances(std::span<const double> left,
                                                 std::span<const double> right) const {
        std::vector<double> values;
        for (const Feature& feature : features_) {
            OrderedDistances ordered;
            if (!feature.sorted.compare(left, right, ordered)) return std::nullopt;
            values.push_back(jensen_shannon(weighted(feature, left), weighted(feature, right)));
            values.push_back(ordered.ks);
        }
        return values;
    }

  private:
    struct Feature {
        std::size_t bins = 0;
        std::vector<double> counts;  ///< session by session
        SortedSessions sorted;
    };

    std::vector<double> weighted(const Feature& feature, std::span<const double> weights) const {
        std::vector<double> sum(feature.bins);
        for (std::size_t s = 0; s < sessions_; ++s) {
            if (weights[s] == 0) continue;
            const double* const counts = feature.counts.data() + s * feature.bins;
            for (std::size_t b = 0; b < feature.bins; ++b) sum[b] += weights[s] * counts[b];
        }
        return sum;
    }

    std::size_t sessions_;
    std::vector<Feature> features_;
};

MeasuredSets sets_of(const FlowMatrix& left, const FlowMatrix& right, const std::vector<Bins>& bins) {
    const auto comparison = std::make_shared<FeatureComparison>(joined(left, right), bins);
    return {[comparison](std::span<const double> a, std::span<const double> b) {
                return comparison->distances(a, b);
            },
            left.sessions, right.sessions};
}

std::vector<CalibratedValue> compare(const ComparisonPlan& plan, const FlowMatrix& heldout,
                                     const FlowMatrix& synthetic) {
    const FlowMatrix train = matrix_of(plan.input.real_train.samples, plan.floor_seed()),
                     ceiling = matrix_of(plan.input.ceiling.samples, plan.floor_seed()),
                     real = joined(train, heldout);
    std::vector<Bins> bins;
    std::vector<ValueKind> kinds;
    for (const auto& values : real.values) {
        bins.push_back(Bins::numeric(values));
        kinds.push_back({{1, true}, 0.005});  // jsd
        kinds.push_back({{1, false}, 0.02});  // ks
    }
    return calibrate_values(plan, kinds, sets_of(heldout, synthetic, bins), sets_of(real, {}, bins),
                            sets_of(heldout, ceiling, bins));
}

}  // namespace

MetricResult CicflowMetric::evaluate(const MetricInput& input) const {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const ComparisonPlan plan(input);
    const FlowMatrix heldout = matrix_of(input.real_heldout.samples, plan.real_seed()),
                     synthetic = matrix_of(input.synthetic.samples, plan.synthetic_seed());
    std::vector<CalibratedValue> values(2 * cic_feature_count, {0, nan, nan, {}, false});
    if (heldout.flows() > 0) values = compare(plan, heldout, synthetic);
    MetricResult result;
    for (std::size_t v = 0; v < values.size(); ++v) {
        MetricValue value;
        value.metric = v % 2 == 0 ? "cicflow.jsd" : "cicflow.ks";
        value.group = cic_features()[v / 2].name;
        value.area = "flow";
        value.unit = v % 2 == 0 ? "bit" : "1";
        value.in_score = false;
        value.n_real = heldout.flows();
        value.n_synthetic = synthetic.flows();
        value.value = values[v].measured ? values[v].value : 1;
        value.floor = values[v].floor;
        value.ceiling = values[v].ceiling;
        value.replicates = std::move(values[v].replicates);
        if (heldout.flows() == 0 && synthetic.flows() == 0)
            value.skipped = "there are flows neither in held-out nor in synthetic samples";
        result.values.push_back(std::move(value));
    }
    return result;
}

}  // namespace tracebench
