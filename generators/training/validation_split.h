#pragma once
/// Which samples are kept out of training to tell when to stop.

#include <cstdint>
#include <string>
#include <vector>

namespace tracebench {

struct ValidationSplit {
    std::vector<std::size_t> train, validation;  ///< ascending
};

/// By sample, stratified by label: round(fraction * n) of a label's n samples, and at least one where it has
/// four or more; none of a label with fewer, so that it is not lost to training. Fraction 0: none at all.
ValidationSplit split_validation(const std::vector<std::string>& labels, double fraction, std::uint64_t seed);

}  // namespace tracebench
