#pragma once
/// The longest run of symbols that a sequence has in common with any of a collection.

#include <cstdint>
#include <span>
#include <vector>

namespace tracebench {

/// A suffix array (Manber and Myers, SIAM J. Comput. 22(5), 1993) over all sequences of a collection, in
/// memory of 12 bytes a symbol. Runs end where a sequence does, and are counted up to `longest`.
class SharedRuns {
  public:
    static constexpr std::size_t longest = 256;

    /// Copies the sequences.
    explicit SharedRuns(const std::vector<std::span<const std::uint32_t>>& collection);

    /// Length of the longest run of consecutive symbols that occurs both in `sequence` and in one of the
    /// collection, 0..longest.
    std::size_t longest_in(std::span<const std::uint32_t> sequence) const;

  private:
    std::size_t common(std::uint32_t suffix, std::span<const std::uint32_t> wanted) const;
    bool less(std::uint32_t suffix, std::span<const std::uint32_t> wanted) const;

    std::vector<std::uint32_t> text_;
    std::vector<std::uint32_t> ends_;      // of the sequence that a place is in
    std::vector<std::uint32_t> suffixes_;  // in order of their first `longest` symbols
};

}  // namespace tracebench
