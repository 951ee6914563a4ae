#include "generators/diffusion/known_values.h"

#include <fmt/format.h>

#include <bit>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {
namespace {

struct Known {
    const char* name;
    Field places[2];  // of width 0: there is no second
};
constexpr Known known_fields[] = {{"ttl", {field::ttl, {0, 0}}},
                                  {"tos", {field::tos, {0, 0}}},
                                  {"tcp_port", {field::tcp_source, field::tcp_destination}},
                                  {"udp_port", {field::udp_source, field::udp_destination}}};

std::uint32_t nearest(const Histogram& counts, std::uint32_t value) {
    int fewest = 33;
    std::uint64_t most = 0;
    std::uint32_t best = value;
    for (const auto& [known, count] : counts.counts()) {
        const int bits = std::popcount(static_cast<std::uint32_t>(known) ^ value);
        if (bits > fewest || (bits == fewest && count <= most)) continue;
        fewest = bits;
        most = count;
        best = static_cast<std::uint32_t>(known);
    }
    return best;
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
        if (counts_[f].empty() || counts_[f].counts().size() > most) continue;
        std::unordered_map<std::uint32_t, std::uint32_t> found;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            const Bits bits = rows.row(i).first<kNprintColumns>();
            for (const Field place : known_fields[f].places) {
                if (place.width == 0 || !is_present(bits, place)) continue;
                const std::uint32_t value = get(bits, place);
                const auto [entry, is_new] = found.try_emplace(value);
                if (is_new) entry->second = nearest(counts_[f], value);
                put_where_present(bits, place, entry->second);
            }
        }
    }
}

nlohmann::json KnownValues::to_json() const {
    nlohmann::json json = nlohmann::json::object();
    for (std::size_t f = 0; f < fields; ++f)
        if (!counts_[f].empty() && counts_[f].counts().size() <= most)
            json[known_fields[f].name] = counts_[f].to_json();
    return json;
}

KnownValues KnownValues::from_json(const CheckedJson& json) {
    constexpr std::uint64_t port = 65535;
    json.allow_only({"ttl", "tos", "tcp_port", "udp_port"});
    KnownValues values;
    for (std::size_t f = 0; f < fields; ++f) {
        const auto member = json.find(known_fields[f].name);
        if (!member) continue;
        member->items(most);  // refuses more
        values.counts_[f] = Histogram::from_json(*member, known_fields[f].places[0].width == 8 ? 255 : port);
    }
    return values;
}

}  // namespace tracebench::diffusion
