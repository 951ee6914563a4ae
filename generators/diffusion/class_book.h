#pragma once
/// What is kept of each class beside the model: how long its samples are, how their headers lie, which
/// values they have.

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generators/checked_json.h"
#include "generators/diffusion/known_values.h"
#include "generators/diffusion/model_rows.h"
#include "generators/histogram.h"

namespace tracebench::diffusion {

/// Which bytes of nPrint's layout the rows of one sample have (row_layout()), as runs of equal rows.
class ControlLayout {
  public:
    using Pattern = std::array<std::uint8_t, kImageBytes / 8>;  ///< a bit a byte, first byte highest

    static ControlLayout of(const ModelRows& rows);
    std::size_t rows() const;
    /// `rows` rows of {0, 1}, kImageBytes each; rows beyond the layout's end have nothing.
    std::vector<std::uint8_t> expand(std::size_t rows) const;

    nlohmann::json to_json() const;
    /// Throws InputError: another shape, or more than kImageRows rows.
    static ControlLayout from_json(const CheckedJson& json);

    bool operator==(const ControlLayout&) const = default;

  private:
    std::vector<std::pair<Pattern, std::uint32_t>> runs_;
};

struct ClassEntry {
    std::string label;
    Histogram lengths;  ///< rows of its training samples, 1 to kImageRows
    std::vector<ControlLayout> layouts;
    /// The longest of its training samples (scaled_gap()); none in models that were written before there was
    /// one. Gaps are learned as logarithms: what the model overshoots there would be minutes.
    std::optional<float> longest_gap;
    /// Of any of its training samples (count_hosts()); none in models that were written before there was one.
    std::optional<std::size_t> most_hosts;
    KnownValues values;  ///< of its training samples
};

/// Classes by their id in the model.
class ClassBook {
  public:
    static constexpr std::size_t most_layouts = 16;  ///< a class; of its first samples

    /// Adds a class without samples, with the next id. Throws std::invalid_argument where it is there.
    void add_class(const std::string& label);
    /// Of a class that is there; samples without rows are left out. Layouts are kept if `with_layout`.
    void add_sample(const std::string& label, const ModelRows& rows, bool with_layout);

    std::size_t size() const { return entries_.size(); }
    const ClassEntry& operator[](std::size_t id) const { return entries_[id]; }
    /// -1 where there is none.
    std::int32_t find(const std::string& label) const;
    /// Of classes with a sample, sorted.
    std::vector<std::string> labels() const;
    /// Classes from `first` on, in the order of their ids.
    nlohmann::json to_json(std::size_t first = 0) const;
    /// Appends the classes of to_json(). Throws InputError: another shape, a class that is there already,
    /// over 4096 classes.
    void append(const CheckedJson& json);

  private:
    std::vector<ClassEntry> entries_;
};

}  // namespace tracebench::diffusion
