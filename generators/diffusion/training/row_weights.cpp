#include "generators/diffusion/training/row_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>

#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {
namespace {

std::uint32_t kind_of(std::span<const std::int8_t, kTernary> row) {
    const BitsView bits = row.first<kNprintColumns>();
    const std::uint32_t transport = is_present(bits, field::sequence)     ? 1
                                    : is_present(bits, field::udp_length) ? 2
                                    : is_present(bits, field::icmp_type)  ? 3
                                                                          : 0;
    return transport << 9 | (row[model_column::new_flow] > 0 ? 1U : 0U) << 8 | get(bits, field::tcp_flags);
}

}  // namespace

std::vector<float> row_weights(const TrainingSet& set, std::span<const std::size_t> rows, double exponent) {
    std::vector<std::uint32_t> kinds;
    std::array<std::int8_t, kTernary> row;
    for (std::size_t i = 0; i < set.rows(); ++i) {
        set.row(i, row);
        kinds.push_back(kind_of(row));
    }
    std::map<std::uint32_t, double> counts;
    for (const std::size_t i : rows) ++counts[kinds[i]];
    // The mean over rows of count^-exponent, then again of what is left after the limit.
    std::map<std::uint32_t, double> weights;
    const auto scale = [&] {
        double sum = 0;
        for (const auto& [kind, weight] : weights) sum += weight * counts[kind];
        for (auto& [kind, weight] : weights) weight *= static_cast<double>(rows.size()) / sum;
    };
    for (const auto& [kind, count] : counts) weights[kind] = std::pow(count, -exponent);
    scale();
    for (auto& [kind, weight] : weights) weight = std::min(weight, most_row_weight);
    scale();
    std::vector<float> result;
    result.reserve(kinds.size());
    for (const std::uint32_t kind : kinds) {
        const auto found = weights.find(kind);
        result.push_back(found == weights.end() ? 1 : static_cast<float>(found->second));
    }
    return result;
}

}  // namespace tracebench::diffusion
