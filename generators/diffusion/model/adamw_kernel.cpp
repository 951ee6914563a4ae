#include "generators/diffusion/model/adamw_kernel.h"

#include <algorithm>
#include <cmath>

#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::diffusion {

TRACEBENCH_CLONES
void adamw(const AdamwFactors& factors, std::int64_t count, const float* __restrict gradient,
           float* __restrict value, float* __restrict average, float* __restrict first,
           float* __restrict second) {
    const AdamwFactors f = factors;
    const float rate = f.learning_rate / f.first_bias, second_scale = 1 / f.second_bias;
    for (std::int64_t i = 0; i < count; ++i) {
        const float g = gradient[i] * f.clip;
        first[i] = f.beta1 * first[i] + (1 - f.beta1) * g;
        second[i] = f.beta2 * second[i] + (1 - f.beta2) * g * g;
        value[i] = value[i] * f.decay - rate * first[i] / (std::sqrt(second[i]) * second_scale + f.epsilon);
        average[i] += (1 - f.ema) * (value[i] - average[i]);
    }
}

TRACEBENCH_CLONES
double sum_of_squares(std::int64_t count, const float* __restrict values) {
    constexpr std::int64_t block = 4096;  // floats within, a double across
    double sum = 0;
    for (std::int64_t first = 0; first < count; first += block) {
        float part = 0;
        const std::int64_t end = std::min(count, first + block);
        for (std::int64_t i = first; i < end; ++i) part += values[i] * values[i];
        sum += static_cast<double>(part);
    }
    return sum;
}

}  // namespace tracebench::diffusion
