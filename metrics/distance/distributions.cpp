#include "metrics/distance/distributions.h"

#include <algorithm>

#include "metrics/details.h"

namespace tracebench {
namespace {

constexpr std::size_t max_categories = 12, max_points = 100;

/// The most frequent codes first; codes of equal frequency in ascending order.
std::vector<double> top_codes(const Column& column) {
    std::vector<ValueCount> order = sorted_counts(column);
    std::stable_sort(order.begin(), order.end(),
                     [](const ValueCount& a, const ValueCount& b) { return a.count > b.count; });
    std::vector<double> codes;
    for (const ValueCount& entry : order)
        if (codes.size() < max_categories) codes.push_back(entry.value);
    return codes;
}

/// One share a code, and one for everything else.
nlohmann::json shares(const Column& column, const std::vector<double>& codes) {
    std::vector<double> result(codes.size() + 1);
    for (std::size_t i = 0; i < column.values.size(); ++i) {
        const auto place = std::find(codes.begin(), codes.end(), column.values[i]) - codes.begin();
        result[static_cast<std::size_t>(place)] += column.count(i);
    }
    for (double& share : result) share /= static_cast<double>(column.total());
    return rounded(result);
}

}  // namespace

nlohmann::json cumulative(std::span<const ValueCount> counts) {
    if (counts.empty()) return nullptr;
    const std::uint64_t n = total_count(counts);
    const bool every = counts.size() <= max_points;
    std::vector<double> x, p;
    std::uint64_t through = 0;
    std::size_t k = 0;  // ranks k (n-1) / (max_points-1) are drawn
    for (const ValueCount& entry : counts) {
        through += entry.count;
        const std::size_t before = k;
        while (k < max_points && k * (n - 1) / (max_points - 1) < through) ++k;
        if (!every && k == before) continue;
        x.push_back(entry.value);
        p.push_back(static_cast<double>(through) / static_cast<double>(n));
    }
    return {{"x", rounded(x)}, {"p", rounded(p)}};
}

nlohmann::json describe_distributions(const Observations& real) {
    nlohmann::json result = nlohmann::json::object();
    for (const Column& column : real.columns) {
        if (column.values.empty()) continue;
        nlohmann::json& entry = result[column.info.name];
        entry["kind"] = kind_name(column.info.kind);
        if (column.info.kind == FieldKind::continuous) {
            entry["log"] = column.info.log;
            entry["real"] = cumulative(sorted_counts(column));
            continue;
        }
        const std::vector<double> codes = top_codes(column);
        for (const double code : codes) entry["categories"].push_back(category_name(column.info, code));
        entry["categories"].push_back("other");
        entry["real"] = shares(column, codes);
    }
    return result;
}

nlohmann::json describe_distributions(const Observations& synthetic, const Observations& real) {
    nlohmann::json result = nlohmann::json::object();
    for (std::size_t i = 0; i < real.columns.size(); ++i) {
        const Column& column = synthetic.columns[i];
        if (column.values.empty() || real.columns[i].values.empty()) continue;
        if (column.info.kind == FieldKind::continuous)
            result[column.info.name] = cumulative(sorted_counts(column));
        else
            result[column.info.name] = shares(column, top_codes(real.columns[i]));
    }
    return result;
}

}  // namespace tracebench
