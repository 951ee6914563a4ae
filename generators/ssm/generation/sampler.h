#pragma once
/// The next token from the model's logits.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/random.h"
#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm {

/// Applied in this order, each to what the one before left, as Hugging Face's `transformers` does.
struct SamplerOptions {
    /// Logits of tokens in the history are divided by it where they are positive and multiplied where they
    /// are negative (Keskar et al., 2019, CTRL). 1: off.
    double repetition_penalty = 1;
    std::int64_t repetition_window = 0;  ///< tokens of history, the prompt included; 0: all
    double temperature = 1;              ///< logits are divided by it; 0: always the likeliest token
    std::int64_t top_k = 0;              ///< only the k likeliest tokens; 0: all
    /// Only the likeliest tokens whose probabilities together reach it (Holtzman et al., 2020); 1: all.
    double top_p = 1;
    double min_p =
        0;  ///< only tokens at least this times as likely as the likeliest, and spared ones; 0: all
};

/// Which tokens occurred of late. Memory is that of the window, and of the vocabulary.
class TokenHistory {
  public:
    TokenHistory(std::size_t vocabulary, std::int64_t window);
    void add(Token token);
    bool contains(std::size_t token) const { return counts_[token] > 0; }

  private:
    std::vector<std::uint32_t> counts_;
    std::vector<Token> ring_;
    std::size_t next_ = 0;
    bool full_ = false;
};

class Sampler {
  public:
    /// `spared`, by token: 1 where min_p does not apply; empty: it applies to all.
    Sampler(const SamplerOptions& options, std::size_t vocabulary, std::vector<std::uint8_t> spared = {});

    struct Draw {
        Token first = 0;  ///< what was drawn before anything was rejected
        Token token = 0;  ///< what was drawn and allowed; negative: no token is
    };

    /// Draws until `allowed` agrees, leaving out what it rejected: the model's distribution under the
    /// condition that the token is allowed. Where the filters leave nothing that is allowed, the likeliest
    /// allowed token. Of equally likely ones filters prefer the smaller id. `logits` are of the first
    /// `vocabulary` tokens; NaN counts as minus infinity. Throws InputError where none is finite.
    Draw draw(std::span<const float> logits, const TokenHistory& history, Random& random,
              const std::function<bool(Token)>& allowed);

    /// What draw() draws its first choice from; sums to 1.
    std::vector<double> distribution(std::span<const float> logits, const TokenHistory& history);

  private:
    void score(std::span<const float> logits, const TokenHistory& history);
    float highest_score() const;
    void weigh(std::span<const float> logits, const TokenHistory& history);
    void keep_top_k();
    void keep_top_p();
    Token draw_weighted(Random& random, double total) const;
    double total() const;
    Token likeliest(const std::function<bool(Token)>& allowed);
    bool likelier(Token a, Token b) const;
    bool is_spared(std::size_t token) const { return !spared_.empty() && spared_[token] != 0; }

    const SamplerOptions options_;
    const std::size_t vocabulary_;
    const std::vector<std::uint8_t> spared_;
    std::vector<float> scores_;
    std::vector<Token> candidates_;  ///< what the filters left, ascending
    std::vector<float> weights_;     ///< [vocabulary] of the candidates; 0: rejected
    std::vector<Token> order_;
};

}  // namespace tracebench::ssm
