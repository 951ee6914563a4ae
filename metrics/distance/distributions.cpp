#include "metrics/distance/distributions.h"

#include <algorithm>
#include <map>

#include "metrics/details.h"

namespace tracebench {
namespace {

constexpr std::size_t max_categories = 12, max_points = 100;

/// The most frequent codes first; codes of equal frequency in ascending order.
std::vector<double> top_codes(const Column& column) {
    std::map<double, std::size_t> counts;
    for (const double value : column.values) ++counts[value];
    std::vector<std::pair<double, std::size_t>> order(counts.begin(), counts.end());
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<double> codes;
    for (const auto& [code, count] : order)
        if (codes.size() < max_categories) codes.push_back(code);
    return codes;
}

/// One share a code, and one for everything else.
nlohmann::json shares(const Column& column, const std::vector<double>& codes) {
    std::vector<double> result(codes.size() + 1);
    for (const double value : column.values)
        ++result[static_cast<std::size_t>(std::find(codes.begin(), codes.end(), value) - codes.begin())];
    for (double& share : result) share /= static_cast<double>(column.values.size());
    return rounded(result);
}

}  // namespace

nlohmann::json cumulative(std::vector<double> values) {
    if (values.empty()) return nullptr;
    std::sort(values.begin(), values.end());
    const auto n = static_cast<double>(values.size());
    std::vector<double> x, p;
    for (std::size_t i = 0; i < values.size() && x.size() <= max_points; ++i) {
        if (i + 1 < values.size() && values[i + 1] == values[i]) continue;
        x.push_back(values[i]);
        p.push_back(static_cast<double>(i + 1) / n);
    }
    if (x.size() > max_points) {
        x.clear();
        p.clear();
        for (std::size_t k = 0; k < max_points; ++k) {
            std::size_t i = k * (values.size() - 1) / (max_points - 1);
            while (i + 1 < values.size() && values[i + 1] == values[i]) ++i;
            if (!x.empty() && x.back() == values[i]) continue;
            x.push_back(values[i]);
            p.push_back(static_cast<double>(i + 1) / n);
        }
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
            entry["real"] = cumulative(column.values);
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
            result[column.info.name] = cumulative(column.values);
        else
            result[column.info.name] = shares(column, top_codes(real.columns[i]));
    }
    return result;
}

}  // namespace tracebench
