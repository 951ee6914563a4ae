#include "naive_model.h"

#include <algorithm>
#include <cmath>

namespace tracebench::ssm::test {
namespace {

using Vector = std::vector<double>;

double silu(double x) {
    return x / (1 + std::exp(-x));
}
double softplus(double x) {
    return std::log1p(std::exp(x));
}

/// Over each of `groups` equal parts of `x`.
Vector rms_norm(const Vector& x, const Vector& weight, std::size_t groups = 1) {
    Vector out(x.size());
    const std::size_t part = x.size() / groups;
    for (std::size_t begin = 0; begin < x.size(); begin += part) {
        double squares = 0;
        for (std::size_t i = begin; i < begin + part; ++i) squares += x[i] * x[i];
        const double scale = 1 / std::sqrt(squares / static_cast<double>(part) + 1e-5);
        for (std::size_t i = begin; i < begin + part; ++i) out[i] = x[i] * scale * weight[i];
    }
    return out;
}

/// The matrix has as many columns as `x` has values.
Vector product(const Vector& matrix, const Vector& x) {
    Vector out(matrix.size() / x.size(), 0);
    for (std::size_t row = 0; row < out.size(); ++row)
        for (std::size_t i = 0; i < x.size(); ++i) out[row] += matrix[row * x.size() + i] * x[i];
    return out;
}

}  // namespace

NaiveModel::NaiveModel(const ModelConfig& config, const std::vector<NamedTensor>& parameters)
    : config_(config) {
    for (const NamedTensor& tensor : parameters)
        parameters_[tensor.name] = Vector(tensor.values.begin(), tensor.values.end());
}

void NaiveModel::block(std::int64_t layer, std::vector<Vector>& stream) const {
    const std::string prefix = "backbone.layers." + std::to_string(layer) + ".", mixer = prefix + "mixer.";
    const auto inner = static_cast<std::size_t>(config_.d_inner()),
               n = static_cast<std::size_t>(config_.d_state),
               channels = static_cast<std::size_t>(config_.conv_channels()),
               heads = static_cast<std::size_t>(config_.heads()),
               p = static_cast<std::size_t>(config_.headdim),
               groups = static_cast<std::size_t>(config_.ngroups),
               width = static_cast<std::size_t>(config_.d_conv);
    const Vector &conv = parameter(mixer + "conv1d.weight"), &conv_bias = parameter(mixer + "conv1d.bias"),
                 &dt_bias = parameter(mixer + "dt_bias"), &a_log = parameter(mixer + "A_log"),
                 &d = parameter(mixer + "D");
    std::vector<Vector> projected;
    Vector state(heads * p * n, 0);
    for (std::size_t t = 0; t < stream.size(); ++t) {
        projected.push_back(product(parameter(mixer + "in_proj.weight"),
                                    rms_norm(stream[t], parameter(prefix + "norm.weight"))));
        Vector xbc(channels);
        for (std::size_t c = 0; c < channels; ++c) {
            double sum = conv_bias[c];
            for (std::size_t k = 0; k < width; ++k)
                if (t + k + 1 >= width) sum += conv[c * width + k] * projected[t + k + 1 - width][inner + c];
            xbc[c] = silu(sum);
        }
        Vector gated(inner);
        for (std::size_t h = 0; h < heads; ++h) {
            const double dt = softplus(projected[t][inner + channels + h] + dt_bias[h]);
            const double decay = std::exp(-std::exp(a_log[h]) * dt);
            const double* b = &xbc[inner + h / (heads / groups) * n];
            const double* c = b + groups * n;
            for (std::size_t i = 0; i < p; ++i) {
                const double x = xbc[h * p + i];
                double y = d[h] * x;
                for (std::size_t j = 0; j < n; ++j) {
                    double& s = state[(h * p + i) * n + j];
                    s = decay * s + dt * x * b[j];
                    y += s * c[j];
                }
                gated[h * p + i] = y * silu(projected[t][h * p + i]);
            }
        }
        const Vector out = product(parameter(mixer + "out_proj.weight"),
                                   rms_norm(gated, parameter(mixer + "norm.weight"), groups));
        for (std::size_t i = 0; i < out.size(); ++i) stream[t][i] += out[i];
    }
}

std::vector<double> NaiveModel::logits(const std::vector<Token>& tokens) const {
    const Vector& embedding = parameter("backbone.embedding.weight");
    const auto d = static_cast<std::size_t>(config_.d_model),
               v = static_cast<std::size_t>(config_.vocab_size);
    std::vector<Vector> stream;
    for (const Token token : tokens) {
        const auto row = embedding.begin() + token * config_.d_model;
        stream.emplace_back(row, row + config_.d_model);
    }
    for (std::int64_t layer = 0; layer < config_.n_layer; ++layer) block(layer, stream);
    const Vector used(embedding.begin(), embedding.begin() + static_cast<std::ptrdiff_t>(v * d));
    Vector out;
    for (const Vector& x : stream) {
        const Vector row = product(used, rms_norm(x, parameter("backbone.norm_f.weight")));
        out.insert(out.end(), row.begin(), row.end());
    }
    return out;
}

double NaiveModel::loss(const Batch& batch) const {
    const auto v = static_cast<std::size_t>(config_.vocab_size),
               length = static_cast<std::size_t>(batch.length);
    double sum = 0;
    for (std::size_t row = 0; row < static_cast<std::size_t>(batch.rows); ++row) {
        const auto inputs = batch.inputs.subspan(row * length, length);
        const Vector values = logits({inputs.begin(), inputs.end()});
        for (std::size_t t = 0; t < length; ++t)
            if (const Token target = batch.targets[row * length + t]; target >= 0)
                sum -= log_softmax(&values[t * v], v)[static_cast<std::size_t>(target)];
    }
    return sum;
}

std::vector<double> log_softmax(const double* logits, std::size_t size) {
    const double highest = *std::max_element(logits, logits + size);
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += std::exp(logits[i] - highest);
    Vector out(logits, logits + size);
    for (double& value : out) value -= highest + std::log(sum);
    return out;
}

}  // namespace tracebench::ssm::test
