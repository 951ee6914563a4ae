#include <omp.h>

#include <algorithm>
#include <type_traits>

#include "generators/ssm/kernels/typed_block.h"

namespace tracebench::ssm {
namespace {

/// Rows of a weight's gradient that a thread takes at a time, and tokens whose operands stay in its cache.
constexpr std::int64_t panel = 64, depth = 1024;

std::int64_t panels(std::int64_t rows) {
    return (rows + panel - 1) / panel;
}

/// Rows [index * panel, ...) of to[m, n] += a[k, m]^T b[k, n].
template <typename T>
void add_panel(std::int64_t index, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
               std::int64_t a_stride, const T* b, std::int64_t b_stride, float* to) {
    const std::int64_t first = index * panel;
    for (std::int64_t at = 0; at < k; at += depth)
        multiply<T, float>(std::min(panel, m - first), n, std::min(depth, k - at),
                           {a + at * a_stride + first, a_stride, true}, {b + at * b_stride, b_stride},
                           to + first * n, n, true);
}

}  // namespace

template <typename T>
typename TypedBlock<T>::Partials TypedBlock<T>::partials(std::int64_t unit) const {
    const std::int64_t size =
        layout_.model + layout_.inner + (layout_.taps + 1) * layout_.channels + layout_.heads;
    Partials at{};
    at.norm = partials_.data() + unit * size;
    at.gate_norm = at.norm + layout_.model;
    at.conv_weight = at.gate_norm + layout_.inner;
    at.conv_bias = at.conv_weight + layout_.taps * layout_.channels;
    at.dt_bias = at.conv_bias + layout_.channels;
    return at;
}

/// From the gradient of `out` to those of z and the scan's output; also x, B, C, dt again.
template <typename T>
void TypedBlock<T>::backward_gate(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                                  const BlockLayout::Unit& unit, const float* gradient, std::int64_t index,
                                  Space& space) {
    const std::int64_t first = unit.row * layout_.length + unit.begin, count = unit.size();
    const std::int64_t inner = layout_.inner, stride = layout_.projected_stride;
    const Partials sums = partials(index), next = partials(index + 1);
    std::fill(sums.norm, next.norm, 0.f);
    const T* slopes = slopes_.data() + first * layout_.model;
    if constexpr (std::is_same_v<T, float>)
        slopes = gradient + first * layout_.model;
    else
        convert(count * layout_.model, gradient + first * layout_.model,
                slopes_.data() + first * layout_.model);
    float* wide = space.wide.reserve((BlockLayout::unit + 2) * inner);
    out_proj_back_.multiply(count, {slopes, layout_.model}, wide, inner);
    gated_norm_backward(count, inner, inner / layout_.groups, tape.y.data() + first * inner,
                        tape.projected.data() + first * stride, stride, weights.gate_norm, wide,
                        y_gradient_.data() + first * inner, projected_gradient_.data() + first * stride,
                        sums.gate_norm, gated_.data() + first * inner, wide + BlockLayout::unit * inner);
    activate(weights, tape, unit, space);
}

template <typename T>
void TypedBlock<T>::backward_scan(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                                  std::int64_t index, Space& space) {
    const BlockLayout::ScanPlace place = layout_.scan_at(index);
    const Scan<T> scan = scan_of(weights, place);
    const std::int64_t first = place.row * layout_.length, channel = place.first_head * layout_.headdim;
    float* bc = bc_gradient_.data() + (place.part * layout_.tokens() + first) * layout_.bc_width() +
                place.group * layout_.states;
    const std::int64_t head = place.row * layout_.heads + place.first_head;
    scan_backward(scan, tape.states.data() + index * scan.chunks() * scan.state_size(),
                  {.y = y_gradient_.data() + first * layout_.inner + channel,
                   .y_stride = layout_.inner,
                   .x = x_gradient_.data() + first * layout_.inner + channel,
                   .x_stride = layout_.inner,
                   .b = bc,
                   .c = bc + layout_.groups * layout_.states,
                   .bc_stride = layout_.bc_width(),
                   .dt = dt_gradient_.data() + place.first_head * layout_.tokens() + first,
                   .a = a_gradient_.data() + head,
                   .d = d_gradient_.data() + head},
                  space.scan);
}

/// From the gradients of x, B, C, dt to those of in_proj's output.
template <typename T>
void TypedBlock<T>::backward_convolution(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                                         const BlockLayout::Unit& unit, std::int64_t index, Space& space) {
    const std::int64_t first = unit.row * layout_.length + unit.begin, stride = layout_.projected_stride;
    const std::int64_t inner = layout_.inner, width = layout_.bc_width();
    const std::int64_t extra = std::min(layout_.taps - 1, layout_.length - unit.end),
                       rows = unit.size() + extra;
    const Partials sums = partials(index);
    const float* bc = bc_gradient_.data() + first * width;
    if (layout_.scans_a_group > 1) {
        float* sum = space.sums.reserve((BlockLayout::unit + layout_.taps) * width);
        std::copy(bc, bc + rows * width, sum);
        for (std::int64_t part = 1; part < layout_.scans_a_group; ++part)
            add(rows * width, bc + part * layout_.tokens() * width, sum);
        bc = sum;
    }
    convolution_inputs(tape, unit, extra, space.inputs);
    float* pre = space.pre.reserve((BlockLayout::unit + layout_.taps) * layout_.channels);
    const Convolution convolution{layout_.channels, layout_.taps, convolution_.data(), weights.conv_bias};
    convolve_backward(convolution, 0, inner, rows, unit.size(), space.inputs.data(),
                      x_gradient_.data() + first * inner, inner, pre, sums.conv_weight, sums.conv_bias);
    convolve_backward(convolution, inner, layout_.channels, rows, unit.size(), space.inputs.data(), bc, width,
                      pre, sums.conv_weight, sums.conv_bias);
    T* to = projected_gradient_.data() + first * stride;
    convolve_input_gradient(convolution, unit.size(), rows, pre, to + inner, stride);

    const std::int64_t dt = layout_.projection - layout_.heads;
    const T* raw = tape.projected.data() + first * stride + dt;
    for (std::int64_t head = 0; head < layout_.heads; ++head) {
        const float* given = dt_gradient_.data() + head * layout_.tokens() + first;
        for (std::int64_t t = 0; t < unit.size(); ++t) {
            const float slope =
                given[t] * fast_sigmoid(to_float(raw[t * stride + head]) + weights.dt_bias[head]);
            sums.dt_bias[head] += slope;
            to[t * stride + dt + head] = from_float<T>(slope);
        }
    }
}

/// Through in_proj and the norm to the residual stream.
template <typename T>
void TypedBlock<T>::backward_projection(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                                        const BlockLayout::Unit& unit, float* gradient, std::int64_t index,
                                        Space& space) {
    const std::int64_t first = unit.row * layout_.length + unit.begin, model = layout_.model;
    const std::int64_t stride = layout_.projected_stride;
    float* norm = space.norm.reserve(BlockLayout::unit * model);
    in_proj_back_.multiply(unit.size(), {projected_gradient_.data() + first * stride, stride}, norm, model);
    rms_norm_backward(unit.size(), model, tape.in.data() + first * model, weights.norm, norm,
                      gradient + first * model, partials(index).norm, normed_.data() + first * model);
}

/// Sums over units and rows, in their order.
template <typename T>
void TypedBlock<T>::add_partials(const BlockArrays<float>& gradients) const {
    for (std::int64_t unit = 0; unit < layout_.units(); ++unit) {
        const Partials at = partials(unit);
        add(layout_.model, at.norm, gradients.norm);
        add(layout_.inner, at.gate_norm, gradients.gate_norm);
        add(layout_.channels, at.conv_bias, gradients.conv_bias);
        add(layout_.heads, at.dt_bias, gradients.dt_bias);
        for (std::int64_t tap = 0; tap < layout_.taps; ++tap)
            for (std::int64_t channel = 0; channel < layout_.channels; ++channel)
                gradients.conv_weight[channel * layout_.taps + tap] +=
                    at.conv_weight[tap * layout_.channels + channel];
    }
    for (std::int64_t row = 0; row < layout_.rows; ++row)
        for (std::int64_t head = 0; head < layout_.heads; ++head) {
            gradients.a_log[head] += a_gradient_.data()[row * layout_.heads + head] * a_.data()[head];
            gradients.d[head] += d_gradient_.data()[row * layout_.heads + head];
        }
}

template <typename T>
void TypedBlock<T>::backward(const BlockArrays<const float>& weights, const BlockArrays<float>& gradients,
                             BlockTape& kept, float* gradient) {
    const auto& tape = dynamic_cast<const TypedTape<T>&>(kept);
    use(tape.layout);
    const BlockLayout& layout = layout_;
    const std::int64_t tokens = layout.tokens(), model = layout.model, inner = layout.inner;
    const std::int64_t stride = layout.projected_stride;
    if constexpr (!std::is_same_v<T, float>) slopes_.reserve(tokens * model);
    normed_.reserve(tokens * model);
    gated_.reserve(tokens * inner);
    y_gradient_.reserve(tokens * inner);
    projected_gradient_.reserve(tokens * stride);
    x_gradient_.reserve(tokens * inner);
    bc_gradient_.reserve(layout.scans_a_group * tokens * layout.bc_width());
    dt_gradient_.reserve(layout.heads * tokens);
    a_gradient_.reserve(layout.rows * layout.heads);
    d_gradient_.reserve(layout.rows * layout.heads);
    partials_.reserve((layout.units() + 1) *
                      (model + inner + (layout.taps + 1) * layout.channels + layout.heads));
    arrange_convolution(weights);

#pragma omp parallel num_threads(options_.threads)
    {
        const KernelThread thread;
        Space& space = spaces_[static_cast<std::size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
        for (int matrix = 0; matrix < 2; ++matrix) {
            if (matrix == 0)
                in_proj_back_.pack(layout.projection, model, {weights.in_proj, model});
            else
                out_proj_back_.pack(model, inner, {weights.out_proj, inner});
        }
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < layout.units(); ++index)
            backward_gate(weights, tape, layout.unit_at(index), gradient, index, space);
#pragma omp for schedule(dynamic) nowait
        for (std::int64_t index = 0; index < layout.scans(); ++index)
            backward_scan(weights, tape, index, space);
            // Before `gradient` changes, and for threads that are done with their scans.
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < panels(model); ++index) {
            const T* slopes = slopes_.data();
            if constexpr (std::is_same_v<T, float>) slopes = gradient;
            add_panel<T>(index, model, inner, tokens, slopes, model, gated_.data(), inner,
                         gradients.out_proj);
        }
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < layout.units(); ++index) {
            const BlockLayout::Unit unit = layout.unit_at(index);
            backward_convolution(weights, tape, unit, index, space);
            backward_projection(weights, tape, unit, gradient, index, space);
        }
#pragma omp for schedule(dynamic)
        for (std::int64_t index = 0; index < panels(layout.projection); ++index)
            add_panel<T>(index, layout.projection, model, tokens, projected_gradient_.data(), stride,
                         normed_.data(), model, gradients.in_proj);
    }
    add_partials(gradients);
}

#define TRACEBENCH_INSTANTIATE(T)                                                                     \
    template void TypedBlock<T>::backward(const BlockArrays<const float>&, const BlockArrays<float>&, \
                                          BlockTape&, float*);
TRACEBENCH_INSTANTIATE(float)
TRACEBENCH_INSTANTIATE(Bfloat16)

}  // namespace tracebench::ssm
