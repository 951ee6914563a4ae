#include "generators/weights/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.h"

namespace tracebench {
namespace {

constexpr std::size_t most_tensors = 1 << 17, most_dimensions = 8, longest_name = 1024;

std::optional<FloatFormat> format_named(std::string_view name) {
    if (name == "F32") return FloatFormat::float32;
    if (name == "F16") return FloatFormat::float16;
    if (name == "BF16") return FloatFormat::bfloat16;
    if (name == "F64") return FloatFormat::float64;
    return std::nullopt;
}

/// Receives the header value by value: no document is built of it, so that 100 MB of brackets cost nothing.
/// Unlike a document it also shows names that are there twice.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
  public:
    HeaderReader(const std::string& name, std::map<std::string, std::string>* metadata)
        : name_(name), kept_metadata_(metadata) {}
    std::vector<SafetensorsEntry> take() { return std::move(entries_); }

    bool start_object(std::size_t /*elements*/) override {
        if (place_ == Place::before)
            place_ = Place::tensors;
        else if (place_ == Place::tensors && metadata_)
            place_ = Place::metadata;
        else if (place_ == Place::tensors)
            place_ = Place::tensor;
        else
            unexpected("an object");
        return true;
    }
    bool end_object() override {
        if (place_ == Place::tensor) {
            require_complete();
            place_ = Place::tensors;
        } else {
            place_ = place_ == Place::metadata ? Place::tensors : Place::before;
        }
        return true;
    }
    bool key(std::string& key) override {
        if (place_ == Place::tensors)
            begin_tensor(key);
        else if (place_ == Place::tensor)
            begin_field(key);
        else if (place_ == Place::metadata && kept_metadata_ != nullptr)
            metadata_key_ = key;
        return true;
    }
    bool string(std::string& value) override {
        if (place_ == Place::metadata) {
            if (kept_metadata_ != nullptr) (*kept_metadata_)[metadata_key_] = value;
            return true;
        }
        if (place_ != Place::tensor || field_ != Field::dtype) unexpected("a string");
        const auto format = format_named(value);
        if (!format)
            fail(fmt::format("has the type '{}'", value),
                 "save it as F32, F16, BF16 or F64: only those are read");
        entries_.back().format = *format;
        return true;
    }
    bool start_array(std::size_t /*elements*/) override {
        if (place_ != Place::tensor || (field_ != Field::shape && field_ != Field::offsets))
            unexpected("an array");
        place_ = Place::numbers;
        return true;
    }
    bool end_array() override {
        place_ = Place::tensor;
        return true;
    }
    bool number_unsigned(std::uint64_t value) override {
        if (place_ != Place::numbers) unexpected("a number");
        if (field_ == Field::offsets) {
            if (offsets_ == 2) fail("has more than two data_offsets");
            (offsets_++ == 0 ? entries_.back().begin : entries_.back().end) = value;
            return true;
        }
        auto& shape = entries_.back().shape;
        if (shape.size() == most_dimensions)
            fail(fmt::format("has more than {} dimensions", most_dimensions));
        if (value > INT64_MAX) fail("has a shape beyond all memory");
        shape.push_back(static_cast<std::int64_t>(value));
        return true;
    }
    bool null() override { unexpected("null"); }
    bool boolean(bool /*value*/) override { unexpected("true or false"); }
    bool number_integer(std::int64_t /*value*/) override { unexpected("a negative number"); }
    bool number_float(double /*value*/, const std::string& /*text*/) override { unexpected("a fraction"); }
    bool binary(nlohmann::json::binary_t& /*value*/) override { unexpected("binary data"); }
    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::json::exception& /*error*/) override {
        throw InputError(name_, fmt::format("the header is not valid JSON at its byte {}", position),
                         "copy or download the file again");
    }

  private:
    enum class Place { before, tensors, metadata, tensor, numbers };
    enum class Field { none, dtype, shape, offsets };

    [[noreturn]] void fail(std::string_view problem, std::string_view remedy = {}) const {
        throw InputError(name_,
                         entries_.empty() ? fmt::format("the header {}", problem)
                                          : fmt::format("tensor '{}' {}", entries_.back().name, problem),
                         remedy);
    }
    [[noreturn]] void unexpected(std::string_view what) const {
        fail(fmt::format("has {} in an unexpected place", what), "a safetensors header was expected");
    }
    void begin_tensor(const std::string& key) {
        if (key.size() > longest_name)
            throw InputError(name_, fmt::format("has a tensor whose name has {} bytes", key.size()),
                             fmt::format("at most {} are allowed", longest_name));
        if (!names_.insert(key).second)
            throw InputError(name_, fmt::format("tensor '{}' is there twice", key));
        metadata_ = key == "__metadata__";
        if (metadata_) return;
        if (entries_.size() == most_tensors)
            throw InputError(name_, fmt::format("holds more than {} tensors", most_tensors));
        entries_.emplace_back().name = key;
        seen_ = {};
        offsets_ = 0;
    }
    void begin_field(std::string_view key) {
        field_ = key == "dtype"          ? Field::dtype
                 : key == "shape"        ? Field::shape
                 : key == "data_offsets" ? Field::offsets
                                         : Field::none;
        if (field_ == Field::none)
            fail(fmt::format("has an unknown key '{}'", printable(key, 40)),
                 "it has dtype, shape and data_offsets");
        bool& seen = seen_[static_cast<std::size_t>(field_) - 1];
        if (seen) fail(fmt::format("has {} twice", key));
        seen = true;
    }
    void require_complete() const {
        if (!seen_[0] || !seen_[1] || offsets_ != 2) fail("lacks dtype, shape or data_offsets");
    }

    const std::string& name_;
    std::map<std::string, std::string>* kept_metadata_;  // null: not asked for
    std::string metadata_key_;
    std::vector<SafetensorsEntry> entries_;
    std::unordered_set<std::string> names_;
    Place place_ = Place::before;
    Field field_ = Field::none;
    bool metadata_ = false;
    std::array<bool, 3> seen_{};
    int offsets_ = 0;
};

void require_own_bytes(const SafetensorsEntry& entry, std::uint64_t data_size, const std::string& name) {
    const auto fail = [&](std::string_view problem) {
        throw InputError(name, fmt::format("tensor '{}' {}", entry.name, problem),
                         "copy or download it again");
    };
    if (entry.begin > entry.end || entry.end > data_size)
        fail(fmt::format("is at bytes {} to {} of {}", entry.begin, entry.end, data_size));
    const auto elements = element_count(entry.shape);
    const std::uint64_t bytes = entry.end - entry.begin;
    if (!elements || bytes / width(entry.format) != *elements || bytes % width(entry.format) != 0)
        fail(fmt::format("has {} bytes, which is not what its shape and type need", bytes));
}

}  // namespace

std::vector<SafetensorsEntry> parse_safetensors_header(std::string_view text, std::uint64_t data_size,
                                                       const std::string& name,
                                                       std::map<std::string, std::string>* metadata) {
    HeaderReader reader(name, metadata);
    if (text.empty() || text.front() != '{')
        throw InputError(name, "the header does not begin with '{'", "a safetensors file was expected");
    if (const auto zero = text.find('\0'); zero != std::string_view::npos)  // where the parser would stop
        throw InputError(name, fmt::format("the header is not valid JSON at its byte {}", zero + 1),
                         "copy or download the file again");
    nlohmann::json::sax_parse(text, &reader);
    std::vector<SafetensorsEntry> entries = reader.take();

    std::vector<const SafetensorsEntry*> by_place;
    for (const SafetensorsEntry& entry : entries) {
        require_own_bytes(entry, data_size, name);
        by_place.push_back(&entry);
    }
    std::sort(by_place.begin(), by_place.end(), [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t covered = 0;
    for (const SafetensorsEntry* const entry : by_place) {
        if (entry->begin != covered)
            throw InputError(
                name,
                fmt::format("tensor '{}' begins at byte {} of the data, {} the one before ends, at {}",
                            entry->name, entry->begin, entry->begin < covered ? "before" : "after", covered),
                "tensors may neither overlap nor leave gaps");
        covered = entry->end;
    }
    if (covered != data_size)
        throw InputError(name,
                         fmt::format("has {} bytes of data after those of its tensors", data_size - covered),
                         "copy or download it again");
    return entries;
}

}  // namespace tracebench
