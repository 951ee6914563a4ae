#include "metrics/nprint/bit_distances.h"

#include "metrics/distance/divergence.h"
#include "traffic/nprint.h"

namespace tracebench {
namespace {

template <typename Keep>
ColumnGroup group_of(std::string name, Keep keep) {
    ColumnGroup group{std::move(name), {}};
    for (const NprintField& field : nprint_fields())
        for (std::uint16_t i = 0; i < field.width; ++i)
            if (const auto column = static_cast<std::uint16_t>(field.first + i); keep(field, column))
                group.columns.push_back(column);
    return group;
}

bool drawn_afresh(const NprintField& field) {
    return field.identifier || field.counter || field.checksum;
}

}  // namespace

std::optional<std::vector<BitDistances>> column_distances(const BitTable& a, const BitTable& b) {
    if (a.empty() || b.empty()) return std::nullopt;
    std::vector<BitDistances> distances(a.size());
    for (std::size_t c = 0; c < a.size(); ++c) {
        // Most columns are options or headers that neither side ever has.
        if (!is_present(a[c]) && !is_present(b[c])) continue;
        distances[c] = {jensen_shannon(a[c], b[c]), total_variation(a[c], b[c]), hellinger(a[c], b[c])};
    }
    return distances;
}

std::vector<ColumnGroup> column_groups(const BitTable& real) {
    std::vector<ColumnGroup> groups;
    for (const bool everything : {false, true}) {
        const auto add = [&](const std::string& part, auto keep) {
            const std::string name = !everything ? part : part == "all" ? "everything" : "everything." + part;
            groups.push_back(group_of(name, [&](const NprintField& field, std::uint16_t column) {
                return (everything || !drawn_afresh(field)) && keep(field, column);
            }));
        };
        add("all", [](const NprintField&, std::uint16_t) { return true; });
        add("active",
            [&](const NprintField&, std::uint16_t column) { return !real.empty() && varies(real[column]); });
        for (const std::string header : {"ipv4", "tcp", "udp", "icmp"})
            add(header, [&](const NprintField& field, std::uint16_t) {
                return field.name.starts_with(header + "_");
            });
    }
    return groups;
}

std::vector<ColumnGroup> field_groups() {
    std::vector<ColumnGroup> groups;
    for (const NprintField& wanted : nprint_fields())
        groups.push_back(group_of(std::string(wanted.name), [&](const NprintField& field, std::uint16_t) {
            return field.first == wanted.first;
        }));
    return groups;
}

BitDistances mean_distances(const std::vector<BitDistances>& columns, const ColumnGroup& group) {
    BitDistances mean{};
    for (std::size_t m = 0; m < kBitMeasures && !group.columns.empty(); ++m) {
        for (const std::uint16_t column : group.columns) mean[m] += columns[column][m];
        mean[m] /= static_cast<double>(group.columns.size());
    }
    return mean;
}

}  // namespace tracebench
