#pragma once
/// Plain tables as columns to compare.

#include <string>
#include <vector>

#include "base/csv.h"
#include "metrics/observations.h"

namespace tracebench {

/// One column of both tables. Every row is a session of its own.
struct ColumnPair {
    Column real, synthetic;
    std::vector<std::string> names;  ///< of a text column's codes
};

/// A column is numeric where every real cell is a number, else text. Throws InputError: other headers than
/// the real table's (order included), a table without rows, and in a numeric column a cell that is empty, not
/// a number, NaN, infinite or beyond 1e300, naming its row (the header is row 1).
std::vector<ColumnPair> pair_columns(const CsvTable& real, const CsvTable& synthetic);

}  // namespace tracebench
