#include "generators/ssm/training/token_noise.h"

#include <algorithm>

namespace tracebench::ssm {
namespace {

constexpr std::size_t most_of_a_kind = 1 << 16;

}  // namespace

TokenNoise::TokenNoise(double share, std::vector<int> kinds, std::span<const std::span<const Token>> samples)
    : share_(share), kinds_(std::move(kinds)) {
    if (share_ <= 0 || kinds_.empty()) return;
    drawn_from_.resize(static_cast<std::size_t>(std::max(0, *std::ranges::max_element(kinds_) + 1)));
    for (const std::span<const Token> sample : samples)
        for (const Token token : sample) {
            const auto id = static_cast<std::size_t>(token);
            if (id >= kinds_.size() || kinds_[id] < 0) continue;
            std::vector<Token>& others = drawn_from_[static_cast<std::size_t>(kinds_[id])];
            if (others.size() < most_of_a_kind) others.push_back(token);
        }
}

Token TokenNoise::operator()(Token token, Random& random) const {
    const auto id = static_cast<std::size_t>(token);
    if (drawn_from_.empty() || id >= kinds_.size() || kinds_[id] < 0 || random.uniform() >= share_)
        return token;
    const std::vector<Token>& others = drawn_from_[static_cast<std::size_t>(kinds_[id])];
    return others.empty() ? token : others[random.below(others.size())];
}

}  // namespace tracebench::ssm
