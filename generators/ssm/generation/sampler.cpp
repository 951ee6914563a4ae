#include "generators/ssm/generation/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"

namespace tracebench::ssm {
namespace {

// After so many rejections every token is asked for: the outcome is distributed alike, and bounded in time.
constexpr int max_rejections = 8;
// A sum that was reduced to this part of itself has lost digits and is added up again.
constexpr double cancellation = 1e-3;

}  // namespace

TokenHistory::TokenHistory(std::size_t vocabulary, std::int64_t window)
    : counts_(vocabulary), ring_(static_cast<std::size_t>(window)) {}

void TokenHistory::add(Token token) {
    if (ring_.empty()) {  // no window: once is as good as often
        counts_[static_cast<std::size_t>(token)] = 1;
        return;
    }
    if (full_) --counts_[static_cast<std::size_t>(ring_[next_])];
    ++counts_[static_cast<std::size_t>(token)];
    ring_[next_] = token;
    next_ = (next_ + 1) % ring_.size();
    full_ = full_ || next_ == 0;
}

Sampler::Sampler(const SamplerOptions& options, std::size_t vocabulary, std::vector<std::uint8_t> spared)
    : options_(options),
      vocabulary_(vocabulary),
      spared_(std::move(spared)),
      scores_(vocabulary),
      weights_(vocabulary) {}

bool Sampler::likelier(Token a, Token b) const {
    const float left = scores_[static_cast<std::size_t>(a)], right = scores_[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
}

void Sampler::score(std::span<const float> logits, const TokenHistory& history) {
    constexpr float nothing = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < vocabulary_; ++i) scores_[i] = logits[i] > nothing ? logits[i] : nothing;
    const auto penalty = static_cast<float>(options_.repetition_penalty);
    if (penalty == 1) return;
    for (std::size_t i = 0; i < vocabulary_; ++i)
        if (history.contains(i)) scores_[i] = scores_[i] > 0 ? scores_[i] / penalty : scores_[i] * penalty;
}

float Sampler::highest_score() const {
    // Several at once: one maximum after the other would take most of the time that a draw does.
    constexpr std::size_t lanes = 16;
    std::array<float, lanes> highest;
    highest.fill(-std::numeric_limits<float>::infinity());
    std::size_t i = 0;
    for (; i + lanes <= vocabulary_; i += lanes)
        for (std::size_t j = 0; j < lanes; ++j)
            highest[j] = scores_[i + j] > highest[j] ? scores_[i + j] : highest[j];
    for (; i < vocabulary_; ++i) highest[0] = std::max(highest[0], scores_[i]);
    return *std::ranges::max_element(highest);
}

void Sampler::weigh(std::span<const float> logits, const TokenHistory& history) {
    score(logits, history);
    const float most = highest_score();
    if (!std::isfinite(most))
        throw InputError("generator 'ssm'", "its model gives no finite logit",
                         "train it again with a lower learning_rate");
    candidates_.clear();
    if (options_.temperature == 0) {
        const auto first = std::find(scores_.begin(), scores_.end(), most) - scores_.begin();
        candidates_.push_back(static_cast<Token>(first));
        weights_[static_cast<std::size_t>(first)] = 1;
        return;
    }
    const auto sharpness = static_cast<float>(1 / options_.temperature);
    // What min_p will leave out needs no exponential, unless top_p counts it first. A little lower: which
    // tokens are at the edge is for min_p to say.
    const bool edge = options_.min_p > 0 && options_.top_p >= 1;
    const float lowest =
        edge ? static_cast<float>(std::log(options_.min_p) - 0.01) : -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < vocabulary_; ++i) {
        const float exponent = (scores_[i] - most) * sharpness;
        if (!(exponent > lowest) && !is_spared(i)) continue;
        weights_[i] = std::exp(exponent);
        candidates_.push_back(static_cast<Token>(i));
    }
    keep_top_k();
    keep_top_p();
    if (options_.min_p > 0)  // the likeliest weighs 1
        std::erase_if(candidates_, [this](Token token) {
            const auto i = static_cast<std::size_t>(token);
            return weights_[i] < static_cast<float>(options_.min_p) && !is_spared(i);
        });
}

void Sampler::keep_top_k() {
    const auto k = static_cast<std::size_t>(options_.top_k);
    if (k == 0 || k >= candidates_.size()) return;
    const auto middle = candidates_.begin() + static_cast<std::ptrdiff_t>(k);
    std::nth_element(candidates_.begin(), middle, candidates_.end(),
                     [this](Token a, Token b) { return likelier(a, b); });
    candidates_.erase(middle, candidates_.end());
    std::ranges::sort(candidates_);
}

void Sampler::keep_top_p() {
    if (options_.top_p >= 1) return;
    const double wanted = options_.top_p * total();
    std::ranges::sort(candidates_, [this](Token a, Token b) { return likelier(a, b); });
    double reached = 0;
    std::size_t kept = 0;
    for (; kept < candidates_.size() && (reached < wanted || kept == 0); ++kept)
        reached += static_cast<double>(weights_[static_cast<std::size_t>(candidates_[kept])]);
    candidates_.resize(kept);
    std::ranges::sort(candidates_);
}

double Sampler::total() const {
    double sum = 0;
    for (const Token token : candidates_)
        sum += static_cast<double>(weights_[static_cast<std::size_t>(token)]);
    return sum;
}

Token Sampler::draw_weighted(Random& random, double total) const {
    double left = random.uniform() * total;
    Token last = 0;
    for (const Token token : candidates_) {
        const float weight = weights_[static_cast<std::size_t>(token)];
        if (weight == 0) continue;
        last = token;
        left -= static_cast<double>(weight);
        if (left < 0) break;
    }
    return last;
}

Token Sampler::likeliest(const std::function<bool(Token)>& allowed) {
    // A heap, for one of the first few will do.
    const auto less = [this](Token a, Token b) { return likelier(b, a); };
    order_.resize(vocabulary_);
    std::iota(order_.begin(), order_.end(), Token{0});
    std::ranges::make_heap(order_, less);
    for (; !order_.empty(); order_.pop_back()) {
        std::ranges::pop_heap(order_, less);
        if (allowed(order_.back())) return order_.back();
    }
    return -1;
}

Sampler::Draw Sampler::draw(std::span<const float> logits, const TokenHistory& history, Random& random,
                            const std::function<bool(Token)>& allowed) {
    weigh(logits, history);
    const double all = total();
    double left = all;
    Draw draw;
    draw.first = draw.token = draw_weighted(random, left);
    for (int rejections = 1; !allowed(draw.token); ++rejections) {
        float& weight = weights_[static_cast<std::size_t>(draw.token)];
        left -= static_cast<double>(weight);
        weight = 0;
        if (rejections == max_rejections)
            std::erase_if(candidates_, [&](Token token) {
                return weights_[static_cast<std::size_t>(token)] == 0 || !allowed(token);
            });
        if (rejections == max_rejections || left < all * cancellation) left = total();
        if (left <= 0) {
            draw.token = likeliest(allowed);
            break;
        }
        draw.token = draw_weighted(random, left);
    }
    return draw;
}

std::vector<double> Sampler::distribution(std::span<const float> logits, const TokenHistory& history) {
    weigh(logits, history);
    const double sum = total();
    std::vector<double> probabilities(vocabulary_);
    for (const Token token : candidates_)
        probabilities[static_cast<std::size_t>(token)] =
            static_cast<double>(weights_[static_cast<std::size_t>(token)]) / sum;
    return probabilities;
}

}  // namespace tracebench::ssm
