#include "base/csv.h"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

/// Collects libcsv's callbacks; an error is kept and thrown once libcsv is off the stack (it is C).
struct Collector {
    CsvTable table;
    std::vector<std::string> row;
    std::size_t line = 0;
    std::size_t max_rows = 0;
    std::string problem;

    static void on_field(void* data, std::size_t size, void* self) {
        static_cast<Collector*>(self)->row.emplace_back(static_cast<const char*>(data), size);
    }
    static void on_row(int, void* self) { static_cast<Collector*>(self)->end_row(); }

    void end_row() {
        ++line;
        if (!problem.empty()) return;
        if (table.header.empty()) {
            table.header = std::move(row);
        } else if (row.size() != table.header.size()) {
            problem = fmt::format("row {} has {} columns where the header has {}", line, row.size(),
                                  table.header.size());
        } else if (table.rows.size() >= max_rows) {
            problem = fmt::format("has more than {} rows", max_rows);
        } else {
            table.rows.push_back(std::move(row));
        }
        row.clear();
    }
};

}  // namespace

std::optional<std::size_t> CsvTable::column(std::string_view wanted) const {
    const auto exact = std::find(header.begin(), header.end(), wanted);
    if (exact != header.end()) return static_cast<std::size_t>(exact - header.begin());
    const auto loose = std::find_if(header.begin(), header.end(),
                                    [&](const std::string& cell) { return equal_ignoring_case(cell, wanted); });
    if (loose != header.end()) return static_cast<std::size_t>(loose - header.begin());
    return std::nullopt;
}

std::size_t CsvTable::require_column(std::string_view wanted) const {
    if (const auto index = column(wanted)) return *index;
    throw InputError(name, fmt::format("has no column '{}' (it has: {})", wanted, fmt::join(header, ", ")),
                     "add the column to the header line");
}

CsvTable parse_csv(std::string_view text, std::string_view name, std::size_t max_rows) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    const std::unique_ptr<csv_parser, decltype(&csv_free)> guard(&parser, &csv_free);
    Collector collector;
    collector.table.name = name;
    collector.max_rows = max_rows;
    const std::size_t used =
        csv_parse(&parser, text.data(), text.size(), &Collector::on_field, &Collector::on_row, &collector);
    if (used != text.size() || csv_fini(&parser, &Collector::on_field, &Collector::on_row, &collector) != 0)
        throw InputError(name, fmt::format("row {} has broken quoting", collector.line + 1),
                         "quote a cell as \"...\" and double the quotes inside");
    if (!collector.problem.empty()) throw InputError(name, collector.problem, "mend the file");
    if (collector.table.header.empty()) throw InputError(name, "is empty; expected a header line");
    return std::move(collector.table);
}

CsvTable read_csv(const std::filesystem::path& path, std::size_t max_rows) {
    return parse_csv(read_file(path), path.string(), max_rows);
}

std::string csv_row(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells) {
        if (!line.empty() || &cell != &cells.front()) line += ',';
        if (cell.find_first_of(",\"\r\n") == std::string::npos && (!cell.empty() || cells.size() > 1)) {
            line += cell;
            continue;
        }
        line += '"';
        for (const char c : cell) {
            if (c == '"') line += '"';
            line += c;
        }
        line += '"';
    }
    return line + "\n";
}

}  // namespace tracebench
