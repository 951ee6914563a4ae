#pragma once
/// Wrong history on purpose: in training a few of the tokens that a model is given are replaced by others of
/// their kind, while what it is asked for stays. A model that has only ever seen true history, of few
/// samples, does not find back after its own first mistake (exposure bias: Ranzato et al., ICLR 2016;
/// replacing inputs: Xie et al., "Data Noising as Smoothing in Neural Network Language Models", ICLR 2017).

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm {

class TokenNoise {
  public:
    /// `share` [0, 1) of the tokens that have a kind is replaced. `kinds` by token id; negative, or beyond
    /// the end: never replaced. What replaces a token is as frequent as it is among those of its kind in
    /// `samples`.
    TokenNoise(double share, std::vector<int> kinds, std::span<const std::span<const Token>> samples);

    Token operator()(Token token, Random& random) const;

  private:
    double share_;
    std::vector<int> kinds_;
    std::vector<std::vector<Token>> drawn_from_;  ///< by kind: tokens as they came, at most a fixed number
};

}  // namespace tracebench::ssm
