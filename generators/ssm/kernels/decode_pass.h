#pragma once
/// One step of the whole model, by a team of threads; included like decode_lanes.h.

#include "generators/ssm/kernels/decode_mix.h"
#include "generators/ssm/kernels/decode_product.h"
#if defined(TRACEBENCH_DECODE_AMX)
#include "generators/ssm/kernels/decode_tiles.h"
#endif

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

constexpr float kEpsilon = 1e-5f;
/// Bytes of states that are asked for while the product before the recurrence ends.
constexpr std::int64_t kStatesAtOnce = 1 << 18;

/// 1 / root mean square of `size` values (a multiple of 16) of which `counted` are not padding.
TRACEBENCH_INLINE float inverse_rms(const float* values, std::int64_t size, std::int64_t counted) {
    Lanes even = {}, odd = {}, value;
    std::int64_t i = 0;
    for (; i + 2 * kLanes <= size; i += 2 * kLanes) {
        load(value, values + i);
        even += value * value;
        load(value, values + i + kLanes);
        odd += value * value;
    }
    if (i < size) {
        load(value, values + i);
        even += value * value;
    }
    return 1 / __builtin_sqrtf(sum_of(even + odd) / static_cast<float>(counted) + kEpsilon);
}

TRACEBENCH_INLINE void scale_into(float* to, const float* from, const float* weight, float scale,
                                  std::int64_t size) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < size; ++i) to[i] = from[i] * scale * weight[i];
}

/// T: of weights; Base: of the states.
template <typename T, typename Base>
class Worker {
  public:
    Worker(Context& context, int thread, int team)
        : context_(context),
          layout_(context.model.layout),
          scratch_(context.scratch[static_cast<std::size_t>(thread)]),
          thread_(thread),
          team_(team),
          rows_(static_cast<std::int64_t>(context.step.rows.size())) {}

    void run() {
        const auto layers = static_cast<std::int64_t>(context_.model.layers.size());
        for (std::int64_t l = 0; l < layers; ++l) {
            project(l);
            context_.barrier.wait(thread_, team_);
            scan(l);
            context_.barrier.wait(thread_, team_);
            add_output(l);
            context_.barrier.wait(thread_, team_);
        }
        finish();
    }

  private:
    const float* residual(std::int64_t row, bool embedded) const {
        return embedded ? context_.step.embedded[static_cast<std::size_t>(row)]
                        : context_.step.residual.data() + row * layout_.model();
    }
    const T* weights(const PackedMatrix& matrix) const {
        if constexpr (sizeof(T) == sizeof(float)) {
            return context_.model.weights.single.data() + matrix.first();
        } else {
            return context_.model.weights.half.data() + matrix.first();
        }
    }
    template <typename Sink>
    void multiply(const PackedMatrix& matrix, const Region& following, const Sink& sink) {
#if defined(TRACEBENCH_DECODE_AMX)
        if constexpr (sizeof(T) == sizeof(Bfloat16)) {
            SplitActivations activations(scratch_.split.data(), rows_, matrix.inputs());
            activations.split(scratch_.activation.data(), rows_, matrix.inputs());
            for (int part = thread_; part < context_.parts; part += team_)
                tile_product(matrix, weights(matrix), part, rows_, activations, sink);
            return;
        }
#endif
        for (int part = thread_; part < context_.parts; part += team_)
            product(matrix, weights(matrix), part, rows_, scratch_.activation.data(),
                    part + team_ < context_.parts ? first_panel(matrix, part + team_) : following, sink);
    }
    /// What is read first of a part's share.
    Region first_panel(const PackedMatrix& matrix, int part) const {
        const auto [first, last] = matrix.part(part);
        if (first == last) return {};
        return region_of(matrix, weights(matrix), matrix.panels()[first]);
    }
    /// The states that this thread reads first in a layer, as far as the cache holds them.
    Region first_states(std::int64_t layer) const {
        const std::int64_t items = rows_ * layout_.heads, item = items * thread_ / team_;
        const std::int64_t row = context_.step.rows[static_cast<std::size_t>(item / layout_.heads)];
        const std::int64_t size = layout_.d_state * layout_.head() * std::int64_t{sizeof(Base)};
        return {base_of(context_.state, static_cast<const Base*>(nullptr), layer, row) +
                    item % layout_.heads * layout_.d_state * layout_.head(),
                std::min((items * (thread_ + 1) / team_ - item) * size, kStatesAtOnce)};
    }
    /// Every thread norms all rows for itself: cheaper than to meet once more.
    void norm(const float* weight, bool embedded) {
        const std::int64_t width = layout_.model();
        for (std::int64_t r = 0; r < rows_; ++r) {
            const float* const in = residual(r, embedded);
            scale_into(scratch_.activation.data() + r * width, in, weight,
                       inverse_rms(in, width, layout_.d_model), width);
        }
    }
    void project(std::int64_t index) {
        const Layer& layer = context_.model.layers[static_cast<std::size_t>(index)];
        float* const out = context_.step.projection.data();
        const std::int64_t width = layout_.projection();
        norm(layer.norm.data(), index == 0);
        multiply(layer.in_proj, first_states(index), [&](std::int64_t row, std::int64_t n, const Lanes& sum) {
            store(out + row * width + n, sum);
        });
    }
    void scan(std::int64_t index) {
        const std::int64_t items = rows_ * layout_.heads, end = items * (thread_ + 1) / team_;
        for (std::int64_t item = items * thread_ / team_; item < end;) {
            const std::int64_t row = item / layout_.heads, first = item % layout_.heads;
            const std::int64_t last = std::min(first + end - item, layout_.heads);
            mix<Base>(context_, index, row, first, last, scratch_);
            item += last - first;
        }
    }
    void add_output(std::int64_t index) {
        const Layer& layer = context_.model.layers[static_cast<std::size_t>(index)];
        const auto next = static_cast<std::size_t>(index + 1);
        const std::int64_t inner = layout_.inner(), group = inner / layout_.groups, width = layout_.model();
        const std::int64_t counted = layout_.headdim * layout_.heads_per_group();
        for (std::int64_t r = 0; r < rows_; ++r) {
            for (std::int64_t from = 0; from < inner; from += group) {
                const float* const in = context_.step.gated.data() + r * inner + from;
                scale_into(scratch_.activation.data() + r * inner + from, in, layer.gate_norm.data() + from,
                           inverse_rms(in, group, counted), group);
            }
        }
        const Region following = first_panel(
            next < context_.model.layers.size() ? context_.model.layers[next].in_proj : context_.model.output,
            thread_);
        multiply(layer.out_proj, following, [&](std::int64_t row, std::int64_t n, const Lanes& sum) {
            Lanes before;
            load(before, residual(row, index == 0) + n);
            store(context_.step.residual.data() + row * width + n, before + sum);
        });
    }
    void finish() {
        const Model& model = context_.model;
        norm(model.final_norm.data(), model.layers.empty());
        multiply(model.output, {}, [&](std::int64_t row, std::int64_t n, const Lanes& sum) {
            std::memcpy(context_.step.logits[static_cast<std::size_t>(row)] + n, &sum,
                        static_cast<std::size_t>(std::min(layout_.vocabulary - n, kLanes)) * sizeof(float));
        });
    }

    Context& context_;
    const Layout& layout_;
    Scratch& scratch_;
    int thread_, team_;
    std::int64_t rows_;
};

/// While it lives, values below 1e-38 are zero to this thread: those that decay for long would otherwise slow
/// every product that they are part of.
class FlushDenormals {
  public:
#if defined(__x86_64__)
    FlushDenormals() : before_(__builtin_ia32_stmxcsr()) {
        __builtin_ia32_ldmxcsr(before_ | 0x8040);
    }
    ~FlushDenormals() {
        __builtin_ia32_ldmxcsr(before_);
    }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

  private:
    unsigned before_;
#else
    FlushDenormals() {}
#endif
};

void pass(Context& context, int thread, int team) {
    const FlushDenormals flush;
    if (context.model.weights.bfloat16) {
#if defined(TRACEBENCH_DECODE_AMX)
        const TileShapes shapes(static_cast<std::int64_t>(context.step.rows.size()));
#endif
        Worker<Bfloat16, Half>(context, thread, team).run();
    } else if (context.state.half()) {
        Worker<float, Half>(context, thread, team).run();
    } else {
        Worker<float, float>(context, thread, team).run();
    }
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
