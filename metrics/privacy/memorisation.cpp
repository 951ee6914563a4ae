#include "metrics/privacy/memorisation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

namespace tracebench {
namespace {

/// Rows of equal length, one a flow, and the session of each.
struct Points {
    std::vector<std::vector<double>> rows;
    std::vector<std::uint32_t> sessions;
    std::size_t size() const { return rows.size(); }
};

Points points_of(const PrivacyView& view) {
    Points points;
    for (const FlowRecord& flow : view.flows) {
        points.rows.push_back(flow.features);
        points.sessions.push_back(flow.session);
    }
    return points;
}

/// `count` of them at random, in their order.
Points thinned(const Points& points, std::size_t count, Random& random) {
    if (points.size() <= count) return points;
    std::vector<std::size_t> order(points.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    random.shuffle(order);
    order.resize(count);
    std::sort(order.begin(), order.end());
    Points result;
    for (const std::size_t i : order) {
        result.rows.push_back(points.rows[i]);
        result.sessions.push_back(points.sessions[i]);
    }
    return result;
}

/// Centres and scales each feature by mean and deviation of the reference; absent values become the mean, and
/// features that never vary say nothing.
class Scaling {
  public:
    Scaling(const Points& a, const Points& b) {
        const std::size_t width = a.rows.front().size();
        for (std::size_t f = 0; f < width; ++f) {
            double n = 0, sum = 0, squares = 0;
            const auto each = [&](auto use) {
                for (const Points* points : {&a, &b})
                    for (const auto& row : points->rows)
                        if (std::isfinite(row[f])) use(row[f]);
            };
            each([&](double value) { ++n, sum += value; });
            const double mean = n > 0 ? sum / n : 0;
            each([&](double value) { squares += (value - mean) * (value - mean); });
            mean_.push_back(mean);
            scale_.push_back(squares > 0 ? 1 / std::sqrt(squares / n) : 0);
        }
    }
    void apply(Points& points) const {
        for (auto& row : points.rows)
            for (std::size_t f = 0; f < row.size(); ++f)
                row[f] = std::isfinite(row[f]) ? (row[f] - mean_[f]) * scale_[f] : 0;
    }

  private:
    std::vector<double> mean_, scale_;
};

std::vector<double> nearest(const Points& from, const Points& to) {
    std::vector<double> distances;
    for (const auto& a : from.rows) {
        double least = std::numeric_limits<double>::infinity();
        for (const auto& b : to.rows) {
            double squares = 0;
            for (std::size_t f = 0; f < a.size() && squares < least; ++f)
                squares += (a[f] - b[f]) * (a[f] - b[f]);
            least = std::min(least, squares);
        }
        distances.push_back(std::sqrt(least));
    }
    return distances;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return quantile(values, 0.5);
}

/// A flow to be judged, and its distance to what was published.
struct Judged {
    double distance;
    bool member;
    std::uint32_t session;
};

/// Chance that a member is nearer than a non-member, ties counting half; sessions weighted. NaN where one
/// side has no weight. `judged` ascends by distance.
double area_under_curve(const std::vector<Judged>& judged, std::span<const double> member_weights,
                        std::span<const double> other_weights) {
    double members = 0, others = 0, pairs = 0;
    for (std::size_t i = 0; i < judged.size();) {
        double tied_members = 0, tied_others = 0;
        const double distance = judged[i].distance;
        for (; i < judged.size() && judged[i].distance == distance; ++i)
            (judged[i].member ? tied_members : tied_others) +=
                (judged[i].member ? member_weights : other_weights)[judged[i].session];
        pairs += tied_others * (members + tied_members / 2);
        members += tied_members;
        others += tied_others;
    }
    return pairs / (members * others);
}

/// Members below the distance that 1% of the others (rounded down) are below.
double true_positives(const std::vector<Judged>& judged, std::size_t members, std::size_t others) {
    const auto allowed = static_cast<std::size_t>(0.01 * static_cast<double>(others));
    std::size_t found = 0, wrong = 0;
    for (std::size_t i = 0; i < judged.size();) {
        std::size_t tied_members = 0, tied_others = 0;
        const double distance = judged[i].distance;
        for (; i < judged.size() && judged[i].distance == distance; ++i)
            ++(judged[i].member ? tied_members : tied_others);
        if ((wrong += tied_others) > allowed) break;
        found += tied_members;
    }
    return static_cast<double>(found) / static_cast<double>(members);
}

}  // namespace

Share exact_copies(const std::vector<FlowRecord>& flows, const std::vector<FlowRecord>& train) {
    std::unordered_set<std::string> known;
    for (const FlowRecord& flow : train)
        if (flow.packets >= min_copy_packets) known.insert(flow.sequence);
    Share share;
    for (const FlowRecord& flow : flows) {
        if (flow.packets < min_copy_packets) continue;
        ++share.whole;
        share.part += known.contains(flow.sequence);
    }
    return share;
}

Share leaked(const std::set<std::string>& synthetic, const std::set<std::string>& train) {
    Share share;
    share.whole = synthetic.size();
    for (const std::string& name : synthetic) share.part += train.contains(name);
    return share;
}

std::optional<Proximity> measure_proximity(const PrivacyView& train, const PrivacyView& heldout,
                                           const PrivacyView& synthetic, const ProximityOptions& options) {
    if (train.flows.empty() || heldout.flows.empty() || synthetic.flows.empty()) return std::nullopt;
    Random random(stream_seed(options.seed, "privacy"));
    // As many on either side: the nearest of many is nearer than the nearest of few.
    const std::size_t either = std::min({train.flows.size(), heldout.flows.size(), options.max_flows});
    Points members = thinned(points_of(train), either, random);
    Points others = thinned(points_of(heldout), either, random);
    Points published = thinned(points_of(synthetic), options.max_flows, random);
    const Scaling scaling(members, others);
    for (Points* points : {&members, &others, &published}) scaling.apply(*points);

    Proximity result;
    result.members = members.size();
    result.non_members = others.size();
    result.synthetic = published.size();
    const double to_train = median(nearest(published, members)),
                 to_heldout = median(nearest(published, others));
    result.distance_ratio = to_heldout > 0 ? to_train / to_heldout : 1;

    std::vector<Judged> judged;
    const auto judge = [&](const Points& points, bool member) {
        const std::vector<double> distances = nearest(points, published);
        for (std::size_t i = 0; i < distances.size(); ++i)
            judged.push_back({distances[i], member, points.sessions[i]});
    };
    judge(members, true);
    judge(others, false);
    std::sort(judged.begin(), judged.end(),
              [](const Judged& a, const Judged& b) { return a.distance < b.distance; });

    std::vector<double> member_weights(train.sessions(), 1.0), other_weights(heldout.sessions(), 1.0);
    result.auc = area_under_curve(judged, member_weights, other_weights);
    result.tpr_at_1pct_fpr = true_positives(judged, members.size(), others.size());
    const Bootstrap of_members(train.labels), of_others(heldout.labels);
    if (!of_members.possible() || !of_others.possible()) return result;
    std::vector<double> replicates;
    for (std::size_t i = 0; i < options.bootstrap; ++i) {
        of_members.draw(random, member_weights);
        of_others.draw(random, other_weights);
        const double auc = area_under_curve(judged, member_weights, other_weights);
        if (std::isfinite(auc)) replicates.push_back(auc);
    }
    if (replicates.size() == options.bootstrap)
        result.auc_replicates = recentred(std::move(replicates), result.auc,
                                          std::max(of_members.stretch(), of_others.stretch()), {0, 1});
    return result;
}

}  // namespace tracebench
