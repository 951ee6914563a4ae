#include <omp.h>

#include <cmath>

#include "generators/ssm/kernels/typed_block.h"

namespace tracebench::ssm {

template <typename T>
TypedBlock<T>::TypedBlock(const ModelConfig& config, const KernelOptions& options)
    : config_(config), options_(options), spaces_(static_cast<std::size_t>(std::max(options.threads, 1))) {
    options_.threads = std::max(options.threads, 1);
    options_.chunk = std::max<std::int64_t>(options.chunk, 1);
}

/// Room for a call of this size, reserved before threads share it.
template <typename T>
void TypedBlock<T>::use(const BlockLayout& layout) {
    layout_ = layout;
    activated_.reserve(layout.tokens() * layout.channels);
    dt_.reserve(layout.heads * layout.tokens());
    for (Space& space : spaces_) {
        space.operand.reserve(BlockLayout::unit * std::max(layout.model, layout.inner));
        space.inputs.reserve(BlockLayout::unit + 2 * layout.taps);
    }
}

template <typename T>
void TypedBlock<T>::arrange_convolution(const BlockArrays<const float>& weights) {
    float* to = convolution_.reserve(layout_.taps * layout_.channels);
    for (std::int64_t tap = 0; tap < layout_.taps; ++tap)
        for (std::int64_t channel = 0; channel < layout_.channels; ++channel)
            to[tap * layout_.channels + channel] = weights.conv_weight[channel * layout_.taps + tap];
    float* a = a_.reserve(layout_.heads);
    for (std::int64_t head = 0; head < layout_.heads; ++head) a[head] = -std::exp(weights.a_log[head]);
}

/// Where the convolution reads a unit's tokens, the taps - 1 before it and `extra` ones after it.
template <typename T>
void TypedBlock<T>::convolution_inputs(const TypedTape<T>& tape, const BlockLayout::Unit& unit,
                                       std::int64_t extra, std::vector<const T*>& inputs) const {
    const std::int64_t before = layout_.taps - 1;
    inputs.clear();
    for (std::int64_t t = unit.begin - before; t < unit.end + extra; ++t)
        inputs.push_back(t < 0 ? tape.history.data() + (unit.row * before + before + t) * layout_.channels
                               : tape.projected.data() +
                                     (unit.row * layout_.length + t) * layout_.projected_stride +
                                     layout_.inner);
}

/// A unit's x, B, C and dt from what in_proj gave.
template <typename T>
void TypedBlock<T>::activate(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                             const BlockLayout::Unit& unit, Space& space) {
    const std::int64_t first = unit.row * layout_.length + unit.begin;
    convolution_inputs(tape, unit, 0, space.inputs);
    convolve({layout_.channels, layout_.taps, convolution_.data(), weights.conv_bias}, unit.size(),
             space.inputs.data(), activated_.data() + first * layout_.channels, layout_.channels);
    const T* raw =
        tape.projected.data() + first * layout_.projected_stride + layout_.projection - layout_.heads;
    for (std::int64_t head = 0; head < layout_.heads; ++head) {
        float* dt = dt_.data() + head * layout_.tokens() + first;
        for (std::int64_t t = 0; t < unit.size(); ++t)
            dt[t] = softplus(to_float(raw[t * layout_.projected_stride + head]) + weights.dt_bias[head]);
    }
}

template <typename T>
Scan<T> TypedBlock<T>::scan_of(const BlockArrays<const float>& weights,
                               const BlockLayout::ScanPlace& place) const {
    const std::int64_t first = place.row * layout_.length;
    const T* activated = activated_.data() + first * layout_.channels;
    const T* b = activated + layout_.inner + place.group * layout_.states;
    return {.length = layout_.length,
            .chunk = options_.chunk,
            .states = layout_.states,
            .shape = {layout_.heads_together, layout_.headdim},
            .x = activated + place.first_head * layout_.headdim,
            .b = b,
            .c = b + layout_.groups * layout_.states,
            .stride = layout_.channels,
            .dt = dt_.data() + place.first_head * layout_.tokens() + first,
            .dt_stride = layout_.tokens(),
            .a = a_.data() + place.first_head,
            .d = weights.d + place.first_head};
}

/// The convolution's last taps - 1 inputs of each row.
template <typename T>
void TypedBlock<T>::save_convolution(const TypedTape<T>& tape, float* after) const {
    std::vector<const T*> inputs;
    for (std::int64_t row = 0; row < layout_.rows; ++row) {
        convolution_inputs(tape, {row, layout_.length, layout_.length}, 0, inputs);
        for (const T* input : inputs) {
            convert(layout_.channels, input, after);
            after += layout_.channels;
        }
    }
}

template <typename T>
void TypedBlock<T>::forward(const BlockArrays<const float>& weights, std::int64_t rows, std::int64_t length,
                            const float* in, const BlockState<const float>& before, float* out,
                            const BlockState<float>& after, std::unique_ptr<BlockTape>* kept) {
    use({config_, rows, length});
    TypedTape<T>* tape = &untaped_;
    if (kept) {
        tape = dynamic_cast<TypedTape<T>*>(kept->get());
        if (!tape) {
            auto made = std::make_unique<TypedTape<T>>();
            tape = made.get();
            *kept = std::move(made);
        }
    }
    const BlockLayout& layout = layout_;
    const std::int64_t model = layout.model, inner = layout.inner, stride = layout.projected_stride;
    tape->layout = layout;
    T* projected = tape->projected.reserve(layout.tokens() * stride);
    T* y = tape->y.reserve(layout.tokens() * inner);
    float* copy = kept ? tape->in.reserve(layout.tokens() * model) : nullptr;
    const std::int64_t chunks = (length + options_.chunk - 1) / options_.chunk;
    const std::int64_t state_size = layout.states * layout.heads_together * layout.headdim;
    T* states = kept ? tape->states.reserve(layout.scans() * chunks * state_size) : nullptr;
    const std::int64_t history_size = rows * (layout.taps - 1) * layout.channels;
    T* history = tape->history.reserve(history_size);
    if (before.conv)
        convert(history_size, before.conv, history);
    else
        std::fill(history, history + history_size, T{});
    arrange_convolution(weights);

#pragma omp parallel num_threads(options_.threads)
    {
        const KernelThread thread;
        Space& space = spaces_[static_cast<std::size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
        for (int matrix = 0; matrix < 2; ++matrix) {
            if (matrix == 0)
                in_proj_.pack(model, layout.projection, {weights.in_proj, model, true});
            else
                out_proj_.pack(inner, model, {weights.out_proj, inner, true});
        }
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < layout.units(); ++index) {
            const BlockLayout::Unit unit = layout.unit_at(index);
            const std::int64_t first = unit.row * length + unit.begin;
            const float* from = in + first * model;
            rms_norm(unit.size(), model, from, weights.norm, space.operand.data());
            if (copy) std::copy(from, from + unit.size() * model, copy + first * model);
            in_proj_.multiply(unit.size(), {space.operand.data(), model}, projected + first * stride, stride);
        }
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < layout.units(); ++index)
            activate(weights, *tape, layout.unit_at(index), space);
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < layout.scans(); ++index) {
            const BlockLayout::ScanPlace place = layout.scan_at(index);
            const std::int64_t state =
                (place.row * layout.heads + place.first_head) * layout.headdim * layout.states;
            scan_forward(scan_of(weights, place), before.ssm ? before.ssm + state : nullptr,
                         y + place.row * length * inner + place.first_head * layout.headdim, inner,
                         states ? states + index * chunks * state_size : nullptr,
                         after.ssm ? after.ssm + state : nullptr, space.scan);
        }
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < layout.units(); ++index) {
            const BlockLayout::Unit unit = layout.unit_at(index);
            const std::int64_t first = unit.row * length + unit.begin;
            gated_norm(unit.size(), inner, inner / layout.groups, y + first * inner,
                       projected + first * stride, stride, weights.gate_norm, space.operand.data());
            if (out != in)
                std::copy(in + first * model, in + (first + unit.size()) * model, out + first * model);
            out_proj_.multiply(unit.size(), {space.operand.data(), inner}, out + first * model, model, true);
        }
    }
    if (after.conv) save_convolution(*tape, after.conv);
}

#define TRACEBENCH_INSTANTIATE(T)                                                                           \
    template TypedBlock<T>::TypedBlock(const ModelConfig&, const KernelOptions&);                           \
    template void TypedBlock<T>::use(const BlockLayout&);                                                   \
    template void TypedBlock<T>::arrange_convolution(const BlockArrays<const float>&);                      \
    template void TypedBlock<T>::convolution_inputs(const TypedTape<T>&, const BlockLayout::Unit&,          \
                                                    std::int64_t, std::vector<const T*>&) const;            \
    template void TypedBlock<T>::activate(const BlockArrays<const float>&, const TypedTape<T>&,             \
                                          const BlockLayout::Unit&, Space&);                                \
    template Scan<T> TypedBlock<T>::scan_of(const BlockArrays<const float>&, const BlockLayout::ScanPlace&) \
        const;                                                                                              \
    template void TypedBlock<T>::forward(const BlockArrays<const float>&, std::int64_t, std::int64_t,       \
                                         const float*, const BlockState<const float>&, float*,              \
                                         const BlockState<float>&, std::unique_ptr<BlockTape>*);
TRACEBENCH_INSTANTIATE(float)
TRACEBENCH_INSTANTIATE(Bfloat16)

}  // namespace tracebench::ssm
