#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "classifiers/feature_row.h"
#include "traffic/nprint.h"

namespace tracebench {
namespace {

constexpr std::size_t option_bytes = 16;  ///< of TCP options that are used

/// Columns of an nPrint row that say how a packet is made, not who made it or when.
const std::vector<std::size_t>& used_columns() {
    static const std::vector<std::size_t> columns = [] {
        std::vector<std::size_t> used;
        for (const NprintField& field : nprint_fields()) {
            if (field.identifier || field.counter || field.checksum) continue;
            if (field.name == "ipv4_ttl" || field.name == "ipv4_opt" || field.name == "icmp_roh") continue;
            std::size_t width = field.width;
            if (field.name == "tcp_opt") width = 8 * option_bytes;
            for (std::size_t bit = 0; bit < width; ++bit) used.push_back(field.first + bit);
        }
        return used;
    }();
    return columns;
}

std::size_t option_column() {
    const NprintField* field = find_nprint_field("tcp_opt");
    if (field == nullptr) throw std::logic_error("nPrint has no field tcp_opt");
    return field->first;
}

/// Sets the values of TCP options to 0, other than those of MSS (2) and window scale (3): timestamps,
/// selective acknowledgements, cookies and signatures are clocks, counters and identifiers.
void mask_option_values(const Headers& headers, NprintRow& row) {
    static const std::size_t first = option_column();
    constexpr std::uint8_t end = 0, no_operation = 1, mss = 2, window_scale = 3;
    constexpr std::size_t fixed = 20;
    const std::uint8_t* tcp = headers.tcp();
    const std::size_t header = std::size_t{4} * (tcp[12] >> 4);
    const std::size_t size = std::min<std::size_t>(header, headers.captured - headers.transport_offset);
    for (std::size_t at = fixed; at < size && tcp[at] != end;) {
        if (tcp[at] == no_operation) {
            ++at;
            continue;
        }
        // A length that is cut off or illegal leaves no boundary to trust: the rest is masked.
        const bool legal = at + 1 < size && tcp[at + 1] >= 2;
        const std::size_t next = legal ? std::min(at + tcp[at + 1], size) : size;
        if (!legal || (tcp[at] != mss && tcp[at] != window_scale))
            for (std::size_t byte = at + (legal ? 2 : 1); byte < next; ++byte)
                std::fill_n(row.begin() + static_cast<std::ptrdiff_t>(first + 8 * (byte - fixed)), 8,
                            std::int8_t{0});
        at = next;
    }
}

}  // namespace

std::vector<float> nprint_features(const Trace& trace, std::size_t packets) {
    const std::vector<std::size_t>& columns = used_columns();
    std::vector<float> values;
    values.reserve(packets * columns.size());
    NprintRow row;
    for (const PacketView& packet : trace.packets) {
        if (values.size() == packets * columns.size()) break;
        const Headers headers = dissect(packet);
        if (!nprint_row(packet, headers, row)) continue;
        if (headers.has_tcp()) mask_option_values(headers, row);
        for (const std::size_t column : columns) values.push_back(row[column]);
    }
    values.resize(packets * columns.size(), -1);
    return values;
}

std::vector<std::string> nprint_feature_names(std::size_t packets) {
    std::vector<std::string> names;
    for (std::size_t p = 0; p < packets; ++p)
        for (const std::size_t column : used_columns())
            names.push_back(fmt::format("p{}.{}", p, nprint_column_name(column)));
    return names;
}

}  // namespace tracebench
