#pragma once
/// Where one sample's values go: the columns of one scope.

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/observations.h"

namespace tracebench {

/// What repeats in long samples is counted, so that memory grows with the different values and not with the
/// packets.
class FieldWriter {
  public:
    /// Of a sample and field. A run has many samples: a lower number than one capture needs.
    static constexpr std::size_t most_uncounted = 1 << 12;

    FieldWriter(std::span<Column> columns, std::uint32_t session);
    /// `field` is the place in that scope's list of fields.
    void add(std::size_t field, double value) {
        Place& place = places_[field];
        if (!place.tallies.empty() && tally(place, value)) return;
        Column& column = columns_[field];
        column.values.push_back(value);
        column.session.push_back(session_);
        if (!column.counts.empty()) column.counts.push_back(1);
        if (column.values.size() >= place.full) count(field);
    }
    /// Once at the end: the columns are complete only then.
    void finish();

  private:
    /// How often a value came since its field has had too many to keep them all.
    struct Tally {
        double value = 0;
        std::uint64_t count = 0;  ///< 0: nothing here
    };
    struct Place {
        std::size_t first, full;     ///< where this sample's values begin, and how many values are too many
        std::vector<Tally> tallies;  ///< by the value's hash; half of the places at most are taken
        std::size_t tallied = 0;
    };
    static constexpr unsigned tally_bits = 14;

    /// False where the value is a new one and there is no more room.
    static bool tally(Place& place, double value) {
        const std::uint64_t hash = std::bit_cast<std::uint64_t>(value) * 0x9E3779B97F4A7C15;
        for (std::size_t at = hash >> (64 - tally_bits);; at = (at + 1) % place.tallies.size()) {
            Tally& here = place.tallies[at];
            if (here.count == 0) {
                if (2 * place.tallied >= place.tallies.size()) return false;
                here.value = value;
                ++place.tallied;
            } else if (here.value != value) {
                continue;
            }
            ++here.count;
            return true;
        }
    }
    void count(std::size_t field);

    std::span<Column> columns_;
    std::uint32_t session_;
    std::vector<Place> places_;
};

}  // namespace tracebench
