#include "metrics/nprint/bit_evaluation.h"

#include <algorithm>
#include <limits>

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// The least that a column's ceiling must be above its floor, as for the fields of metric `distance`.
constexpr BitDistances resolution = {0.005, 0.02, 0.02};

/// Group by group, and in it measure by measure.
std::vector<double> flattened(const std::vector<BitDistances>& columns,
                              const std::vector<ColumnGroup>& groups) {
    std::vector<double> values;
    for (const ColumnGroup& group : groups)
        for (const double mean : mean_distances(columns, group)) values.push_back(mean);
    return values;
}

std::vector<MeasuredValue> kinds(std::size_t groups) {
    std::vector<MeasuredValue> all(groups * kBitMeasures);
    for (std::size_t g = 0; g < groups; ++g) all[g * kBitMeasures].divergence = true;  // jsd
    return all;
}

/// Share of the group's columns that vary in `real`; 0 where there is none. Only these add to its ceiling.
double varying_share(const BitTable& real, const ColumnGroup& group) {
    if (real.empty() || group.columns.empty()) return 0;
    const auto varying = std::count_if(group.columns.begin(), group.columns.end(),
                                       [&](std::uint16_t column) { return varies(real[column]); });
    return static_cast<double>(varying) / static_cast<double>(group.columns.size());
}

bool has(const BitTable& bits, const ColumnGroup& group) {
    return !bits.empty() && std::any_of(group.columns.begin(), group.columns.end(),
                                        [&](std::uint16_t column) { return is_present(bits[column]); });
}

}  // namespace

BitEvaluation::BitEvaluation(const MetricInput& input)
    : input_(input),
      plan_(input),
      train_(input.real_train.samples),
      heldout_(input.real_heldout.samples),
      synthetic_(input.synthetic.samples),
      heldout_bits_(pooled_bits(heldout_)),
      synthetic_bits_(pooled_bits(synthetic_)) {}

bool BitEvaluation::occurs(const ColumnGroup& group) const {
    return has(heldout_bits_, group) || has(synthetic_bits_, group);
}

SessionMeasure BitEvaluation::measure(const BitCounts& a, const BitCounts& b,
                                      const std::vector<ColumnGroup>& groups) const {
    return [this, &a, &b, &groups](std::span<const double> left,
                                   std::span<const double> right) -> std::optional<std::vector<double>> {
        if (input_.progress != nullptr) input_.progress->check_interrupted();
        const auto columns = column_distances(weighted_bits(a, b, left), weighted_bits(a, b, right));
        if (!columns) return std::nullopt;
        return flattened(*columns, groups);
    };
}

void BitEvaluation::calibrate(const std::vector<ColumnGroup>& groups,
                              std::vector<GroupDistances>& result) const {
    const auto floors = floor_of_values(measure(train_, heldout_, groups), kinds(groups.size()), plan_.splits,
                                        train_.sessions() + heldout_.sessions(), plan_.floor_seed(),
                                        ComparisonPlan::floor_splits);
    const BitTable support = train_.rows() > 0 ? pooled_bits(train_) : heldout_bits_;
    const auto even = column_distances(heldout_bits_, know_nothing(support));
    const BitTable real = real_bits();
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const double share = varying_share(real, groups[g]);
        const BitDistances highest = even ? mean_distances(*even, groups[g]) : BitDistances{nan, nan, nan};
        for (std::size_t m = 0; m < kBitMeasures; ++m) {
            const ValueFloor& floor = floors[g * kBitMeasures + m];
            result[g].floor[m] = floor.mean;
            const double least = std::max(3 * floor.deviation, share * resolution[m]);
            const bool indistinct = share == 0 || highest[m] < floor.mean + least;
            result[g].ceiling[m] = indistinct ? nan : highest[m];
        }
    }
}

void BitEvaluation::resample(const std::vector<ColumnGroup>& groups, const std::vector<double>& values,
                             std::size_t count, std::vector<GroupDistances>& result) const {
    auto lists = bootstrap_values(measure(heldout_, synthetic_, groups), values, kinds(groups.size()),
                                  {plan_.real, plan_.synthetic, heldout_.sessions(), synthetic_.sessions(),
                                   plan_.real_seed(), plan_.synthetic_seed()},
                                  count);
    for (std::size_t v = 0; v < lists.size(); ++v)
        result[v / kBitMeasures].replicates[v % kBitMeasures] = std::move(lists[v]);
}

std::vector<GroupDistances> BitEvaluation::evaluate(const std::vector<ColumnGroup>& groups,
                                                    std::size_t bootstrap) const {
    std::vector<GroupDistances> result(groups.size());
    calibrate(groups, result);
    const auto columns = column_distances(heldout_bits_, synthetic_bits_);
    if (!columns) {
        for (GroupDistances& group : result) group.value.fill(1);
        return result;
    }
    const std::vector<double> values = flattened(*columns, groups);
    for (std::size_t v = 0; v < values.size(); ++v)
        result[v / kBitMeasures].value[v % kBitMeasures] = values[v];
    resample(groups, values, bootstrap, result);
    return result;
}

}  // namespace tracebench
