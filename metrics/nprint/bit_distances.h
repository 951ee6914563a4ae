#pragma once
/// Distances between the nPrint bits of two sets of packets: column by column, and their means over groups of
/// columns.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/nprint/bit_counts.h"

namespace tracebench {

/// Jensen-Shannon divergence in bits, total variation and Hellinger distance, each 0..1 (divergence.h).
inline constexpr std::size_t kBitMeasures = 3;
inline constexpr std::array<std::string_view, kBitMeasures> bit_measure_names = {"jsd", "tvd", "hellinger"};
using BitDistances = std::array<double, kBitMeasures>;

/// One entry a column, over the outcomes 1, 0 and absent; a column that is the same on both sides is 0 apart.
/// Nothing where a table is empty.
std::optional<std::vector<BitDistances>> column_distances(const BitTable& a, const BitTable& b);

/// Columns that are looked at together.
struct ColumnGroup {
    std::string name;
    std::vector<std::uint16_t> columns;  ///< may be empty
};

/// Groups over the columns without addresses, ports, IP ID, sequence and acknowledgement numbers and
/// checksums, which are drawn afresh and say nothing of how traffic looks:
/// - `all`; `active`: those of them that vary in `real`; `ipv4`, `tcp`, `udp`, `icmp`: one header's
/// and the same over all columns: `everything`, `everything.active`, `everything.ipv4`, ...
/// `active` is empty where `real` is.
std::vector<ColumnGroup> column_groups(const BitTable& real);
/// One group a field of nprint_fields(), in its order.
std::vector<ColumnGroup> field_groups();

/// Plain mean over the group's columns; 0 where it has none.
BitDistances mean_distances(const std::vector<BitDistances>& columns, const ColumnGroup& group);

}  // namespace tracebench
