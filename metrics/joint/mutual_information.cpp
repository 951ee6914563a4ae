#include "metrics/joint/mutual_information.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace tracebench {
namespace {

constexpr std::size_t cells_a_pair = Classes::count * Classes::count;

/// -sum c log c: entropy times the total, but for a term of the total.
double entropy_term(double count) {
    return count > 0 ? -count * std::log(count) : 0;
}

std::vector<double> number_edges(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::vector<double> distinct;
    for (const double value : values) {
        if (!distinct.empty() && distinct.back() == value) continue;
        distinct.push_back(value);
        if (distinct.size() > Classes::max_number_classes) break;
    }
    std::vector<double> edges;
    if (distinct.size() <= Classes::max_number_classes) {
        for (std::size_t i = 1; i < distinct.size(); ++i)
            edges.push_back(std::midpoint(distinct[i - 1], distinct[i]));
        return edges;
    }
    for (std::size_t k = 1; k < Classes::max_number_classes; ++k) {
        const double edge = values[k * values.size() / Classes::max_number_classes];
        if (edges.empty() || edges.back() != edge) edges.push_back(edge);
    }
    return edges;
}

std::vector<double> frequent_codes(const std::vector<double>& values) {
    std::map<double, std::size_t> counts;
    for (const double value : values) ++counts[value];
    std::vector<std::pair<double, std::size_t>> order(counts.begin(), counts.end());
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<double> codes;
    for (std::size_t i = 0; i < std::min(order.size(), Classes::max_codes); ++i)
        codes.push_back(order[i].first);
    std::sort(codes.begin(), codes.end());
    return codes;
}

}  // namespace

std::optional<double> normalised_mutual_information(std::span<const double> table, std::size_t columns) {
    double total = 0, joint = 0, rows = 0;
    std::vector<double> column_sums(columns);
    for (std::size_t first = 0; first < table.size(); first += columns) {
        double row = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const double count = table[first + c];
            if (count == 0) continue;
            row += count;
            column_sums[c] += count;
            joint += entropy_term(count);
        }
        rows += entropy_term(row);
        total += row;
    }
    if (!(total > 0)) return std::nullopt;
    double of_columns = 0;
    for (const double sum : column_sums) of_columns += entropy_term(sum);
    const double rest = total * std::log(total), x = rows + rest, y = of_columns + rest,
                 information = x + y - (joint + rest);
    // What rounding leaves of a constant's entropy.
    if (x + y <= 1e-12 * std::max(1.0, rest)) return 0.0;
    return std::clamp(2 * information / (x + y), 0.0, 1.0);
}

Classes::Classes(const Points& real, const std::vector<bool>& is_number) {
    for (std::size_t f = 0; f < real.width; ++f) {
        std::vector<double> values;
        for (std::size_t i = f; i < real.values.size(); i += real.width)
            if (std::isfinite(real.values[i])) values.push_back(real.values[i]);
        features_.push_back(
            {is_number[f], is_number[f] ? number_edges(std::move(values)) : frequent_codes(values)});
    }
}

std::uint8_t Classes::of(std::size_t feature, double value) const {
    if (!std::isfinite(value)) return missing;
    const auto& [is_number, edges] = features_[feature];
    if (is_number)
        return static_cast<std::uint8_t>(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin());
    const auto code = std::lower_bound(edges.begin(), edges.end(), value);
    if (code == edges.end() || *code != value) return max_codes;
    return static_cast<std::uint8_t>(code - edges.begin());
}

PairTables::PairTables(const Points& points, const Classes& classes)
    : pairs_(points.width * (points.width - 1) / 2) {
    std::vector<std::uint32_t> counts(pairs_ * cells_a_pair);
    std::vector<std::uint8_t> row(points.width);
    std::size_t i = 0;
    for (std::size_t s = 0; s < points.sessions; ++s) {
        first_cell_.push_back(cells_.size());
        const std::size_t first = i;
        for (; i < points.size() && points.session[i] == s; ++i) {
            for (std::size_t f = 0; f < row.size(); ++f) row[f] = classes.of(f, points.row(i)[f]);
            std::size_t place = 0;
            for (std::size_t f = 0; f < row.size(); ++f)
                for (std::size_t g = f + 1; g < row.size(); ++g, place += cells_a_pair)
                    if (row[f] != Classes::missing && row[g] != Classes::missing)
                        ++counts[place + row[f] * Classes::count + row[g]];
        }
        if (i == first) continue;
        for (std::size_t place = 0; place < counts.size(); ++place) {
            if (counts[place] == 0) continue;
            cells_.push_back({static_cast<std::uint32_t>(place), counts[place]});
            counts[place] = 0;
        }
    }
    first_cell_.push_back(cells_.size());
}

std::vector<std::optional<double>> PairTables::information(std::span<const double> weights) const {
    std::vector<double> tables(pairs_ * cells_a_pair);
    for (std::size_t s = 0; s + 1 < first_cell_.size(); ++s) {
        if (weights[s] == 0) continue;
        for (std::size_t c = first_cell_[s]; c < first_cell_[s + 1]; ++c)
            tables[cells_[c].place] += weights[s] * cells_[c].count;
    }
    std::vector<std::optional<double>> result;
    for (std::size_t pair = 0; pair < pairs_; ++pair)
        result.push_back(normalised_mutual_information(
            std::span(tables).subspan(pair * cells_a_pair, cells_a_pair), Classes::count));
    return result;
}

std::optional<double> information_difference(std::span<const std::optional<double>> a,
                                             std::span<const std::optional<double>> b) {
    double sum = 0, pairs = 0;
    for (std::size_t pair = 0; pair < a.size(); ++pair) {
        if (!a[pair] && !b[pair]) continue;
        sum += std::abs(a[pair].value_or(0) - b[pair].value_or(0));
        ++pairs;
    }
    if (pairs == 0) return std::nullopt;
    return sum / pairs;
}

}  // namespace tracebench
