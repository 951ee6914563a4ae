#include "metrics/sequence/sequence_metric.h"

#include <cmath>
#include <limits>

#include "metrics/distance/divergence.h"
#include "metrics/distance/calibrated_values.h"
#include "metrics/sequence/flow_sequences.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// One side's flows: nearly all for trigrams, some for DTW.
struct Side {
    std::vector<FlowSequence> flows, compared;
    std::size_t sessions = 0;
};

Side side_of(const SampleSet& set, std::size_t compared, std::uint64_t seed) {
    Side side;
    side.flows = flow_sequences(set.samples, SequenceMetric::max_trigram_flows, seed);
    side.compared = thinned(side.flows, compared, seed);
    side.sessions = set.samples.size();
    return side;
}

std::vector<FlowSequence> renumbered(std::vector<FlowSequence> flows, std::size_t sessions_before) {
    for (FlowSequence& flow : flows) flow.session += static_cast<std::uint32_t>(sessions_before);
    return flows;
}

Side pooled(Side a, const Side& b) {
    for (auto member : {&Side::flows, &Side::compared}) {
        const auto more = renumbered(b.*member, a.sessions);
        (a.*member).insert((a.*member).end(), more.begin(), more.end());
    }
    a.sessions += b.sessions;
    return a;
}

/// Trigrams of some sessions, session by session.
class TrigramCounts {
  public:
    TrigramCounts(const std::vector<FlowSequence>& flows, std::size_t sessions) : cells_(sessions) {
        std::vector<double> counts(trigram_codes);
        std::size_t i = 0;
        for (std::size_t s = 0; s < sessions; ++s) {
            std::fill(counts.begin(), counts.end(), 0.0);
            for (; i < flows.size() && flows[i].session == s; ++i)
                for (const std::uint16_t code : flows[i].trigrams) ++counts[code];
            for (std::size_t code = 0; code < trigram_codes; ++code)
                if (counts[code] > 0) cells_[s].push_back({static_cast<std::uint16_t>(code), counts[code]});
        }
    }
    std::vector<double> weighted(std::span<const double> weights) const {
        std::vector<double> sum(trigram_codes);
        for (std::size_t s = 0; s < cells_.size(); ++s)
            for (const Cell& cell : cells_[s]) sum[cell.code] += weights[s] * cell.count;
        return sum;
    }

  private:
    struct Cell {
        std::uint16_t code;
        double count;
    };
    std::vector<std::vector<Cell>> cells_;
};

bool has_mass(const std::vector<double>& masses) {
    return std::any_of(masses.begin(), masses.end(), [](double mass) { return mass > 0; });
}

MeasuredSets trigram_sets(const Side& left, const Side& right) {
    const auto counts =
        std::make_shared<TrigramCounts>(pooled(left, right).flows, left.sessions + right.sessions);
    return {
        [counts](std::span<const double> a, std::span<const double> b) -> std::optional<std::vector<double>> {
            const std::vector<double> p = counts->weighted(a), q = counts->weighted(b);
            if (!has_mass(p) || !has_mass(q)) return std::nullopt;
            return std::vector{jensen_shannon(p, q)};
        },
        left.sessions, right.sessions};
}

MeasuredSets nearest_sets(const Side& left, const Side& right) {
    const auto nearest =
        std::make_shared<NearestFlows>(left.compared, left.sessions, right.compared, right.sessions);
    return {[nearest](std::span<const double> a,
                      std::span<const double> b) -> std::optional<std::vector<double>> {
                const double distance = nearest->distance(a, b);
                if (std::isnan(distance)) return std::nullopt;
                return std::vector{distance};
            },
            left.sessions, right.sessions};
}

MetricValue described(const char* metric, const char* group, const char* unit, CalibratedValue calibrated) {
    MetricValue value;
    value.metric = metric;
    value.group = group;
    value.area = "flow";
    value.unit = unit;
    value.value = calibrated.measured ? calibrated.value : 1;
    value.floor = calibrated.floor;
    value.ceiling = calibrated.ceiling;
    value.replicates = std::move(calibrated.replicates);
    return value;
}

}  // namespace

MetricResult SequenceMetric::evaluate(const MetricInput& input) const {
    const ComparisonPlan plan(input);
    const Side heldout = side_of(input.real_heldout, max_flows, plan.real_seed()),
               synthetic = side_of(input.synthetic, max_flows, plan.synthetic_seed());
    CalibratedValue trigrams{0, nan, nan, {}, false}, dtw = trigrams;
    if (!heldout.flows.empty()) {
        // As dense as the held-out side is, since the nearest flow is nearer among more.
        const double density =
            static_cast<double>(heldout.compared.size()) / static_cast<double>(heldout.flows.size());
        Side train = side_of(input.real_train, 0, plan.floor_seed());
        train.compared =
            thinned(train.flows,
                    static_cast<std::size_t>(std::ceil(density * static_cast<double>(train.flows.size()))),
                    plan.floor_seed());
        const Side ceiling = side_of(input.ceiling, max_flows, plan.floor_seed());
        const Side pool = pooled(train, heldout), none;
        trigrams = calibrate_values(plan, {{{1, true}, 0.005}}, trigram_sets(heldout, synthetic),
                                    trigram_sets(pool, none), trigram_sets(heldout, ceiling))
                       .front();
        dtw = calibrate_values(plan, {{{2, false}, 0.002}}, nearest_sets(heldout, synthetic),
                               nearest_sets(pool, none), nearest_sets(heldout, ceiling))
                  .front();
    }
    MetricResult result;
    const bool dtw_failed = !dtw.measured;
    result.values.push_back(described("sequence.jsd", "trigrams", "bit", std::move(trigrams)));
    result.values.push_back(described("sequence.dtw", "nearest flow", "1", std::move(dtw)));
    result.values[0].n_real = heldout.flows.size();
    result.values[0].n_synthetic = synthetic.flows.size();
    result.values[1].n_real = heldout.compared.size();
    result.values[1].n_synthetic = synthetic.compared.size();
    if (dtw_failed)
        result.values[1].failed =
            heldout.flows.empty() ? "no flow in held-out samples" : "no flow in synthetic samples";
    if (heldout.flows.empty() && synthetic.flows.empty()) {
        for (MetricValue& value : result.values) {
            value.failed.clear();
            value.skipped = "there are flows neither in held-out nor in synthetic samples";
        }
    }
    return result;
}

}  // namespace tracebench
