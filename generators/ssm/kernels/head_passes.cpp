#include "generators/ssm/kernels/head_passes.h"

#include <algorithm>
#include <cmath>

#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::ssm {

template <typename T>
TRACEBENCH_CLONES UnitLoss cross_entropy(std::int64_t rows, std::int64_t vocabulary, float* logits,
                                         const std::int32_t* targets, const float* weights, float scale,
                                         T* gradient) {
    UnitLoss loss;
    for (std::int64_t row = 0; row < rows; ++row, logits += vocabulary) {
        T* out = gradient ? gradient + row * vocabulary : nullptr;
        if (targets[row] < 0) {
            if (out) std::fill(out, out + vocabulary, T{});
            continue;
        }
        const float wanted = logits[targets[row]];
        float top = logits[0];
#pragma omp simd reduction(max : top)
        for (std::int64_t i = 1; i < vocabulary; ++i) top = std::max(top, logits[i]);
        float sum = 0;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < vocabulary; ++i) {
            const float power = fast_exp(logits[i] - top);
            logits[i] = power;
            sum += power;
        }
        loss.nats +=
            std::log(static_cast<double>(sum)) - (static_cast<double>(wanted) - static_cast<double>(top));
        ++loss.targets;
        if (!out) continue;
        const float weight = weights ? weights[row] * scale : scale, by = weight / sum;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < vocabulary; ++i) out[i] = from_float<T>(logits[i] * by);
        out[targets[row]] = from_float<T>((logits[targets[row]] / sum - 1) * weight);
    }
    return loss;
}

template UnitLoss cross_entropy(std::int64_t, std::int64_t, float*, const std::int32_t*, const float*, float,
                                float*);
template UnitLoss cross_entropy(std::int64_t, std::int64_t, float*, const std::int32_t*, const float*, float,
                                Bfloat16*);

}  // namespace tracebench::ssm
