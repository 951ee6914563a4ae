#pragma once
/// AdamW and the moving average of one tensor in one pass over memory.

#include <cstdint>

namespace tracebench::diffusion {

struct AdamwFactors {
    float learning_rate = 0, beta1 = 0, beta2 = 0, epsilon = 0;
    float decay = 1;        ///< factor of the value
    float clip = 1;         ///< factor of the gradient
    float first_bias = 1;   ///< 1 - beta1^t
    float second_bias = 1;  ///< sqrt(1 - beta2^t)
    float ema = 0;
};

/// `count` values each.
void adamw(const AdamwFactors& factors, std::int64_t count, const float* gradient, float* value,
           float* average, float* first, float* second);
double sum_of_squares(std::int64_t count, const float* values);

}  // namespace tracebench::diffusion
