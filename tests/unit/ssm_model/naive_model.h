#pragma once
/// Mamba-2 in float64, one token after another, in plain loops: what the implementations are compared with,
/// and itself compared with PyTorch in golden_test.cpp. Dao and Gu, "Transformers are SSMs", ICML 2024,
/// section 7.

#include <map>
#include <string>
#include <vector>

#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm::test {

class NaiveModel {
  public:
    NaiveModel(const ModelConfig& config, const std::vector<NamedTensor>& parameters);

    /// Of one sequence: tokens.size() * vocab_size.
    std::vector<double> logits(const std::vector<Token>& tokens) const;
    /// Summed over the targets that count, each row from its beginning.
    double loss(const Batch& batch) const;
    double& value(const std::string& tensor, std::size_t index) { return parameters_.at(tensor).at(index); }

  private:
    using Vector = std::vector<double>;
    const Vector& parameter(const std::string& name) const { return parameters_.at(name); }
    /// Adds the block's output to the residual stream [length][d_model].
    void block(std::int64_t layer, std::vector<Vector>& stream) const;

    ModelConfig config_;
    std::map<std::string, Vector> parameters_;
};

/// x - log(sum(exp(x))).
std::vector<double> log_softmax(const double* logits, std::size_t size);

}  // namespace tracebench::ssm::test
