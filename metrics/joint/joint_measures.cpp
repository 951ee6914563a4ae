#include "metrics/joint/joint_measures.h"

#include <limits>

#include "base/random.h"
#include "metrics/joint/gaussian.h"
#include "metrics/joint/kernel_distances.h"
#include "metrics/joint/neighbours.h"
#include "metrics/joint/rank_correlation.h"
#include "metrics/joint/sliced_wasserstein.h"

namespace tracebench {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using Values = std::optional<std::vector<double>>;
using Weights = std::span<const double>;

/// Squared, around 0 for equal distributions; no more than k(x,x) on either side.
constexpr MeasuredValue squared_mmd{2, true, -2};
constexpr MeasuredValue length{infinity};
/// Where two real sets differ by more than nothing at any size.
constexpr MeasuredValue share{1, false, 0, false};

/// A measure that compares what is fitted to either side.
template <typename Fit, typename Compare>
SessionMeasure of_fits(std::shared_ptr<const Fit> fit, Compare compare) {
    return [fit, compare](Weights left, Weights right) -> Values {
        const auto a = fit->fit(left), b = fit->fit(right);
        if (!a || !b) return std::nullopt;
        const std::optional<double> value = compare(*a, *b);
        if (!value) return std::nullopt;
        return std::vector{*value};
    };
}

/// Rows of the sessions, as often as they count, in random order.
std::vector<std::uint32_t> drawn_rows(const Points& points, Weights weights, const char* side) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < points.size(); ++i)
        rows.insert(rows.end(), static_cast<std::size_t>(weights[points.session[i]]),
                    static_cast<std::uint32_t>(i));
    Random random(stream_seed(0, side));
    random.shuffle(rows);
    return rows;
}

JointFamily kernel_family(double bandwidth) {
    return {{{"mmd", squared_mmd, true, 0.005}, {"energy", length, true, 0.05, true}},
            "needs two or more on either side",
            [bandwidth](const JointSides& sides) -> SessionMeasure {
                const auto sums = std::make_shared<const KernelSums>(sides.pairs(), bandwidth);
                return [sums](Weights left, Weights right) -> Values {
                    const auto distances = sums->compare(left, right);
                    if (!distances) return std::nullopt;
                    return std::vector{distances->mmd, distances->energy};
                };
            }};
}

JointFamily sliced_family(std::size_t width) {
    const auto directions = random_directions(width, joint_directions, stream_seed(0, "joint directions"));
    return {{{"sliced_wasserstein", length, true, 0.02}},
            "needs one or more on either side",
            [directions](const JointSides& sides) -> SessionMeasure {
                const auto sliced = std::make_shared<const SlicedWasserstein>(sides.all(), directions);
                return [sliced](Weights left, Weights right) -> Values {
                    const auto distance = sliced->compare(left, right);
                    if (!distance) return std::nullopt;
                    return std::vector{*distance};
                };
            }};
}

JointFamily neighbour_family() {
    const JointMeasure density{"density", {infinity, false, 0, false}, false, 0.02};
    return {{{"precision", share, false, 0.02},
             {"recall", share, false, 0.02, false, "1", 0.0},
             density,
             {"coverage", share, false, 0.02, true, "1", 0.0}},
            "needs more than 5 on either side",
            [](const JointSides& sides) -> SessionMeasure {
                return [&pairs = sides.pairs()](Weights left, Weights right) -> Values {
                    const auto manifolds = compare_manifolds(pairs, left, right, joint_neighbours);
                    if (!manifolds) return std::nullopt;
                    return std::vector{manifolds->precision, manifolds->recall, manifolds->density,
                                       manifolds->coverage};
                };
            }};
}

JointFamily linear_mmd_family(double bandwidth) {
    return {{{"mmd_linear", squared_mmd, true, 0.005}},
            "needs two or more on either side",
            [bandwidth](const JointSides& sides) -> SessionMeasure {
                return [bandwidth, &points = sides.all()](Weights left, Weights right) -> Values {
                    const auto a = drawn_rows(points, left, "left"), b = drawn_rows(points, right, "right");
                    if (a.size() < 2 || b.size() < 2) return std::nullopt;
                    return std::vector{mmd_linear(points, a, b, bandwidth)};
                };
            }};
}

JointFamily frechet_family() {
    return {{{"frechet", {infinity, true}, true, 0.05}},
            "needs two or more on either side",
            [](const JointSides& sides) {
                return of_fits(std::make_shared<const SessionMoments>(sides.all()),
                               [](const Gaussian& a, const Gaussian& b) {
                                   return std::optional(frechet_distance(a, b));
                               });
            }};
}

}  // namespace

JointFamily correlation_family() {
    return {{{"correlation", {2}, true, 0.01}},
            "needs two or more on either side and two features that vary",
            [](const JointSides& sides) {
                return of_fits(std::make_shared<const SessionMoments>(sides.all()), correlation_difference);
            }};
}

JointFamily rank_correlation_family() {
    return {{{"rank_correlation", {2}, true, 0.01}},
            "needs two or more on either side and two features that vary",
            [](const JointSides& sides) {
                return of_fits(std::make_shared<const RankCorrelation>(sides.all()), correlation_difference);
            }};
}

JointFamily information_family(const Classes& classes) {
    return {{{"mutual_information", {1}, true, 0.005, true}},
            "needs packets with two fields on either side",
            [classes](const JointSides& sides) -> SessionMeasure {
                const auto tables = std::make_shared<const PairTables>(sides.all(), classes);
                return [tables](Weights left, Weights right) -> Values {
                    const auto difference =
                        information_difference(tables->information(left), tables->information(right));
                    if (!difference) return std::nullopt;
                    return std::vector{*difference};
                };
            }};
}

std::vector<JointFamily> pairwise_families(double bandwidth, std::size_t width) {
    return {kernel_family(bandwidth), sliced_family(width), neighbour_family(), rank_correlation_family()};
}

std::vector<JointFamily> linear_families(double bandwidth) {
    JointFamily correlation = correlation_family();
    correlation.measures.front().in_score = true;
    return {linear_mmd_family(bandwidth), frechet_family(), correlation};
}

}  // namespace tracebench
