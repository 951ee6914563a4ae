#pragma once
/// Small models with weights far from their initial values, so that every term matters.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/random.h"
#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm::test {

/// Nothing divides anything by chance: 2 groups, padded vocabulary, chunks of 5 in sequences of other
/// lengths.
inline ModelConfig odd_config() {
    ModelConfig config;
    config.d_model = 32;
    config.n_layer = 2;
    config.vocab_size = 21;
    config.d_state = 12;
    config.headdim = 16;
    config.ngroups = 2;
    return config;
}

inline std::unique_ptr<SequenceModel> make_model(const ModelConfig& config, Backend backend,
                                                 Precision precision = Precision::float32,
                                                 std::int64_t chunk = 5, int threads = 2) {
    return make_sequence_model(
        config, {.backend = backend, .precision = precision, .threads = threads, .chunk = chunk}, 7);
}

/// The initial parameters, disturbed.
inline std::vector<NamedTensor> disturbed_parameters(const SequenceModel& model) {
    Random random(11);
    std::vector<NamedTensor> tensors = model.parameters();
    for (NamedTensor& tensor : tensors) {
        const double size = tensor.name.ends_with("embedding.weight") ? 0.5 : 0.2;
        for (float& value : tensor.values) value += static_cast<float>(size * random.normal());
    }
    return tensors;
}

inline std::vector<Token> random_tokens(std::size_t count, std::int64_t vocabulary, std::uint64_t seed) {
    Random random(seed);
    std::vector<Token> tokens(count);
    for (Token& token : tokens)
        token = static_cast<Token>(random.below(static_cast<std::uint64_t>(vocabulary)));
    return tokens;
}

/// By name; an empty one where there is none.
inline NamedTensor find_tensor(const std::vector<NamedTensor>& tensors, const std::string& name) {
    for (const NamedTensor& tensor : tensors)
        if (tensor.name == name) return tensor;
    return {};
}

struct BackendName {
    template <typename Info>
    std::string operator()(const Info& info) const {
        return info.param == Backend::fused ? "fused" : "plain";
    }
};

class EachBackend : public testing::TestWithParam<Backend> {};

}  // namespace tracebench::ssm::test
