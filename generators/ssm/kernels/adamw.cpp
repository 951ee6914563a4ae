#include <algorithm>
#include <cmath>
#include <vector>

#include "generators/ssm/kernels/head.h"
#include "generators/ssm/kernels/matmul.h"
#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::ssm {
namespace {

/// Values that a thread takes at a time; fixes the order of sums.
constexpr std::size_t piece = 1 << 14;

std::int64_t pieces(std::size_t size) {
    return static_cast<std::int64_t>((size + piece - 1) / piece);
}

struct Factors {
    float keep, beta1, beta2, gradient_scale, step, root_scale, epsilon;
};

TRACEBENCH_CLONES void update(const Factors& factors, std::size_t size, float* __restrict values,
                              const float* __restrict gradients, float* __restrict first,
                              float* __restrict second) {
    const Factors f = factors;
    for (std::size_t i = 0; i < size; ++i) {
        const float g = gradients[i] * f.gradient_scale;
        const float m = f.beta1 * first[i] + (1 - f.beta1) * g;
        const float v = f.beta2 * second[i] + (1 - f.beta2) * g * g;
        first[i] = m;
        second[i] = v;
        values[i] = values[i] * f.keep - f.step * m / (std::sqrt(v) * f.root_scale + f.epsilon);
    }
}

TRACEBENCH_CLONES double squares(std::size_t size, const float* values) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i)
        sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    return sum;
}

}  // namespace

void adamw(const AdamW& settings, std::size_t size, float* values, const float* gradients,
           float gradient_scale, float* first_moments, float* second_moments, int threads) {
    const auto t = static_cast<double>(settings.t);
    const double beta1 = static_cast<double>(settings.beta1), beta2 = static_cast<double>(settings.beta2);
    const Factors factors{
        .keep = 1 - settings.learning_rate * settings.weight_decay,
        .beta1 = settings.beta1,
        .beta2 = settings.beta2,
        .gradient_scale = gradient_scale,
        .step = static_cast<float>(static_cast<double>(settings.learning_rate) / (1 - std::pow(beta1, t))),
        .root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, t))),
        .epsilon = settings.epsilon};
#pragma omp parallel for num_threads(threads) schedule(static) if (pieces(size) > 1)
    for (std::int64_t index = 0; index < pieces(size); ++index) {
        const std::size_t first = static_cast<std::size_t>(index) * piece;
        update(factors, std::min(piece, size - first), values + first, gradients + first,
               first_moments + first, second_moments + first);
    }
}

double sum_of_squares(std::size_t size, const float* values, int threads) {
    std::vector<double> sums(static_cast<std::size_t>(pieces(size)));
#pragma omp parallel for num_threads(threads) schedule(static) if (pieces(size) > 1)
    for (std::int64_t index = 0; index < pieces(size); ++index) {
        const std::size_t first = static_cast<std::size_t>(index) * piece;
        sums[static_cast<std::size_t>(index)] = squares(std::min(piece, size - first), values + first);
    }
    double sum = 0;
    for (const double part : sums) sum += part;
    return sum;
}

}  // namespace tracebench::ssm
