#include "tests/unit/ssm_kernels/reference_block.h"

#include <algorithm>
#include <cmath>

namespace tracebench::ssm {
namespace {

double silu(double x) {
    return x / (1 + std::exp(-x));
}

/// x / sqrt(mean(x^2) + 1e-5) * weight over [first, first + count) of x.
void norm(Doubles& x, std::size_t first, std::size_t count, const double* weight) {
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i) squares += x[first + i] * x[first + i];
    const double root = std::sqrt(squares / static_cast<double>(count) + 1e-5);
    for (std::size_t i = 0; i < count; ++i) x[first + i] = x[first + i] / root * weight[i];
}

/// matrix [rows, x.size()] times x.
Doubles times(const Doubles& matrix, const Doubles& x) {
    Doubles y(matrix.size() / x.size());
    for (std::size_t i = 0; i < y.size(); ++i)
        for (std::size_t j = 0; j < x.size(); ++j) y[i] += matrix[i * x.size() + j] * x[j];
    return y;
}

}  // namespace

const std::vector<NamedParameter>& block_parameters() {
    using P = ReferenceParameters;
    using A = BlockArrays<float>;
    static const std::vector<NamedParameter> all = {{"norm", &P::norm, &A::norm},
                                                    {"in_proj", &P::in_proj, &A::in_proj},
                                                    {"conv_weight", &P::conv_weight, &A::conv_weight},
                                                    {"conv_bias", &P::conv_bias, &A::conv_bias},
                                                    {"dt_bias", &P::dt_bias, &A::dt_bias},
                                                    {"a_log", &P::a_log, &A::a_log},
                                                    {"d", &P::d, &A::d},
                                                    {"gate_norm", &P::gate_norm, &A::gate_norm},
                                                    {"out_proj", &P::out_proj, &A::out_proj}};
    return all;
}

Doubles random_values(std::size_t count, double deviation, std::mt19937& random) {
    std::normal_distribution<double> normal(0, deviation);
    Doubles values(count);
    for (double& value : values) value = static_cast<double>(static_cast<float>(normal(random)));
    return values;
}

ReferenceParameters random_parameters(const ModelConfig& config, std::mt19937& random) {
    const auto size = [](std::int64_t count) { return static_cast<std::size_t>(count); };
    const double model = static_cast<double>(config.d_model), inner = static_cast<double>(config.d_inner());
    ReferenceParameters parameters{
        .norm = random_values(size(config.d_model), 0.2, random),
        .in_proj = random_values(size(config.projection() * config.d_model), 1 / std::sqrt(model), random),
        .conv_weight = random_values(size(config.conv_channels() * config.d_conv), 0.6, random),
        .conv_bias = random_values(size(config.conv_channels()), 0.3, random),
        .dt_bias = random_values(size(config.heads()), 1, random),
        .a_log = random_values(size(config.heads()), 0.7, random),
        .d = random_values(size(config.heads()), 1, random),
        .gate_norm = random_values(size(config.d_inner()), 0.2, random),
        .out_proj = random_values(size(config.d_model * config.d_inner()), 1 / std::sqrt(inner), random)};
    for (double& value : parameters.norm) value = static_cast<double>(static_cast<float>(value + 1));
    for (double& value : parameters.gate_norm) value = static_cast<double>(static_cast<float>(value + 1));
    return parameters;
}

ReferenceState zero_state(const ModelConfig& config, std::int64_t rows) {
    return {Doubles(static_cast<std::size_t>(rows * (config.d_conv - 1) * config.conv_channels())),
            Doubles(static_cast<std::size_t>(rows * config.d_inner() * config.d_state))};
}

Doubles reference_forward(const ModelConfig& config, const ReferenceParameters& p, std::int64_t rows,
                          std::int64_t length, const Doubles& in, ReferenceState& state) {
    const auto model = static_cast<std::size_t>(config.d_model),
               inner = static_cast<std::size_t>(config.d_inner());
    const auto channels = static_cast<std::size_t>(config.conv_channels());
    const auto taps = static_cast<std::size_t>(config.d_conv),
               states = static_cast<std::size_t>(config.d_state);
    const auto heads = static_cast<std::size_t>(config.heads()),
               headdim = static_cast<std::size_t>(config.headdim);
    const auto groups = static_cast<std::size_t>(config.ngroups);
    Doubles out(in.size());
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
        double* window = state.conv.data() + row * (taps - 1) * channels;
        double* ssm = state.ssm.data() + row * inner * states;
        for (std::size_t t = 0; t < static_cast<std::size_t>(length); ++t) {
            const std::size_t at = (row * static_cast<std::size_t>(length) + t) * model;
            Doubles u(in.begin() + static_cast<std::ptrdiff_t>(at),
                      in.begin() + static_cast<std::ptrdiff_t>(at + model));
            norm(u, 0, model, p.norm.data());
            const Doubles projected = times(p.in_proj, u);
            const double* raw = projected.data() + inner;
            Doubles xbc(channels);
            for (std::size_t c = 0; c < channels; ++c) {
                double sum = p.conv_bias[c] + p.conv_weight[c * taps + taps - 1] * raw[c];
                for (std::size_t k = 0; k + 1 < taps; ++k)
                    sum += p.conv_weight[c * taps + k] * window[k * channels + c];
                xbc[c] = silu(sum);
            }
            if (taps > 1) {
                std::copy(window + channels, window + (taps - 1) * channels, window);
                std::copy(raw, raw + channels, window + (taps - 2) * channels);
            }
            Doubles y(inner);
            for (std::size_t head = 0; head < heads; ++head) {
                const std::size_t group = head / (heads / groups);
                const double* b = xbc.data() + inner + group * states;
                const double* c = xbc.data() + inner + (groups + group) * states;
                const double dt = std::log1p(std::exp(projected[inner + channels + head] + p.dt_bias[head]));
                const double decay = std::exp(-dt * std::exp(p.a_log[head]));
                for (std::size_t i = head * headdim; i < (head + 1) * headdim; ++i) {
                    for (std::size_t n = 0; n < states; ++n) {
                        double& s = ssm[i * states + n];
                        s = decay * s + dt * xbc[i] * b[n];
                        y[i] += s * c[n];
                    }
                    y[i] = (y[i] + p.d[head] * xbc[i]) * silu(projected[i]);
                }
            }
            for (std::size_t group = 0; group < groups; ++group)
                norm(y, group * (inner / groups), inner / groups,
                     p.gate_norm.data() + group * (inner / groups));
            const Doubles added = times(p.out_proj, y);
            for (std::size_t i = 0; i < model; ++i) out[at + i] = in[at + i] + added[i];
        }
    }
    return out;
}

BlockArrays<const float> BlockMemory::constant() const {
    return {arrays.norm,  arrays.in_proj, arrays.conv_weight, arrays.conv_bias, arrays.dt_bias,
            arrays.a_log, arrays.d,       arrays.gate_norm,   arrays.out_proj};
}

BlockMemory to_float(const ReferenceParameters& parameters) {
    BlockMemory memory;
    for (const NamedParameter& parameter : block_parameters())
        memory.values.push_back(to_float(parameters.*parameter.values));
    for (std::size_t i = 0; i < memory.values.size(); ++i)
        memory.arrays.*block_parameters()[i].place = memory.values[i].data();
    return memory;
}

BlockMemory zeros_like(const ReferenceParameters& parameters) {
    BlockMemory memory = to_float(parameters);
    for (Floats& values : memory.values) std::fill(values.begin(), values.end(), 0.f);
    return memory;
}

Floats to_float(const Doubles& values) {
    return Floats(values.begin(), values.end());
}

double relative_error(const Floats& actual, const Doubles& expected) {
    if (actual.size() != expected.size()) return HUGE_VAL;
    double difference = 0, magnitude = 1e-30;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double off = std::abs(static_cast<double>(actual[i]) - expected[i]);
        difference = std::isnan(off) ? HUGE_VAL : std::max(difference, off);
        magnitude = std::max(magnitude, std::abs(expected[i]));
    }
    return difference / magnitude;
}

}  // namespace tracebench::ssm
