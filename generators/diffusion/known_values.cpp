#include "generators/diffusion/known_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {
namespace {

struct Rule {
    bool only_seen = true;  ///< no other value occurs
    std::size_t most = KnownValues::most;
    double wrong_bit = 5;  ///< log odds; autoencoders of preset `small` make one in 150 to 500
};
constexpr Rule code;
constexpr Rule start{.wrong_bit = 9};  // hardly seen is not wrong: captures begin in the middle of flows
constexpr Rule number{.only_seen = false};
// Where the denoiser is unsure, lengths are what it mixes up.
constexpr Rule shape{.only_seen = false, .most = KnownValues::most_shapes, .wrong_bit = 3};

/// Fields that are looked at as one value of at most 63 bits; of width 0: none.
using Value = std::array<Field, 5>;

struct Known {
    const char* name;
    Rule rule;
    Value places[2];  // of width 0: there is no second
};
constexpr Field octet(Field address, unsigned place) {
    return {static_cast<std::uint16_t>(address.first + 8 * place), 8};
}
constexpr Field new_flow{model_column::new_flow, 1};
/// The first and last octets of both addresses say which host it is (model_rows.h).
constexpr Value hosts = {new_flow, octet(field::source, 0), octet(field::source, 3),
                         octet(field::destination, 0), octet(field::destination, 3)};
/// In this order: what is known of one field alone helps to know what goes with it.
constexpr Known known_fields[] = {
    {"ttl", code, {{field::ttl}}},
    {"tos", code, {{field::tos}}},
    {"tcp_flags", code, {{field::tcp_flags}}},
    {"tcp_option", code, {{field::first_option}}},
    {"tcp_port", code, {{field::tcp_source}, {field::tcp_destination}}},
    {"udp_port", code, {{field::udp_source}, {field::udp_destination}}},
    {"tcp_seq", number, {{field::sequence}}},
    {"tcp_ackn", number, {{field::acknowledgement}}},
    {"hosts", code, {hosts}},
    {"tcp_ends", start, {{new_flow, field::tcp_source, field::tcp_destination}}},
    {"udp_ends", start, {{new_flow, field::udp_source, field::udp_destination}}},
    {"tcp_start", start, {{new_flow, field::tcp_flags}}},
    {"tcp_shape", shape, {{field::data_offset, field::tcp_flags, field::total_length}}},
    {"udp_shape", shape, {{field::total_length, field::udp_length}}}};

using RowView = std::span<const std::int8_t, kTernary>;
using Row = std::span<std::int8_t, kTernary>;

std::uint32_t width(const Value& value) {
    std::uint32_t sum = 0;
    for (const Field part : value) sum += part.width;
    return sum;
}

/// Of parts that have at least `share` of their bits.
bool is_present(RowView row, const Value& value, double share) {
    return width(value) > 0 && std::ranges::all_of(value, [&](Field part) {
               const auto bits = row.subspan(part.first, part.width);
               const auto present = std::ranges::count_if(bits, [](std::int8_t bit) { return bit >= 0; });
               return part.width == 0 || (present > 0 && present >= share * part.width);
           });
}

/// Bits of the value, the first highest, for which `is` holds.
template <typename Is>
std::uint64_t bits_of(RowView row, const Value& value, Is is) {
    std::uint64_t bits = 0;
    for (const Field part : value)
        for (const std::int8_t bit : row.subspan(part.first, part.width))
            bits = bits << 1 | (is(bit) ? 1U : 0U);
    return bits;
}

std::uint64_t get(RowView row, const Value& value) {
    return bits_of(row, value, [](std::int8_t bit) { return bit > 0; });
}

void put(Row row, const Value& value, std::uint64_t bits) {
    std::uint32_t left = width(value);
    for (const Field part : value)
        for (std::int8_t& bit : row.subspan(part.first, part.width))
            bit = static_cast<std::int8_t>(bits >> --left & 1);
}

/// Those that decide: none where only they may occur and there are too many, else the most frequent (of
/// equals the smaller).
Histogram known(const Histogram& counts, const Rule& of) {
    if (counts.counts().size() <= of.most) return counts;
    if (of.only_seen) return Histogram();
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranked(counts.counts().begin(),
                                                                counts.counts().end());
    std::ranges::stable_sort(ranked, std::greater(), [](const auto& entry) { return entry.second; });
    Histogram kept;
    for (std::size_t i = 0; i < of.most; ++i) kept.add(ranked[i].first, ranked[i].second);
    return kept;
}

/// `read` counts where `present` has ones. Of equally likely values the smallest.
std::uint64_t likeliest(const Histogram& counts, const Rule& of, std::uint64_t read, std::uint64_t present) {
    std::uint64_t best = read;
    double highest = of.only_seen ? -HUGE_VAL : 0;
    for (const auto& [value, count] : counts.counts()) {
        const int wrong = std::popcount((value ^ read) & present);
        const double likely = std::log(static_cast<double>(count)) - of.wrong_bit * wrong;
        if (likely <= highest) continue;
        highest = likely;
        best = value;
    }
    return best;
}

}  // namespace

void KnownValues::add(const ModelRows& rows) {
    static_assert(std::size(known_fields) == fields);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        for (std::size_t f = 0; f < fields; ++f)
            for (const Value& place : known_fields[f].places)
                if (is_present(rows.row(i), place, 0)) counts_[f].add(get(rows.row(i), place));
    }
}

void KnownValues::apply(ModelRows& rows) const {
    for (std::size_t f = 0; f < fields; ++f) {
        const auto& [name, of, places] = known_fields[f];
        const Histogram counts = known(counts_[f], of);
        if (counts.empty()) continue;
        std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> found;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            const Row row = rows.row(i);
            for (const Value& place : places) {
                if (!is_present(row, place, 0.5)) continue;
                const std::uint64_t present = bits_of(row, place, [](std::int8_t bit) { return bit >= 0; });
                const std::uint64_t read = get(row, place);
                const auto [entry, is_new] = found.try_emplace({present, read});
                if (is_new) entry->second = likeliest(counts, of, read, present);
                put(row, place, entry->second);
            }
        }
    }
}

nlohmann::json KnownValues::to_json() const {
    nlohmann::json json = nlohmann::json::object();
    for (std::size_t f = 0; f < fields; ++f) {
        const Histogram counts = known(counts_[f], known_fields[f].rule);
        if (!counts.empty()) json[known_fields[f].name] = counts.to_json();
    }
    return json;
}

KnownValues KnownValues::from_json(const CheckedJson& json) {
    json.allow_only({"ttl", "tos", "tcp_flags", "tcp_option", "tcp_port", "udp_port", "tcp_seq", "tcp_ackn",
                     "hosts", "tcp_ends", "udp_ends", "tcp_start", "tcp_shape", "udp_shape"});
    KnownValues values;
    for (std::size_t f = 0; f < fields; ++f) {
        const auto member = json.find(known_fields[f].name);
        if (!member) continue;
        member->items(known_fields[f].rule.most);  // refuses more
        const std::uint64_t highest = (std::uint64_t{1} << width(known_fields[f].places[0])) - 1;
        values.counts_[f] = Histogram::from_json(*member, highest);
    }
    return values;
}

}  // namespace tracebench::diffusion
