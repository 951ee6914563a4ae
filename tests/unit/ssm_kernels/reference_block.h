#pragma once
/// The Mamba-2 block as its paper defines it: token by token, in double. What the kernels are held against.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "generators/ssm/kernels/block.h"

namespace tracebench::ssm {

using Doubles = std::vector<double>;
using Floats = std::vector<float>;

/// Every parameter of a block by its place in BlockArrays, in double.
struct ReferenceParameters {
    Doubles norm, in_proj, conv_weight, conv_bias, dt_bias, a_log, d, gate_norm, out_proj;
};
/// The same parameters, one after another, with their names.
struct NamedParameter {
    std::string name;
    Doubles ReferenceParameters::*values;
    float* BlockArrays<float>::*place;
};
const std::vector<NamedParameter>& block_parameters();

/// Random, of the sizes of `config`, such that every part of the block matters. Values are exact in float.
ReferenceParameters random_parameters(const ModelConfig& config, std::mt19937& random);
/// `count` values of a normal distribution, exact in float.
Doubles random_values(std::size_t count, double deviation, std::mt19937& random);

struct ReferenceState {
    Doubles conv;  ///< [rows, d_conv - 1, conv_channels]
    Doubles ssm;   ///< [rows, heads, headdim, d_state]
};
ReferenceState zero_state(const ModelConfig& config, std::int64_t rows);

/// Result [rows * length, d_model]; `state` goes from before to after.
Doubles reference_forward(const ModelConfig& config, const ReferenceParameters& parameters, std::int64_t rows,
                          std::int64_t length, const Doubles& in, ReferenceState& state);

/// Parameters or gradients of a block in float.
struct BlockMemory {
    std::vector<Floats> values;  ///< in the order of block_parameters()
    BlockArrays<float> arrays;
    BlockArrays<const float> constant() const;
};
BlockMemory to_float(const ReferenceParameters& parameters);
BlockMemory zeros_like(const ReferenceParameters& parameters);

Floats to_float(const Doubles& values);
/// Largest difference, relative to the largest magnitude of `expected`.
double relative_error(const Floats& actual, const Doubles& expected);

}  // namespace tracebench::ssm
