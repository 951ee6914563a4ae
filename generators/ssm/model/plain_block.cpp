#include "generators/ssm/model/plain_block.h"

#include <limits>

namespace tracebench::ssm {
namespace {

using torch::Tensor;

constexpr double norm_epsilon = 1e-5;

/// in_proj's output along its last dimension.
struct Projected {
    Tensor z, xbc, dt;
};

Projected project(const ModelConfig& config, const PlainOptions& options, const BlockTensors& block,
                  const Tensor& input) {
    const Tensor zxbcdt = plain_linear(rms_norm(input, block.norm), block.in_proj, options.bfloat16);
    const auto parts =
        zxbcdt.split_with_sizes({config.d_inner(), config.conv_channels(), config.heads()}, -1);
    return {parts[0], parts[1], at::softplus(parts[2] + block.dt_bias)};
}

/// Norm after the gate, over each group's channels, then the way back into the residual stream.
Tensor finish(const ModelConfig& config, const PlainOptions& options, const BlockTensors& block,
              const Tensor& input, const Tensor& z, const Tensor& y) {
    const Tensor gated = rms_norm(y * at::silu(z), block.gate_norm, config.ngroups);
    return input + plain_linear(gated, block.out_proj, options.bfloat16);
}

/// The chunked scan. x [rows, length, heads, headdim], dt [rows, length, heads], b and c [rows, length,
/// ngroups, d_state], a [heads] (negative), state [rows, heads, headdim, d_state]. Returns y, shaped like x.
Tensor scan(const ModelConfig& config, std::int64_t chunk, Tensor x, Tensor dt, Tensor b, Tensor c,
            const Tensor& a, Tensor& state) {
    const std::int64_t rows = x.size(0), length = x.size(1), heads = config.heads(), groups = config.ngroups;
    const std::int64_t shared = heads / groups, p = config.headdim, n = config.d_state;
    const std::int64_t q = std::min(chunk, length), chunks = (length + q - 1) / q;
    if (const std::int64_t missing = chunks * q - length; missing > 0) {
        // A step of dt = 0 neither decays the state nor adds to it.
        x = at::constant_pad_nd(x, {0, 0, 0, 0, 0, missing});
        dt = at::constant_pad_nd(dt, {0, 0, 0, missing});
        b = at::constant_pad_nd(b, {0, 0, 0, 0, 0, missing});
        c = at::constant_pad_nd(c, {0, 0, 0, 0, 0, missing});
    }
    // [rows, chunks, groups, (shared,) q, ...] from here on.
    const auto by_head = [&](const Tensor& t) {  // [rows, length, heads, k]
        return t.reshape({rows, chunks, q, groups, shared, -1}).permute({0, 1, 3, 4, 2, 5});
    };
    const auto by_group = [&](const Tensor& t) {  // [rows, length, groups, n]
        return t.reshape({rows, chunks, q, groups, n}).permute({0, 1, 3, 2, 4});
    };
    const Tensor xdt = by_head(x * dt.unsqueeze(-1));
    const Tensor decay =
        by_head((dt * a).unsqueeze(-1)).squeeze(-1).cumsum(-1);  // [.., shared, q], logarithms
    b = by_group(b).contiguous();
    c = by_group(c).contiguous();

    // Within a chunk: (C B^T o L) (x dt), L lower triangular with the decay from s to t.
    const Tensor above = torch::ones({q, q}, torch::dtype(torch::kBool).device(x.device())).triu(1);
    const Tensor between = (decay.unsqueeze(-1) - decay.unsqueeze(-2))
                               .masked_fill(above, -std::numeric_limits<double>::infinity())
                               .exp();
    const Tensor scores = at::matmul(c, b.transpose(-1, -2)).unsqueeze(3) * between;
    Tensor y = at::matmul(scores, xdt);  // [rows, chunks, groups, shared, q, p]

    // What each chunk adds to the state by its end, then the recurrence over chunks.
    const Tensor total = decay.select(-1, q - 1);  // [rows, chunks, groups, shared]
    const Tensor weighted = xdt * (total.unsqueeze(-1) - decay).exp().unsqueeze(-1);
    const Tensor added =
        at::matmul(weighted.transpose(-1, -2).reshape({rows, chunks, groups, shared * p, q}), b)
            .reshape({rows, chunks, groups, shared, p, n});
    const Tensor kept = total.exp().unsqueeze(-1).unsqueeze(-1);
    Tensor current = state.reshape({rows, groups, shared, p, n});
    std::vector<Tensor> before;
    // Not select(): each one's gradient would be a tensor of all chunks.
    const std::vector<Tensor> keeps = kept.unbind(1), adds = added.unbind(1);
    for (std::size_t i = 0; i < adds.size(); ++i) {
        before.push_back(current);
        current = current * keeps[i] + adds[i];
    }
    state = current.reshape({rows, heads, p, n});

    // What a chunk gets from the state it began with.
    const Tensor entering = at::stack(before, 1).reshape({rows, chunks, groups, shared * p, n});
    const Tensor from_state = at::matmul(c, entering.transpose(-1, -2))
                                  .reshape({rows, chunks, groups, q, shared, p})
                                  .permute({0, 1, 2, 4, 3, 5});
    y = y + from_state * decay.exp().unsqueeze(-1);
    return y.permute({0, 1, 4, 2, 3, 5}).reshape({rows, chunks * q, heads, p}).narrow(1, 0, length);
}

}  // namespace

Tensor plain_linear(const Tensor& input, const Tensor& weight, bool bfloat16) {
    if (!bfloat16) return at::linear(input, weight);
    return at::linear(input.to(torch::kBFloat16), weight.to(torch::kBFloat16)).to(torch::kFloat);
}

Tensor rms_norm(const Tensor& input, const Tensor& weight, std::int64_t groups) {
    const Tensor parts = input.unflatten(-1, {groups, -1});
    const Tensor scale = (parts.square().mean(-1, true) + norm_epsilon).rsqrt();
    return (parts * scale).flatten(-2) * weight;
}

Tensor plain_block(const ModelConfig& config, const PlainOptions& options, const BlockTensors& block,
                   const Tensor& input, LayerState& state) {
    const std::int64_t rows = input.size(0), length = input.size(1), width = config.d_conv;
    const Projected in = project(config, options, block, input);

    // Causal: what came before, zeros at the beginning of a sequence, stands to the left.
    const Tensor extended = at::cat({state.conv, in.xbc}, 1);
    const Tensor convolved = at::conv1d(extended.transpose(1, 2), block.conv_weight, block.conv_bias, {1},
                                        torch::IntArrayRef{0}, {1}, config.conv_channels());
    const Tensor xbc = at::silu(convolved).transpose(1, 2);
    state.conv = extended.narrow(1, length, width - 1).detach().clone();

    const std::int64_t shared_channels = config.ngroups * config.d_state;
    const auto parts = xbc.split_with_sizes({config.d_inner(), shared_channels, shared_channels}, -1);
    const Tensor x = parts[0].reshape({rows, length, config.heads(), config.headdim});
    const Tensor b = parts[1].reshape({rows, length, config.ngroups, config.d_state});
    const Tensor c = parts[2].reshape({rows, length, config.ngroups, config.d_state});
    const Tensor y = scan(config, options.chunk, x, in.dt, b, c, -block.a_log.exp(), state.ssm) +
                     x * block.d.unsqueeze(-1);
    state.ssm = state.ssm.detach();
    return finish(config, options, block, input, in.z, y.flatten(2));
}

Tensor plain_block_step(const ModelConfig& config, const PlainOptions& options, const BlockTensors& block,
                        const Tensor& input, LayerState& state) {
    const std::int64_t rows = input.size(0), shared = config.heads() / config.ngroups;
    const Projected in = project(config, options, block, input);

    const Tensor window = at::cat({state.conv, in.xbc.unsqueeze(1)}, 1);  // [rows, d_conv, conv_channels]
    const Tensor xbc = at::silu((window * block.conv_weight.squeeze(1).t()).sum(1) + block.conv_bias);
    state.conv = window.narrow(1, 1, config.d_conv - 1).contiguous();

    const std::int64_t shared_channels = config.ngroups * config.d_state;
    const auto parts = xbc.split_with_sizes({config.d_inner(), shared_channels, shared_channels}, -1);
    const auto of_head = [&](const Tensor& t) {  // [rows, ngroups * d_state] -> [rows, heads, d_state]
        return t.reshape({rows, config.ngroups, config.d_state}).repeat_interleave(shared, 1);
    };
    const Tensor x = parts[0].reshape({rows, config.heads(), config.headdim});
    const Tensor decay = (in.dt * -block.a_log.exp()).exp().unsqueeze(-1).unsqueeze(-1);
    state.ssm = state.ssm * decay + (x * in.dt.unsqueeze(-1)).unsqueeze(-1) * of_head(parts[1]).unsqueeze(2);
    const Tensor y =
        at::matmul(state.ssm, of_head(parts[2]).unsqueeze(-1)).squeeze(-1) + x * block.d.unsqueeze(-1);
    return finish(config, options, block, input, in.z, y.flatten(1));
}

}  // namespace tracebench::ssm
