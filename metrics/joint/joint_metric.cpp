#include "metrics/joint/joint_metric.h"

#include "metrics/details.h"
#include "metrics/joint/features.h"
#include "metrics/joint/joint_measures.h"

namespace tracebench {
namespace {

/// Vectors of which all pairs are compared, and vectors in all, of one side.
constexpr std::size_t max_pairwise = 1'000, max_vectors = 10'000, max_ranked_packets = 2'000;

/// The vectors of the four sets of samples.
struct FourSets {
    FeatureVectors train, heldout, synthetic, ceiling;

    explicit FourSets(const MetricInput& input)
        : train(feature_vectors(input.real_train)),
          heldout(feature_vectors(input.real_heldout)),
          synthetic(feature_vectors(input.synthetic)),
          ceiling(feature_vectors(input.ceiling)) {}

    /// On one scale, fixed from the real ones.
    template <typename Pick>
    JointPoints standardised(Pick pick) const {
        JointPoints points{pick(train), pick(heldout), pick(synthetic), pick(ceiling)};
        const Standardiser standardiser(joined(points.train, points.heldout));
        for (Points* set : {&points.train, &points.heldout, &points.synthetic, &points.ceiling})
            standardiser.apply(*set);
        return points;
    }
};

void append(MetricResult& result, std::vector<MetricValue> values) {
    for (MetricValue& value : values) result.values.push_back(std::move(value));
}

void compare_vectors(const ComparisonPlan& plan, const JointPoints& points, const std::string& group,
                     const std::string& vectors, MetricResult& result) {
    const JointPoints few = thinned(points, max_pairwise), many = thinned(points, max_vectors);
    // Of real vectors alone: a generator's own must not change the kernel it is judged by.
    const double bandwidth = median_distance(PairDistances(few.train, few.heldout));
    append(result,
           evaluate_families(plan, few, pairwise_families(bandwidth, points.train.width), group, vectors));
    append(result, evaluate_families(plan, many, linear_families(bandwidth), group, vectors));
}

nlohmann::json describe_information(const Points& heldout, const Points& synthetic, const Classes& classes) {
    const auto information = [&](const Points& packets) {
        return PairTables(packets, classes).information(std::vector<double>(packets.sessions, 1.0));
    };
    const auto real = information(heldout), made = information(synthetic);
    const auto number = [](const std::optional<double>& value) {
        return value ? nlohmann::json(rounded(*value)) : nlohmann::json(nullptr);
    };
    nlohmann::json pairs = nlohmann::json::array();
    const std::vector<Feature>& features = joint_packet_features();
    for (std::size_t f = 0; f < features.size(); ++f)
        for (std::size_t g = f + 1; g < features.size(); ++g) {
            const std::size_t pair = pairs.size();
            pairs.push_back({{"fields", {features[f].name, features[g].name}},
                             {"real", number(real[pair])},
                             {"synthetic", number(made[pair])}});
        }
    return pairs;
}

void compare_packets(const ComparisonPlan& plan, const FourSets& sets, MetricResult& result) {
    std::vector<bool> is_number;
    for (const Feature& feature : joint_packet_features())
        is_number.push_back(feature.kind == FieldKind::continuous);
    const JointPoints packets{sets.train.packets, sets.heldout.packets, sets.synthetic.packets,
                              sets.ceiling.packets};
    const Classes classes(joined(packets.train, packets.heldout), is_number);
    append(result, evaluate_families(plan, packets, {information_family(classes)}, "packet", "packets"));
    const JointPoints numbers =
        sets.standardised([](const FeatureVectors& set) { return packet_numbers(set.packets); });
    append(result, evaluate_families(plan, numbers, {correlation_family()}, "packet", "packets"));
    append(result, evaluate_families(plan, thinned(numbers, max_ranked_packets), {rank_correlation_family()},
                                     "packet", "packets"));
    if (packets.heldout.size() > 0 && packets.synthetic.size() > 0)
        result.details["joint"]["mutual_information"] =
            describe_information(packets.heldout, packets.synthetic, classes);
}

}  // namespace

MetricResult JointMetric::evaluate(const MetricInput& input) const {
    const ComparisonPlan plan(input);
    const FourSets sets(input);
    const auto progress = [&](double done, const char* what) {
        if (input.progress == nullptr) return;
        input.progress->check_interrupted();
        input.progress->update(done, 3, what);
    };
    MetricResult result;
    progress(0, "flows");
    compare_vectors(plan, sets.standardised([](const FeatureVectors& set) { return set.flows; }), "flow",
                    "flows", result);
    progress(1, "sessions");
    compare_vectors(plan, sets.standardised([](const FeatureVectors& set) { return set.sessions; }),
                    "session", "sessions", result);
    progress(2, "packets");
    compare_packets(plan, sets, result);
    return result;
}

}  // namespace tracebench
