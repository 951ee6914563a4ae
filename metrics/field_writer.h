#pragma once
/// Where one sample's values go: the columns of one scope.

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/observations.h"

namespace tracebench {

/// What repeats in long samples is counted, so that memory grows with the different values and not with the
/// packets.
class FieldWriter {
  public:
    static constexpr std::size_t most_uncounted = 1 << 16;

    FieldWriter(std::span<Column> columns, std::uint32_t session);
    /// `field` is the place in that scope's list of fields.
    void add(std::size_t field, double value) {
        Column& column = columns_[field];
        column.values.push_back(value);
        column.session.push_back(session_);
        if (!column.counts.empty()) column.counts.push_back(1);
        if (column.values.size() >= places_[field].full) count(field);
    }

  private:
    /// Where this sample's values begin, and how many values are too many.
    struct Place {
        std::size_t first, full;
    };
    void count(std::size_t field);

    std::span<Column> columns_;
    std::uint32_t session_;
    std::vector<Place> places_;
};

}  // namespace tracebench
