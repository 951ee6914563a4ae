#pragma once
/// Fields that have only a few values in a class's samples, and the nearest of these for a wrong one.

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "generators/checked_json.h"
#include "generators/diffusion/model_rows.h"
#include "generators/histogram.h"

namespace tracebench::diffusion {

/// What a class's rows, as model_rows() makes them, have in a few of their fields. A model that is a bit off
/// makes a value that nobody uses out of one that all do: port 442, 187, a segment sent again in part.
///
/// - Codes: time to live, type of service, TCP flags, the first four bytes of TCP options (mostly a kind and
///   what always follows it: a maximum segment size), ports (0: ephemeral). Only those seen occur.
/// - Numbers: distances of TCP's sequence and acknowledgement numbers. Any may occur.
/// - Starts: whether a row begins a flow, together with TCP flags (SYNs do, others hardly ever), with ports
///   (answers do not) and with which hosts they are (a class may have one server). Only those seen occur;
///   but for hosts by a wrong bit in 8,000, so that what was seen a few times stays.
/// - Shapes: what goes together, looked at as one number. Header length, flags and total length of TCP;
///   total length and length of UDP.
class KnownValues {
  public:
    /// A code with more values than this keeps what it is given; of a number's the most frequent are known.
    static constexpr std::size_t most = 64;
    static constexpr std::size_t most_shapes = 256;  ///< the same of shapes

    void add(const ModelRows& rows);
    /// Each field of which at least half of the bits are present (of starts and shapes: of each part) gets
    /// the value that is most likely what was meant: by how often it was added, and by a wrong bit in about
    /// 150 (log count - 5 x differing bits, of shapes 3 x; which a number that was not added has as well,
    /// with a count of 1). Bits that are absent there become present. A field that was never added is left
    /// alone.
    void apply(ModelRows& rows) const;

    /// {field: [[value, count], ...]}; codes with too many values are left out.
    nlohmann::json to_json() const;
    /// Throws InputError: another shape, another field, more values than are known of it.
    static KnownValues from_json(const CheckedJson& json);

  private:
    static constexpr std::size_t fields = 14;
    std::array<Histogram, fields> counts_;
};

}  // namespace tracebench::diffusion
