#include "metrics/distance/comparison_plan.h"

namespace tracebench {
namespace {

/// Constant, so that the real sessions drawn are the same for all generators and seeds of a run.
constexpr std::uint64_t shared_seed = 0x7265616C;

std::vector<std::string> pool(const MetricInput& input) {
    std::vector<std::string> labels = input.real_train.observations.session_labels;
    const auto& heldout = input.real_heldout.observations.session_labels;
    labels.insert(labels.end(), heldout.begin(), heldout.end());
    return labels;
}

}  // namespace

ComparisonPlan::ComparisonPlan(const MetricInput& wanted)
    : input(wanted),
      real(wanted.real_heldout.observations.session_labels),
      synthetic(wanted.synthetic.observations.session_labels),
      splits(pool(wanted), count_labels(wanted.real_heldout.observations.session_labels),
             count_labels(wanted.synthetic.observations.session_labels)) {}

std::uint64_t ComparisonPlan::floor_seed() const {
    return stream_seed(shared_seed, "floor");
}

std::uint64_t ComparisonPlan::real_seed() const {
    return stream_seed(shared_seed, "bootstrap");
}

std::uint64_t ComparisonPlan::synthetic_seed() const {
    return stream_seed(input.seed, "bootstrap/" + input.synthetic.name);
}

}  // namespace tracebench
