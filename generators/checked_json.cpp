#include "generators/checked_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace tracebench {

CheckedJson::CheckedJson(const nlohmann::json& value, std::string place, std::string pointer)
    : value_(&value), place_(std::move(place)), pointer_(std::move(pointer)) {}

void CheckedJson::fail(std::string_view problem, std::string_view remedy) const {
    throw InputError(
        place_, pointer_.empty() ? std::string(problem) : fmt::format("{} {}", pointer_, problem), remedy);
}

void CheckedJson::allow_only(std::initializer_list<std::string_view> keys) const {
    if (!value_->is_object()) fail(fmt::format("is {}, not an object", value_->type_name()));
    for (const auto& [key, unused] : value_->items()) {
        if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
        fail(fmt::format("has an unknown setting '{}'", key),
             keys.size() == 0 ? "it takes none" : fmt::format("it takes: {}", fmt::join(keys, ", ")));
    }
}

std::optional<CheckedJson> CheckedJson::find(std::string_view key) const {
    if (!value_->is_object()) fail(fmt::format("is {}, not an object", value_->type_name()));
    const auto member = value_->find(key);
    if (member == value_->end()) return std::nullopt;
    return CheckedJson(*member, place_, fmt::format("{}/{}", pointer_, key));
}

CheckedJson CheckedJson::at(std::string_view key) const {
    auto member = find(key);
    if (!member) fail(fmt::format("lacks '{}'", key));
    return *member;
}

std::int64_t CheckedJson::integer(std::int64_t low, std::int64_t high) const {
    const bool fits = value_->is_number_integer() &&
                      !(value_->is_number_unsigned() && value_->get<std::uint64_t>() > INT64_MAX);
    const std::int64_t number = fits ? value_->get<std::int64_t>() : 0;
    if (!fits || number < low || number > high)
        fail(fmt::format("is not an integer from {} to {}", low, high));
    return number;
}

double CheckedJson::number(double low, double high) const {
    const double number = value_->is_number() ? value_->get<double>() : std::nan("");
    if (!(number >= low && number <= high)) fail(fmt::format("is not a number from {} to {}", low, high));
    return number;
}

std::string CheckedJson::text(std::size_t limit) const {
    if (!value_->is_string()) fail(fmt::format("is {}, not a string", value_->type_name()));
    const auto& string = value_->get_ref<const std::string&>();
    if (string.size() > limit) fail(fmt::format("is longer than {} bytes", limit));
    return string;
}

bool CheckedJson::boolean() const {
    if (!value_->is_boolean()) fail(fmt::format("is {}, not true or false", value_->type_name()));
    return value_->get<bool>();
}

std::vector<CheckedJson> CheckedJson::items(std::size_t limit) const {
    if (!value_->is_array()) fail(fmt::format("is {}, not an array", value_->type_name()));
    if (value_->size() > limit) fail(fmt::format("has more than {} items", limit));
    std::vector<CheckedJson> items;
    items.reserve(value_->size());
    for (std::size_t i = 0; i < value_->size(); ++i)
        items.emplace_back((*value_)[i], place_, fmt::format("{}/{}", pointer_, i));
    return items;
}

std::string CheckedJson::hex(std::size_t limit) const {
    const std::string digits = text(2 * limit);
    const auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = digit(digits[i]), low = i + 1 < digits.size() ? digit(digits[i + 1]) : -1;
        if (high < 0 || low < 0) fail("is not hexadecimal");
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

std::int64_t CheckedJson::integer(std::string_view key, std::int64_t fallback, std::int64_t low,
                                  std::int64_t high) const {
    const auto member = find(key);
    return member ? member->integer(low, high) : fallback;
}

double CheckedJson::number(std::string_view key, double fallback, double low, double high) const {
    const auto member = find(key);
    return member ? member->number(low, high) : fallback;
}

std::string CheckedJson::text(std::string_view key, std::string fallback) const {
    const auto member = find(key);
    return member ? member->text() : std::move(fallback);
}

nlohmann::json parse_json_file(const std::filesystem::path& path, std::uint64_t limit) {
    return parse_json(read_file(path, limit), path.string());
}

std::string to_hex(std::string_view bytes) {
    std::string digits;
    digits.reserve(2 * bytes.size());
    for (const char byte : bytes)
        fmt::format_to(std::back_inserter(digits), "{:02x}", static_cast<unsigned char>(byte));
    return digits;
}

}  // namespace tracebench
