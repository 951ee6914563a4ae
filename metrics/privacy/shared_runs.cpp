#include "metrics/privacy/shared_runs.h"

#include <algorithm>
#include <numeric>

namespace tracebench {

SharedRuns::SharedRuns(const std::vector<std::span<const std::uint32_t>>& collection) {
    for (const auto sequence : collection) {
        const auto end = static_cast<std::uint32_t>(text_.size() + sequence.size());
        text_.insert(text_.end(), sequence.begin(), sequence.end());
        ends_.resize(text_.size(), end);
    }
    const std::size_t n = text_.size();
    suffixes_.resize(n);
    std::iota(suffixes_.begin(), suffixes_.end(), 0U);
    // Prefix doubling: ranks of the first `width` symbols give those of twice as many. Rank 0 is the end.
    std::vector<std::uint32_t> rank(n), next(n);
    std::vector<std::uint32_t> alphabet = text_;
    std::sort(alphabet.begin(), alphabet.end());
    alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
    for (std::size_t i = 0; i < n; ++i)
        rank[i] = static_cast<std::uint32_t>(std::lower_bound(alphabet.begin(), alphabet.end(), text_[i]) -
                                             alphabet.begin()) +
                  1;
    for (std::uint32_t width = 1; width < longest; width *= 2) {
        const auto key = [&](std::uint32_t i) {
            const std::uint32_t second = ends_[i] - i > width ? rank[i + width] : 0;
            return static_cast<std::uint64_t>(rank[i]) << 32 | second;
        };
        std::sort(suffixes_.begin(), suffixes_.end(), [&](std::uint32_t a, std::uint32_t b) {
            const std::uint64_t left = key(a), right = key(b);
            return left != right ? left < right : a < b;
        });
        std::uint32_t last = 0;
        for (std::size_t i = 0; i < n; ++i) {
            last += i == 0 || key(suffixes_[i]) != key(suffixes_[i - 1]);
            next[suffixes_[i]] = last;
        }
        rank.swap(next);
        if (last == n) break;
    }
}

std::size_t SharedRuns::common(std::uint32_t suffix, std::span<const std::uint32_t> wanted) const {
    const std::size_t most = std::min<std::size_t>({wanted.size(), ends_[suffix] - suffix, longest});
    std::size_t length = 0;
    while (length < most && text_[suffix + length] == wanted[length]) ++length;
    return length;
}

bool SharedRuns::less(std::uint32_t suffix, std::span<const std::uint32_t> wanted) const {
    const std::size_t equal = common(suffix, wanted);
    if (equal == longest || equal == wanted.size()) return false;
    return equal == ends_[suffix] - suffix || text_[suffix + equal] < wanted[equal];
}

std::size_t SharedRuns::longest_in(std::span<const std::uint32_t> sequence) const {
    std::size_t best = 0;
    for (std::size_t start = 0; start + best < sequence.size() && best < longest; ++start) {
        const auto wanted = sequence.subspan(start);
        const auto place =
            std::lower_bound(suffixes_.begin(), suffixes_.end(), wanted,
                             [this](std::uint32_t suffix, const auto& other) { return less(suffix, other); });
        // Of all suffixes, those next to where it would stand have most in common with it.
        if (place != suffixes_.end()) best = std::max(best, common(*place, wanted));
        if (place != suffixes_.begin()) best = std::max(best, common(*std::prev(place), wanted));
    }
    return best;
}

}  // namespace tracebench
