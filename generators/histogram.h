#pragma once
/// Distributions as counted, to draw from: whole numbers (exact or to a relative precision) and byte strings.

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "generators/checked_json.h"

namespace tracebench {

/// Counts of whole numbers. With a precision of b bits a value is counted in the bucket of all values that
/// agree with it in the leading b + 1 significant bits, so buckets are at most 2^-b of their value wide and
/// small values are exact; this bounds the size for times and sequence numbers.
class Histogram {
  public:
    static constexpr int exact = 64;

    explicit Histogram(int precision_bits = exact) : precision_(precision_bits) {}

    void add(std::uint64_t value, std::uint64_t count = 1);
    bool empty() const { return counts_.empty(); }
    std::uint64_t total() const { return total_; }
    /// Bucket's lowest value -> count.
    const std::map<std::uint64_t, std::uint64_t>& counts() const { return counts_; }
    /// How often a value of this one's bucket was counted.
    std::uint64_t count(std::uint64_t value) const;
    /// A bucket in proportion to its count, then uniform inside it. 0 where empty.
    std::uint64_t draw(Random& random);

    /// `[[value, count], ...]`, ascending.
    nlohmann::json to_json() const;
    /// Throws InputError: wrong shape, values over `highest`, counts not positive or too many.
    static Histogram from_json(const CheckedJson& json, std::uint64_t highest, int precision_bits = exact);

  private:
    int precision_;
    std::uint64_t total_ = 0;
    std::map<std::uint64_t, std::uint64_t> counts_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> cumulative_;  // for draw(); empty: to be made
};

/// Counts of byte strings: addresses, option layouts.
class ByteHistogram {
  public:
    ByteHistogram() = default;
    ByteHistogram(ByteHistogram&&) = default;  // moved maps keep their nodes, which cumulative_ points to
    ByteHistogram& operator=(ByteHistogram&&) = default;

    void add(const std::string& value, std::uint64_t count = 1);
    bool empty() const { return counts_.empty(); }
    const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
    /// An empty string where empty.
    std::string draw(Random& random);

    /// `[[hex, count], ...]`, ascending.
    nlohmann::json to_json() const;
    /// Throws InputError: wrong shape, strings over `longest` bytes, counts not positive or too many.
    static ByteHistogram from_json(const CheckedJson& json, std::size_t longest);

  private:
    std::map<std::string, std::uint64_t> counts_;
    std::vector<std::pair<std::uint64_t, const std::string*>> cumulative_;
};

}  // namespace tracebench
