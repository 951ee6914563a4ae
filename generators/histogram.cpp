#include "generators/histogram.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

namespace tracebench {
namespace {

constexpr std::size_t max_entries = 4'000'000;
constexpr std::int64_t max_count = std::int64_t{1} << 40;  // times max_entries stays below 2^64

/// Bits below the precision.
int bucket_shift(std::uint64_t value, int precision) {
    return std::max(0, static_cast<int>(std::bit_width(value)) - (precision + 1));
}

/// [key, count] pairs.
template <typename Add>
void read_pairs(const CheckedJson& json, const Add& add) {
    for (const CheckedJson& entry : json.items(max_entries)) {
        const auto pair = entry.items(2);
        if (pair.size() != 2) entry.fail("is not a pair of a value and its count");
        add(pair[0], static_cast<std::uint64_t>(pair[1].integer(1, max_count)));
    }
}

}  // namespace

void Histogram::add(std::uint64_t value, std::uint64_t count) {
    const int shift = bucket_shift(value, precision_);
    counts_[value >> shift << shift] += count;
    total_ += count;
    cumulative_.clear();
}

std::uint64_t Histogram::count(std::uint64_t value) const {
    const int shift = bucket_shift(value, precision_);
    const auto found = counts_.find(value >> shift << shift);
    return found == counts_.end() ? 0 : found->second;
}

std::uint64_t Histogram::draw(Random& random) {
    if (counts_.empty()) return 0;
    if (cumulative_.empty()) {
        std::uint64_t sum = 0;
        cumulative_.reserve(counts_.size());
        for (const auto& [value, count] : counts_) cumulative_.emplace_back(sum += count, value);
    }
    const std::uint64_t target = random.below(cumulative_.back().first);
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), target,
                                        [](std::uint64_t t, const auto& entry) { return t < entry.first; });
    const int shift = bucket_shift(found->second, precision_);
    return shift == 0 ? found->second : found->second + random.below(std::uint64_t{1} << shift);
}

nlohmann::json Histogram::to_json() const {
    nlohmann::json entries = nlohmann::json::array();
    for (const auto& [value, count] : counts_) entries.push_back({value, count});
    return entries;
}

Histogram Histogram::from_json(const CheckedJson& json, std::uint64_t highest, int precision_bits) {
    Histogram histogram(precision_bits);
    const auto limit = static_cast<std::int64_t>(std::min<std::uint64_t>(highest, INT64_MAX));
    read_pairs(json, [&](const CheckedJson& value, std::uint64_t count) {
        histogram.add(static_cast<std::uint64_t>(value.integer(0, limit)), count);
    });
    return histogram;
}

void ByteHistogram::add(const std::string& value, std::uint64_t count) {
    counts_[value] += count;
    cumulative_.clear();
}

std::string ByteHistogram::draw(Random& random) {
    if (counts_.empty()) return {};
    if (cumulative_.empty()) {
        std::uint64_t sum = 0;
        for (const auto& [value, count] : counts_) cumulative_.emplace_back(sum += count, &value);
    }
    const std::uint64_t target = random.below(cumulative_.back().first);
    return *std::upper_bound(cumulative_.begin(), cumulative_.end(), target,
                             [](std::uint64_t t, const auto& entry) { return t < entry.first; })
                ->second;
}

nlohmann::json ByteHistogram::to_json() const {
    nlohmann::json entries = nlohmann::json::array();
    for (const auto& [value, count] : counts_) entries.push_back({to_hex(value), count});
    return entries;
}

ByteHistogram ByteHistogram::from_json(const CheckedJson& json, std::size_t longest) {
    ByteHistogram histogram;
    read_pairs(json, [&](const CheckedJson& value, std::uint64_t count) {
        histogram.add(value.hex(longest), count);
    });
    return histogram;
}

}  // namespace tracebench
