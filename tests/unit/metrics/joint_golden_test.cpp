// Against NumPy, SciPy and scikit-learn: tests/golden/joint/make.py says how the expected values were made.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/file.h"
#include "metrics/joint/gaussian.h"
#include "metrics/joint/kernel_distances.h"
#include "metrics/joint/mutual_information.h"
#include "metrics/joint/neighbours.h"
#include "metrics/joint/rank_correlation.h"
#include "metrics/joint/sliced_wasserstein.h"

namespace tracebench {
namespace {

const nlohmann::json& golden() {
    static const auto document =
        nlohmann::json::parse(read_file(TRACEBENCH_SOURCE_DIR "/tests/golden/joint/expected.json"));
    return document;
}

/// All rows of one session.
Points points_of(const nlohmann::json& values) {
    Points points{golden().at("width"), values, {}, 1};
    points.session.assign(points.values.size() / points.width, 0);
    return points;
}

class JointGolden : public testing::TestWithParam<std::size_t> {
  protected:
    const nlohmann::json& test_case = golden().at("cases").at(GetParam());
    Points a = points_of(test_case.at("a")), b = points_of(test_case.at("b"));
    const std::vector<double> left{1, 0}, right{0, 1};

    void expect(const char* measure, double value, double tolerance = 1e-12) {
        const double want = test_case.at("expected").at(measure);
        EXPECT_NEAR(value, want, tolerance * std::max(1.0, std::abs(want))) << measure;
    }
};

TEST_P(JointGolden, KernelsAgreeWithScikitLearn) {
    const PairDistances pairs(a, b);
    const double bandwidth = median_distance(pairs);
    expect("bandwidth", bandwidth);
    const KernelDistances distances = KernelSums(pairs, bandwidth).compare(left, right).value();
    expect("mmd", distances.mmd);
    expect("energy", distances.energy);
    std::vector<std::uint32_t> of_a(a.size()), of_b(b.size());
    std::iota(of_a.begin(), of_a.end(), 0U);
    std::iota(of_b.begin(), of_b.end(), static_cast<std::uint32_t>(a.size()));
    expect("mmd_linear", mmd_linear(joined(a, b), of_a, of_b, bandwidth));
}

TEST_P(JointGolden, NeighboursAgreeWithScikitLearn) {
    const Manifolds manifolds = compare_manifolds(PairDistances(a, b), left, right, 5).value();
    expect("precision", manifolds.precision);
    expect("recall", manifolds.recall);
    expect("density", manifolds.density);
    expect("coverage", manifolds.coverage);
}

TEST_P(JointGolden, ProjectionsAgreeWithSciPy) {
    const std::vector<double> directions = golden().at("directions");
    expect("sliced_wasserstein", SlicedWasserstein(joined(a, b), directions).compare(left, right).value());
}

TEST_P(JointGolden, MomentsAgreeWithNumPyAndSciPy) {
    const Points all = joined(a, b);
    const SessionMoments moments(all);
    const Gaussian of_a = moments.fit(left).value(), of_b = moments.fit(right).value();
    expect("frechet", frechet_distance(of_a, of_b), 1e-9);
    expect("correlation", correlation_difference(of_a, of_b).value());
    const RankCorrelation ranks(all);
    expect("rank_correlation",
           correlation_difference(ranks.fit(left).value(), ranks.fit(right).value()).value());
}

INSTANTIATE_TEST_SUITE_P(Cases, JointGolden, testing::Values(0, 1, 2));

TEST(MutualInformationGolden, AgreesWithScikitLearn) {
    for (const auto& entry : golden().at("information")) {
        const std::vector<double> table = entry.at("table");
        EXPECT_NEAR(normalised_mutual_information(table, entry.at("columns")).value(),
                    entry.at("value").get<double>(), 1e-12);
    }
}

}  // namespace
}  // namespace tracebench
