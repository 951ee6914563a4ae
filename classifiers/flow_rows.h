#pragma once
/// Flows as rows for learners, and how to keep their number within bounds.

#include <cstdint>
#include <span>
#include <vector>

#include "classifiers/features.h"

namespace tracebench {

/// The most rows to keep of each session so that no more than `max_rows` remain in all; 0 where there are
/// more sessions than that.
std::size_t rows_per_session(std::span<const std::size_t> rows, std::size_t max_rows);

/// One row a flow, with the columns of FeatureKind::flow (which has no addresses, ports, absolute times); the
/// session is the sample's. Where there are more flows than `max_rows` the same number at most is drawn at
/// random of each sample, one at least.
FeatureTable flow_rows(const Samples& samples, std::size_t max_rows, std::uint64_t seed);

}  // namespace tracebench
