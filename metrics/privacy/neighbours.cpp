#include "metrics/privacy/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double low_percentile = 0.05;

/// A number of one flow.
struct Measured {
    double number = 0;
    std::uint32_t session = 0;
};

std::vector<Measured> ascending(const Flows& flows, const std::vector<std::array<double, 2>>& distances,
                                double (*number)(const std::array<double, 2>&)) {
    std::vector<Measured> result;
    for (std::size_t i = 0; i < flows.size(); ++i)
        result.push_back({number(distances[i]), flows[i]->session});
    std::stable_sort(result.begin(), result.end(),
                     [](const Measured& a, const Measured& b) { return a.number < b.number; });
    return result;
}

/// The quantile where each session counts as often as its (whole) weight says; NaN where nothing counts.
double weighted_quantile(const std::vector<Measured>& sorted, std::span<const double> weights,
                         double probability) {
    std::vector<double> numbers;
    for (const Measured& measured : sorted)
        numbers.insert(numbers.end(), static_cast<std::size_t>(weights[measured.session]), measured.number);
    return numbers.empty() ? nan : quantile(numbers, probability);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return quantile(values, 0.5);
}

double nearest(const std::array<double, 2>& distances) {
    return distances[0];
}

double nearest_over_second(const std::array<double, 2>& distances) {
    return distances[1] > 0 && std::isfinite(distances[1]) ? distances[0] / distances[1] : 1;
}

/// Distances from each flow of one side to the nearest flow of each session of another; infinite where a
/// session has none.
class SessionDistances {
  public:
    SessionDistances(const Points& from, const Points& to, const Flows& flows, std::size_t sessions)
        : sessions_(sessions), nearest_(from.size() * sessions, far) {
        std::map<std::uint32_t, Points> by_session;
        for (std::size_t i = 0; i < to.size(); ++i) by_session[flows[i]->session].push_back(to[i]);
        for (const auto& [session, points] : by_session) {
            const auto distances = nearest_two(from, points);
            for (std::size_t i = 0; i < from.size(); ++i) nearest_[i * sessions + session] = distances[i][0];
        }
    }
    /// To the nearest flow of all sessions that have a weight.
    double nearest(std::size_t from, std::span<const double> weights) const {
        double least = far;
        for (std::size_t s = 0; s < sessions_; ++s)
            if (weights[s] > 0) least = std::min(least, nearest_[from * sessions_ + s]);
        return least;
    }

  private:
    static constexpr double far = std::numeric_limits<double>::infinity();
    std::size_t sessions_;
    std::vector<double> nearest_;
};

class NeighbourMeasure {
  public:
    explicit NeighbourMeasure(const PrivacyComparison& comparison) : c_(comparison) {
        Random real_random(stream_seed(c_.real_seed, "privacy/neighbours")),
            random(stream_seed(c_.synthetic_seed, "privacy/neighbours"));
        const Flows train = all_flows(c_.train), heldout = all_flows(c_.heldout);
        // As many on either side: the nearest of many is nearer than the nearest of few.
        const std::size_t either = std::min({train.size(), heldout.size(), c_.max_flows});
        train_ = thinned(train, either, real_random);
        heldout_ = thinned(heldout, either, real_random);
        synthetic_ = thinned(all_flows(c_.synthetic), c_.max_flows, random);
        possible_ = !train_.empty() && !heldout_.empty() && !synthetic_.empty();
    }

    Findings measure() {
        add("dcr_share", 0.5);
        add("distance_ratio", 1);
        add("dcr", nan);
        add("nndr", nan);
        if (!possible_) return std::move(findings_);
        const FeatureScaling scaling({&train_, &heldout_});
        const Points train = scaling.apply(train_), heldout = scaling.apply(heldout_),
                     synthetic = scaling.apply(synthetic_);
        compare_sides(train, heldout, synthetic);
        const auto of_synthetic = nearest_two(synthetic, train), natural = nearest_two(heldout, train);
        measure_percentile(findings_.list[2].value, of_synthetic, natural, nearest);
        measure_percentile(findings_.list[3].value, of_synthetic, natural, nearest_over_second);
        return std::move(findings_);
    }

  private:
    void add(const std::string& metric, double floor) {
        Finding finding{privacy_value(metric, ""), {}, {}};
        finding.value.floor = floor;
        finding.value.n_real = train_.size() + heldout_.size();
        finding.value.n_synthetic = synthetic_.size();
        finding.value.lower_is_better = metric == "dcr_share";
        if (metric == "dcr") finding.value.unit = "deviations";
        if (!possible_) finding.value.skipped = "no flows in train, held-out or synthetic samples";
        findings_.list.push_back(std::move(finding));
    }

    /// Sessions of all three sides are resampled: what is near to a synthetic flow is chance as well.
    void compare_sides(const Points& train, const Points& heldout, const Points& synthetic) {
        const SessionDistances to_train(synthetic, train, train_, c_.train.sessions()),
            to_heldout(synthetic, heldout, heldout_, c_.heldout.sessions());
        const Bootstrap of_train(c_.train.labels), of_heldout(c_.heldout.labels),
            of_synthetic(c_.synthetic.labels);
        std::vector<double> train_weights(c_.train.sessions(), 1.0),
            heldout_weights(c_.heldout.sessions(), 1.0), weights(c_.synthetic.sessions(), 1.0);
        const auto measure = [&] {
            double closer = 0;
            std::vector<double> train_distances, heldout_distances;
            for (std::size_t i = 0; i < synthetic_.size(); ++i) {
                const auto times = static_cast<std::size_t>(weights[synthetic_[i]->session]);
                if (times == 0) continue;
                const double a = to_train.nearest(i, train_weights),
                             b = to_heldout.nearest(i, heldout_weights);
                closer += static_cast<double>(times) * (a < b ? 1 : a > b ? 0 : 0.5);
                train_distances.insert(train_distances.end(), times, a);
                heldout_distances.insert(heldout_distances.end(), times, b);
            }
            if (train_distances.empty()) return std::pair{nan, nan};
            const double share = closer / static_cast<double>(train_distances.size());
            const double heldout_median = median(std::move(heldout_distances));
            return std::pair{share,
                             heldout_median > 0 ? median(std::move(train_distances)) / heldout_median : 1};
        };
        Finding &share = findings_.list[0], &ratio = findings_.list[1];
        std::tie(share.value.value, ratio.value.value) = measure();
        Random train_random(c_.train_seed()), heldout_random(c_.real_seed), random(c_.synthetic_seed);
        const bool possible = of_train.possible() && of_heldout.possible() && of_synthetic.possible();
        for (std::size_t i = 0; possible && i < c_.bootstrap; ++i) {
            of_train.draw(train_random, train_weights);
            of_heldout.draw(heldout_random, heldout_weights);
            of_synthetic.draw(random, weights);
            const auto [of_share, of_ratio] = measure();
            share.value.replicates.push_back(of_share);
            ratio.value.replicates.push_back(of_ratio);
        }
        const double stretch = std::max({of_train.stretch(), of_heldout.stretch(), of_synthetic.stretch()});
        finish(share.value, stretch, 1);
        finish(ratio.value, stretch, std::numeric_limits<double>::infinity());
        compare_with_known_floor(share);
    }

    /// The 5th percentile of a number of synthetic flows, and of held-out ones as the floor.
    void measure_percentile(MetricValue& value, const std::vector<std::array<double, 2>>& of_synthetic,
                            const std::vector<std::array<double, 2>>& natural,
                            double (*number)(const std::array<double, 2>&)) {
        const std::vector<double> once(c_.heldout.sessions(), 1.0);
        value.floor = weighted_quantile(ascending(heldout_, natural, number), once, low_percentile);
        const std::vector<Measured> sorted = ascending(synthetic_, of_synthetic, number);
        std::vector<double> weights(c_.synthetic.sessions(), 1.0);
        value.value = weighted_quantile(sorted, weights, low_percentile);
        const Bootstrap sessions(c_.synthetic.labels);
        Random random(c_.synthetic_seed);
        for (std::size_t i = 0; sessions.possible() && i < c_.bootstrap; ++i) {
            sessions.draw(random, weights);
            value.replicates.push_back(weighted_quantile(sorted, weights, low_percentile));
        }
        finish(value, sessions.stretch(), std::numeric_limits<double>::infinity());
    }

    static void finish(MetricValue& value, double stretch, double highest) {
        const auto defined = [](double replicate) { return std::isfinite(replicate); };
        if (!std::all_of(value.replicates.begin(), value.replicates.end(), defined)) value.replicates.clear();
        value.replicates = recentred(std::move(value.replicates), value.value, stretch, {0, highest});
    }

    const PrivacyComparison& c_;
    Flows train_, heldout_, synthetic_;
    bool possible_ = false;
    Findings findings_;
};

}  // namespace

FeatureScaling::FeatureScaling(const std::vector<const Flows*>& reference) {
    const auto each = [&](auto use) {
        for (const Flows* flows : reference)
            for (const FlowRecord* flow : *flows) use(flow->features);
    };
    std::size_t width = 0;
    each([&](const std::vector<double>& features) { width = features.size(); });
    for (std::size_t f = 0; f < width; ++f) {
        double n = 0, sum = 0, squares = 0;
        each([&](const std::vector<double>& features) {
            if (std::isfinite(features[f])) ++n, sum += features[f];
        });
        const double mean = n > 0 ? sum / n : 0;
        each([&](const std::vector<double>& features) {
            if (std::isfinite(features[f])) squares += (features[f] - mean) * (features[f] - mean);
        });
        mean_.push_back(mean);
        scale_.push_back(squares > 0 ? 1 / std::sqrt(squares / n) : 0);
    }
}

Points FeatureScaling::apply(const Flows& flows) const {
    Points points;
    for (const FlowRecord* flow : flows) {
        std::vector<double>& row = points.emplace_back(flow->features);
        for (std::size_t f = 0; f < row.size(); ++f)
            row[f] = std::isfinite(row[f]) ? (row[f] - mean_[f]) * scale_[f] : 0;
    }
    return points;
}

std::vector<std::array<double, 2>> nearest_two(const Points& from, const Points& to) {
    constexpr double far = std::numeric_limits<double>::infinity();
    std::vector<std::array<double, 2>> distances;
    distances.reserve(from.size());
    for (const auto& a : from) {
        std::array<double, 2> least = {far, far};
        for (const auto& b : to) {
            double squares = 0;
            for (std::size_t f = 0; f < a.size() && squares < least[1]; ++f)
                squares += (a[f] - b[f]) * (a[f] - b[f]);
            if (squares < least[0])
                least = {squares, least[0]};
            else
                least[1] = std::min(least[1], squares);
        }
        distances.push_back({std::sqrt(least[0]), std::sqrt(least[1])});
    }
    return distances;
}

Findings measure_neighbours(const PrivacyComparison& comparison) {
    return NeighbourMeasure(comparison).measure();
}

}  // namespace tracebench
