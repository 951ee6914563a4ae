#pragma once
/// Some of many items, each as likely as any other, without keeping more than that.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/random.h"

namespace tracebench {

/// Vitter's algorithm R (ACM Trans. Mathematical Software 11(1), 1985). The same items and the same seed give
/// the same choice.
template <typename T>
class Reservoir {
  public:
    Reservoir(std::size_t capacity, std::uint64_t seed) : capacity_(capacity), random_(seed) {}

    void add(T item) {
        const std::uint64_t number = seen_++;
        if (kept_.size() < capacity_) {
            kept_.emplace_back(number, std::move(item));
        } else if (const std::uint64_t place = random_.below(seen_); place < capacity_) {
            kept_[place] = {number, std::move(item)};
        }
    }
    /// In the order in which they came. The reservoir is empty then.
    std::vector<T> take() {
        std::sort(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<T> items;
        items.reserve(kept_.size());
        for (auto& [number, item] : kept_) items.push_back(std::move(item));
        kept_.clear();
        seen_ = 0;
        return items;
    }

  private:
    std::size_t capacity_;
    Random random_;
    std::vector<std::pair<std::uint64_t, T>> kept_;
    std::uint64_t seen_ = 0;
};

}  // namespace tracebench
