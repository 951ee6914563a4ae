#include "generators/ssm/kernels/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace tracebench::ssm {
namespace {

template <typename T>
class Matmul : public testing::Test {};
using Types = testing::Types<float, Bfloat16>;
TYPED_TEST_SUITE(Matmul, Types);

template <typename T>
std::vector<T> random_matrix(std::size_t size, std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::vector<T> values(size);
    for (T& value : values) value = from_float<T>(normal(random));
    return values;
}

TYPED_TEST(Matmul, IsTheDefinitionForEveryLayout) {
    using T = TypeParam;
    constexpr std::int64_t m = 37, n = 53, k = 29, stride = 60, c_stride = 64;
    std::mt19937 random(1);
    const auto a = random_matrix<T>(stride * stride, random), b = random_matrix<T>(stride * stride, random);
    std::vector<float> b_float;
    for (const T value : b) b_float.push_back(to_float(value));
    for (const bool a_transposed : {false, true})
        for (const bool b_transposed : {false, true})
            for (const bool accumulate : {false, true})
                for (const bool packed : {false, true}) {
                    std::vector<float> c(c_stride * m, 1.f);
                    if (packed) {
                        WeightOperand<T> right;
                        right.pack(k, n, {b_float.data(), stride, b_transposed});
                        right.multiply(m, {a.data(), stride, a_transposed}, c.data(), c_stride, accumulate);
                    } else {
                        multiply<T, float>(m, n, k, {a.data(), stride, a_transposed},
                                           {b.data(), stride, b_transposed}, c.data(), c_stride, accumulate);
                    }
                    double worst = 0;
                    for (std::int64_t i = 0; i < m; ++i)
                        for (std::int64_t j = 0; j < c_stride; ++j) {
                            double sum = j >= n || accumulate ? 1 : 0;  // beyond n: untouched
                            for (std::int64_t l = 0; l < k && j < n; ++l)
                                sum += static_cast<double>(to_float(a[static_cast<std::size_t>(
                                           a_transposed ? l * stride + i : i * stride + l)])) *
                                       static_cast<double>(to_float(b[static_cast<std::size_t>(
                                           b_transposed ? j * stride + l : l * stride + j)]));
                            worst = std::max(
                                worst, std::abs(sum - static_cast<double>(
                                                          c[static_cast<std::size_t>(i * c_stride + j)])));
                        }
                    EXPECT_LT(worst, 2e-5) << a_transposed << b_transposed << accumulate << packed;
                }
}

TEST(VectorMath, ExponentialAndItsKinOfTheStandardLibrary) {
    for (double x = -87; x <= 87; x += 1. / 128) {
        EXPECT_NEAR(fast_exp(static_cast<float>(x)) / std::exp(x), 1, std::abs(x) < 10 ? 1e-6 : 6e-6) << x;
    }
    for (double x = 1; x < 1e38; x *= 1.01)
        EXPECT_NEAR(fast_reciprocal(static_cast<float>(x)) * static_cast<float>(x), 1, 1e-6) << x;
    EXPECT_EQ(fast_exp(0), 1);
    EXPECT_GT(fast_exp(-1000), 0);
    EXPECT_LT(fast_exp(-1000), 2e-38f);
    EXPECT_TRUE(std::isfinite(fast_exp(1000)));
    for (double x = -40; x <= 40; x += 1. / 64) {
        EXPECT_NEAR(fast_sigmoid(static_cast<float>(x)) * (1 + std::exp(-x)), 1, 4e-6) << x;
        EXPECT_NEAR(softplus(static_cast<float>(x)) / std::log1p(std::exp(x)), 1, 1e-6) << x;
    }
    for (const float x : {87.f, 88.f, 89.f, 200.f, 1e30f}) {
        EXPECT_NEAR(fast_sigmoid(x), 1, 1e-6);
        EXPECT_GT(fast_sigmoid(-x), 0);
        EXPECT_LT(fast_sigmoid(-x), 2e-38f);
    }
    EXPECT_TRUE(std::isnan(fast_silu(NAN)));
    EXPECT_EQ(softplus(1000), 1000);
}

TEST(VectorMath, Bfloat16RoundsToNearestEven) {
    EXPECT_EQ(to_float(from_float<Bfloat16>(1.5f)), 1.5f);
    EXPECT_EQ(to_float(from_float<Bfloat16>(1 + 1.f / 256)), 1.f);            // half way to the next: even
    EXPECT_EQ(to_float(from_float<Bfloat16>(1 + 3.f / 256)), 1 + 4.f / 256);  // half way, the other way
    EXPECT_EQ(to_float(from_float<Bfloat16>(-1.f - 1.01f / 256)), -1.f - 2.f / 256);
    EXPECT_TRUE(std::isinf(to_float(from_float<Bfloat16>(INFINITY))));
    EXPECT_FALSE(std::isfinite(to_float(from_float<Bfloat16>(NAN))));
}

}  // namespace
}  // namespace tracebench::ssm
