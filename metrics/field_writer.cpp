#include "metrics/field_writer.h"

#include <algorithm>

#include "metrics/value_counts.h"

namespace tracebench {
namespace {

/// Sorting fewer at a time does not pay.
constexpr std::size_t least_sorted = 1 << 16;

}  // namespace

FieldWriter::FieldWriter(std::span<Column> columns, std::uint32_t session)
    : columns_(columns), session_(session) {
    for (const Column& column : columns)
        places_.push_back({column.values.size(), column.values.size() + most_uncounted, {}});
}

/// A quarter as many values again may come as there are different ones: sorted ones are merged, not sorted
/// again, so a value costs little more than its share of one sort.
void FieldWriter::count(std::size_t field) {
    Column& column = columns_[field];
    Place& place = places_[field];
    merge_equal(column, place.first);
    place.full = column.values.size() + std::max(least_sorted, (column.values.size() - place.first) / 4);
    place.tallies.resize(std::size_t{1} << tally_bits);
}

void FieldWriter::finish() {
    for (std::size_t field = 0; field < places_.size(); ++field) {
        Column& column = columns_[field];
        Place& place = places_[field];
        for (Tally& tally : place.tallies)
            for (; tally.count > 0; tally.count -= column.counts.back()) {
                column.values.push_back(tally.value);
                column.session.push_back(session_);
                column.counts.push_back(
                    static_cast<std::uint32_t>(std::min<std::uint64_t>(tally.count, UINT32_MAX)));
            }
        if (!place.tallies.empty()) merge_equal(column, place.first);
        place.tallies = {};
    }
}

}  // namespace tracebench
