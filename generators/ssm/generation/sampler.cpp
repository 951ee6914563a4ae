#include "generators/ssm/generation/sampler.h"

#include <algorithm>
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

Sampler::Sampler(const SamplerOptions& options, std::size_t vocabulary)
    : options_(options), vocabulary_(vocabulary), scores_(vocabulary), weights_(vocabulary) {}

bool Sampler::likelier(Token a, Token b) const {
    const float left = scores_[static_cast<std::size_t>(a)], right = scores_[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
}

void Sampler::weigh(std::span<const float> logits, const TokenHistory& history) {
    const auto penalty = static_cast<float>(options_.repetition_penalty);
    float most = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < vocabulary_; ++i) {
        float score = std::isnan(logits[i]) ? -std::numeric_limits<float>::infinity() : logits[i];
        if (penalty != 1 && history.contains(i)) score = score > 0 ? score / penalty : score * penalty;
        scores_[i] = score;
        most = std::max(most, score);
    }
    if (!std::isfinite(most))
        throw InputError("generator 'ssm'", "its model gives no finite logit",
                         "train it again with a lower learning_rate");
    if (options_.temperature == 0) {
        const auto first = std::find(scores_.begin(), scores_.end(), most);
        std::fill(weights_.begin(), weights_.end(), 0.0f);
        weights_[static_cast<std::size_t>(first - scores_.begin())] = 1;
        return;
    }
    const auto sharpness = static_cast<float>(1 / options_.temperature);
    for (std::size_t i = 0; i < vocabulary_; ++i) weights_[i] = std::exp((scores_[i] - most) * sharpness);
    keep_top_k();
    keep_top_p();
    if (options_.min_p > 0)  // the likeliest weighs 1
        for (float& weight : weights_)
            if (weight < static_cast<float>(options_.min_p)) weight = 0;
}

void Sampler::keep_top_k() {
    const auto k = static_cast<std::size_t>(options_.top_k);
    if (k == 0 || k >= vocabulary_) return;
    order_.resize(vocabulary_);
    std::iota(order_.begin(), order_.end(), Token{0});
    const auto middle = order_.begin() + static_cast<std::ptrdiff_t>(k);
    std::nth_element(order_.begin(), middle, order_.end(),
                     [this](Token a, Token b) { return likelier(a, b); });
    for (auto token = middle; token != order_.end(); ++token) weights_[static_cast<std::size_t>(*token)] = 0;
}

void Sampler::keep_top_p() {
    if (options_.top_p >= 1) return;
    order_.clear();
    for (std::size_t i = 0; i < vocabulary_; ++i)
        if (weights_[i] > 0) order_.push_back(static_cast<Token>(i));
    std::sort(order_.begin(), order_.end(), [this](Token a, Token b) { return likelier(a, b); });
    const double wanted = options_.top_p * total();
    double reached = 0;
    for (const Token token : order_) {
        float& weight = weights_[static_cast<std::size_t>(token)];
        const double before = reached;
        reached += static_cast<double>(weight);
        if (before >= wanted && before > 0) weight = 0;
    }
}

double Sampler::total() const {
    double sum = 0;
    for (const float weight : weights_) sum += static_cast<double>(weight);
    return sum;
}

Token Sampler::draw_weighted(Random& random, double total) const {
    double left = random.uniform() * total;
    std::size_t last = 0;
    for (std::size_t i = 0; i < vocabulary_; ++i) {
        if (weights_[i] == 0) continue;
        last = i;
        left -= static_cast<double>(weights_[i]);
        if (left < 0) break;
    }
    return static_cast<Token>(last);
}

Token Sampler::likeliest(const std::function<bool(Token)>& allowed) {
    order_.resize(vocabulary_);
    std::iota(order_.begin(), order_.end(), Token{0});
    std::sort(order_.begin(), order_.end(), [this](Token a, Token b) { return likelier(a, b); });
    const auto found = std::find_if(order_.begin(), order_.end(), allowed);
    return found == order_.end() ? -1 : *found;
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
            for (std::size_t i = 0; i < vocabulary_; ++i)
                if (weights_[i] > 0 && !allowed(static_cast<Token>(i))) weights_[i] = 0;
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
    std::vector<double> probabilities(weights_.begin(), weights_.end());
    for (double& probability : probabilities) probability /= sum;
    return probabilities;
}

}  // namespace tracebench::ssm
