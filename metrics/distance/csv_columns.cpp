#include "metrics/distance/csv_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"

namespace tracebench {
namespace {

std::string_view trimmed(std::string_view cell) {
    while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
    return cell;
}

/// NaN and infinities are numbers here: that a column holds them is an error, not a reason to read it as
/// text. Too large ones become infinite.
std::optional<double> number(std::string_view text) {
    std::string_view cell = trimmed(text);
    if (cell.starts_with('+')) cell.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (cell.empty() || end != cell.data() + cell.size()) return std::nullopt;
    if (error == std::errc::result_out_of_range)
        // Too small is as good as nothing; too large is not.
        return cell.find("e-") != cell.npos || cell.find("E-") != cell.npos ? 0.0 : HUGE_VAL;
    if (error != std::errc()) return std::nullopt;
    return value;
}

[[noreturn]] void bad_cell(const CsvTable& table, std::size_t row, std::size_t column,
                           std::string_view what) {
    throw InputError(fmt::format("{}, row {}, column '{}'", table.name, row + 2, table.header[column]),
                     fmt::format("'{}' {}", table.rows[row][column], what),
                     "the real column is numeric: mend the cell or leave the column out of both files");
}

std::vector<double> numbers(const CsvTable& table, std::size_t column) {
    std::vector<double> values;
    values.reserve(table.rows.size());
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
        const auto value = number(table.rows[row][column]);
        if (!value) bad_cell(table, row, column, "is not a number");
        if (!std::isfinite(*value) || std::abs(*value) > 1e300) bad_cell(table, row, column, "is not finite");
        values.push_back(*value);
    }
    return values;
}

bool is_numeric(const CsvTable& table, std::size_t column) {
    const auto& rows = table.rows;
    const bool some =
        std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return number(row[column]); });
    return some && std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
               return trimmed(row[column]).empty() || number(row[column]);
           });
}

std::vector<double> codes(const CsvTable& table, std::size_t column, const std::vector<std::string>& names) {
    std::vector<double> values;
    values.reserve(table.rows.size());
    for (const auto& row : table.rows)
        values.push_back(
            static_cast<double>(std::lower_bound(names.begin(), names.end(), row[column]) - names.begin()));
    return values;
}

Column make_column(const FieldInfo& info, std::vector<double> values) {
    Column column{info, std::move(values), {}};
    column.session.resize(column.values.size());
    std::iota(column.session.begin(), column.session.end(), 0u);
    return column;
}

}  // namespace

std::vector<ColumnPair> pair_columns(const CsvTable& real, const CsvTable& synthetic) {
    for (const CsvTable* table : {&real, &synthetic})
        if (table->rows.empty())
            throw InputError(table->name, "has a header but no rows", "nothing can be compared");
    if (real.header != synthetic.header)
        throw InputError(
            synthetic.name,
            fmt::format("has the columns '{}' where {} has '{}'", fmt::join(synthetic.header, ","), real.name,
                        fmt::join(real.header, ",")),
            "give both files the same header");
    std::vector<ColumnPair> pairs;
    for (std::size_t i = 0; i < real.header.size(); ++i) {
        ColumnPair pair;
        FieldInfo info;
        info.name = info.title = real.header[i];
        info.ceiling = CeilingModel::uniform;
        if (is_numeric(real, i)) {
            info.kind = FieldKind::continuous;
            pair.real = make_column(info, numbers(real, i));
            pair.synthetic = make_column(info, numbers(synthetic, i));
        } else {
            info.kind = FieldKind::categorical;
            for (const CsvTable* table : {&real, &synthetic})
                for (const auto& row : table->rows) pair.names.push_back(row[i]);
            std::sort(pair.names.begin(), pair.names.end());
            pair.names.erase(std::unique(pair.names.begin(), pair.names.end()), pair.names.end());
            pair.real = make_column(info, codes(real, i, pair.names));
            pair.synthetic = make_column(info, codes(synthetic, i, pair.names));
        }
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

}  // namespace tracebench
