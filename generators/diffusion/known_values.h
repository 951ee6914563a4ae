#pragma once
/// Fields that have only a few values in a class's samples, and the nearest of these for a wrong one.

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "generators/checked_json.h"
#include "generators/diffusion/model_rows.h"
#include "generators/histogram.h"

namespace tracebench::diffusion {

/// Time to live, type of service, TCP and UDP ports (0: ephemeral), counted in rows as model_rows() makes
/// them. A model that is a bit off makes a value that nobody uses out of one that all do: port 442, 187.
class KnownValues {
  public:
    /// A field with more values than this is open: it keeps what it is given.
    static constexpr std::size_t most = 64;

    void add(const ModelRows& rows);
    /// Each value of a field that is not open becomes the one with the fewest differing bits that was added;
    /// of several the most frequent. Absent bits stay absent. A field that was never added is left alone.
    void apply(ModelRows& rows) const;

    /// {field: [[value, count], ...]}; open fields are left out.
    nlohmann::json to_json() const;
    /// Throws InputError: another shape, another field, more than `most` values.
    static KnownValues from_json(const CheckedJson& json);

  private:
    static constexpr std::size_t fields = 4;
    std::array<Histogram, fields> counts_;
};

}  // namespace tracebench::diffusion
