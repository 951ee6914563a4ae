#include "generators/diffusion/known_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <vector>

#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {
namespace {

enum class Kind {
    code,    ///< only what was seen occurs
    number,  ///< anything may occur
};

/// Fields that are looked at as one value of at most 32 bits; of width 0: none.
using Value = std::array<Field, 3>;

struct Known {
    const char* name;
    Value places[2];  // of width 0: there is no second
    Kind kind = Kind::code;
    std::size_t most = KnownValues::most;
    double wrong_bit = 5;  // log odds; autoencoders of preset `small` make one in 150 to 500
};
constexpr double wrong_bit_of_length = 3;  // where the denoiser is unsure, lengths are what it mixes up
constexpr Known known_fields[] = {{"ttl", {{field::ttl}}},
                                  {"tos", {{field::tos}}},
                                  {"tcp_flags", {{field::tcp_flags}}},
                                  {"tcp_option", {{field::first_option}}},
                                  {"tcp_port", {{field::tcp_source}, {field::tcp_destination}}},
                                  {"udp_port", {{field::udp_source}, {field::udp_destination}}},
                                  {"tcp_seq", {{field::sequence}}, Kind::number},
                                  {"tcp_ackn", {{field::acknowledgement}}, Kind::number},
                                  {"tcp_shape",
                                   {{field::data_offset, field::tcp_flags, field::total_length}},
                                   Kind::number,
                                   KnownValues::most_shapes,
                                   wrong_bit_of_length},
                                  {"udp_shape",
                                   {{field::total_length, field::udp_length}},
                                   Kind::number,
                                   KnownValues::most_shapes,
                                   wrong_bit_of_length}};

std::uint32_t width(const Value& value) {
    std::uint32_t sum = 0;
    for (const Field part : value) sum += part.width;
    return sum;
}

bool is_present(BitsView row, const Value& value) {
    return width(value) > 0 && std::ranges::all_of(value, [&](Field part) {
               return part.width == 0 || tracebench::diffusion::is_present(row, part);
           });
}

bool is_half_present(BitsView row, const Value& value) {
    return width(value) > 0 && std::ranges::all_of(value, [&](Field part) {
               return 2 * count_present(row, part.first, part.width) >= part.width;
           });
}

std::uint32_t get(BitsView row, const Value& value) {
    std::uint32_t sum = 0;
    for (const Field part : value)
        if (part.width > 0) sum = (part.width < 32 ? sum << part.width : 0) | get(row, part);
    return sum;
}

void put(Bits row, const Value& value, std::uint32_t number) {
    for (auto part = value.rbegin(); part != value.rend(); ++part) {
        if (part->width == 0) continue;
        put(row, *part, number);
        number = part->width < 32 ? number >> part->width : 0;
    }
}

/// Those that decide: none of a code with too many, the most frequent of a number's (of equals the smaller).
Histogram known(const Histogram& counts, const Known& of) {
    if (counts.counts().size() <= of.most) return counts;
    if (of.kind == Kind::code) return Histogram();
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranked(counts.counts().begin(),
                                                                counts.counts().end());
    std::ranges::stable_sort(ranked, std::greater(), [](const auto& entry) { return entry.second; });
    Histogram kept;
    for (std::size_t i = 0; i < of.most; ++i) kept.add(ranked[i].first, ranked[i].second);
    return kept;
}

/// `read` counts where `present` has ones. Of equally likely values the smallest.
std::uint32_t likeliest(const Histogram& counts, const Known& of, std::uint32_t read, std::uint32_t present) {
    std::uint32_t best = read;
    double highest = of.kind == Kind::number ? 0 : -HUGE_VAL;
    for (const auto& [value, count] : counts.counts()) {
        const int wrong = std::popcount((static_cast<std::uint32_t>(value) ^ read) & present);
        const double likely = std::log(static_cast<double>(count)) - of.wrong_bit * wrong;
        if (likely <= highest) continue;
        highest = likely;
        best = static_cast<std::uint32_t>(value);
    }
    return best;
}

std::uint32_t present_bits(BitsView row, const Value& value) {
    std::uint32_t mask = 0;
    for (const Field part : value)
        for (std::size_t i = part.first; i < std::size_t{part.first} + part.width; ++i)
            mask = mask << 1 | (row[i] >= 0 ? 1U : 0U);
    return mask;
}

}  // namespace

void KnownValues::add(const ModelRows& rows) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        const BitsView bits = rows.row(i).first<kNprintColumns>();
        for (std::size_t f = 0; f < fields; ++f)
            for (const Value& place : known_fields[f].places)
                if (is_present(bits, place)) counts_[f].add(get(bits, place));
    }
}

void KnownValues::apply(ModelRows& rows) const {
    for (std::size_t f = 0; f < fields; ++f) {
        const Known& of = known_fields[f];
        const Histogram counts = known(counts_[f], of);
        if (counts.empty()) continue;
        std::unordered_map<std::uint64_t, std::uint32_t> found;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            const Bits bits = rows.row(i).first<kNprintColumns>();
            for (const Value& place : of.places) {
                if (!is_half_present(bits, place)) continue;
                const std::uint32_t present = present_bits(bits, place);
                const std::uint32_t read = get(bits, place);
                const auto [entry, is_new] = found.try_emplace(std::uint64_t{present} << 32 | read);
                if (is_new) entry->second = likeliest(counts, of, read, present);
                put(bits, place, entry->second);
            }
        }
    }
}

nlohmann::json KnownValues::to_json() const {
    nlohmann::json json = nlohmann::json::object();
    for (std::size_t f = 0; f < fields; ++f) {
        const Histogram counts = known(counts_[f], known_fields[f]);
        if (!counts.empty()) json[known_fields[f].name] = counts.to_json();
    }
    return json;
}

KnownValues KnownValues::from_json(const CheckedJson& json) {
    json.allow_only({"ttl", "tos", "tcp_flags", "tcp_option", "tcp_port", "udp_port", "tcp_seq", "tcp_ackn",
                     "tcp_shape", "udp_shape"});
    KnownValues values;
    for (std::size_t f = 0; f < fields; ++f) {
        const auto member = json.find(known_fields[f].name);
        if (!member) continue;
        member->items(known_fields[f].most);  // refuses more
        const std::uint64_t highest = (std::uint64_t{1} << width(known_fields[f].places[0])) - 1;
        values.counts_[f] = Histogram::from_json(*member, highest);
    }
    return values;
}

}  // namespace tracebench::diffusion
