#pragma once
/// Comma-separated values, RFC 4180: a header line, then rows of as many columns.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tracebench {

struct CsvTable {
    std::string name;  ///< the file, for messages
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;  ///< each as long as the header

    /// Index of a column, by exact name or (where none is exact) ignoring case.
    std::optional<std::size_t> column(std::string_view wanted) const;
    /// The same, throwing InputError that lists the columns there are.
    std::size_t require_column(std::string_view wanted) const;
};

/// Reads a file (`-`: standard input). Throws InputError: unreadable, empty, a row of another length than
/// the header (named by its line), broken quoting, more than `max_rows` rows.
CsvTable read_csv(const std::filesystem::path& path, std::size_t max_rows = 50'000'000);
CsvTable parse_csv(std::string_view text, std::string_view name, std::size_t max_rows = 50'000'000);

/// One row with its line end, quoted where needed.
std::string csv_row(const std::vector<std::string>& cells);

}  // namespace tracebench
