#pragma once
/// What every learner needs done to its data first, as wrappers, so that the learners stay small.

#include <memory>

#include "classifiers/model.h"

namespace tracebench {

/// Drops columns that are constant in training or equal to an earlier one (nPrint bits mostly are: it makes
/// fits several times faster and keeps hundreds of copies of "there is a TCP header" from outvoting the rest
/// when a forest draws columns), makes infinite values the largest float, and renumbers the classes to those
/// that have training samples. With a single class, or no column left, the most frequent class is predicted
/// and `inner` is never fitted. fit() and predict() throw std::invalid_argument where shapes disagree or
/// there are no samples.
std::unique_ptr<Classifier> prepared(std::unique_ptr<Classifier> inner);

/// Each column through asinh (linear near 0, logarithmic far out: byte counts and gaps have long tails), then
/// scaled to mean 0 and standard deviation 1 over the training rows that have it. Absent values become the
/// mean. Values must not be infinite.
std::unique_ptr<Classifier> standardised(std::unique_ptr<Classifier> inner);

}  // namespace tracebench
