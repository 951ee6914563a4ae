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

struct Known {
    const char* name;
    Field places[2];  // of width 0: there is no second
    bool is_number = false;
};
constexpr Known known_fields[] = {{"ttl", {field::ttl, {0, 0}}},
                                  {"tos", {field::tos, {0, 0}}},
                                  {"tcp_flags", {field::tcp_flags, {0, 0}}},
                                  {"tcp_option", {field::first_option, {0, 0}}},
                                  {"tcp_port", {field::tcp_source, field::tcp_destination}},
                                  {"udp_port", {field::udp_source, field::udp_destination}},
                                  {"tcp_seq", {field::sequence, {0, 0}}, true},
                                  {"tcp_ackn", {field::acknowledgement, {0, 0}}, true}};

/// Those that decide: none of a code with too many, the most frequent of a number's (of equals the smaller).
Histogram known(const Histogram& counts, bool is_number) {
    if (counts.counts().size() <= KnownValues::most) return counts;
    if (!is_number) return Histogram();
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranked(counts.counts().begin(),
                                                                counts.counts().end());
    std::ranges::stable_sort(ranked, std::greater(), [](const auto& entry) { return entry.second; });
    Histogram kept;
    for (std::size_t i = 0; i < KnownValues::most; ++i) kept.add(ranked[i].first, ranked[i].second);
    return kept;
}

/// `read` counts where `present` has ones. Of equally likely values the smallest.
std::uint32_t likeliest(const Histogram& counts, bool is_number, std::uint32_t read, std::uint32_t present) {
    constexpr double wrong_bit = 5;  // log odds; autoencoders of preset `small` make one in 150 to 500
    std::uint32_t best = read;
    double highest = is_number ? 0 : -HUGE_VAL;
    for (const auto& [value, count] : counts.counts()) {
        const int wrong = std::popcount((static_cast<std::uint32_t>(value) ^ read) & present);
        const double likely = std::log(static_cast<double>(count)) - wrong_bit * wrong;
        if (likely <= highest) continue;
        highest = likely;
        best = static_cast<std::uint32_t>(value);
    }
    return best;
}

std::uint32_t present_bits(BitsView row, Field place) {
    std::uint32_t mask = 0;
    for (std::size_t i = place.first; i < std::size_t{place.first} + place.width; ++i)
        mask = mask << 1 | (row[i] >= 0 ? 1U : 0U);
    return mask;
}

}  // namespace

void KnownValues::add(const ModelRows& rows) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        const BitsView bits = rows.row(i).first<kNprintColumns>();
        for (std::size_t f = 0; f < fields; ++f)
            for (const Field place : known_fields[f].places)
                if (place.width > 0 && is_present(bits, place)) counts_[f].add(get(bits, place));
    }
}

void KnownValues::apply(ModelRows& rows) const {
    for (std::size_t f = 0; f < fields; ++f) {
        const bool is_number = known_fields[f].is_number;
        const Histogram counts = known(counts_[f], is_number);
        if (counts.empty()) continue;
        std::unordered_map<std::uint64_t, std::uint32_t> found;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            const Bits bits = rows.row(i).first<kNprintColumns>();
            for (const Field place : known_fields[f].places) {
                const std::uint32_t present = present_bits(bits, place);
                if (place.width == 0 || 2 * std::popcount(present) < place.width) continue;
                const std::uint32_t read = get(bits, place);
                const auto [entry, is_new] = found.try_emplace(std::uint64_t{present} << 32 | read);
                if (is_new) entry->second = likeliest(counts, is_number, read, present);
                put(bits, place, entry->second);
            }
        }
    }
}

nlohmann::json KnownValues::to_json() const {
    nlohmann::json json = nlohmann::json::object();
    for (std::size_t f = 0; f < fields; ++f) {
        const Histogram counts = known(counts_[f], known_fields[f].is_number);
        if (!counts.empty()) json[known_fields[f].name] = counts.to_json();
    }
    return json;
}

KnownValues KnownValues::from_json(const CheckedJson& json) {
    json.allow_only({"ttl", "tos", "tcp_flags", "tcp_option", "tcp_port", "udp_port", "tcp_seq", "tcp_ackn"});
    KnownValues values;
    for (std::size_t f = 0; f < fields; ++f) {
        const auto member = json.find(known_fields[f].name);
        if (!member) continue;
        member->items(most);  // refuses more
        const std::uint64_t highest = (std::uint64_t{1} << known_fields[f].places[0].width) - 1;
        values.counts_[f] = Histogram::from_json(*member, highest);
    }
    return values;
}

}  // namespace tracebench::diffusion
