#pragma once
/// JSON from outside (settings, saved models) with every access checked and every error naming its place.
///
///     CheckedJson settings(object, "generator 'command'");
///     settings.allow_only({"command", "timeout_s"});
///     double timeout = settings.number("timeout_s", 600, 1, 86400);

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tracebench {

/// Refers to the JSON value, which must outlive it. All accessors throw InputError naming the JSON pointer.
class CheckedJson {
  public:
    CheckedJson(const nlohmann::json& value, std::string place, std::string pointer = {});

    /// This value is an object with no other keys than these; the message lists them.
    void allow_only(std::initializer_list<std::string_view> keys) const;
    /// A member of this object; the second form gives nothing where it is absent.
    CheckedJson at(std::string_view key) const;
    std::optional<CheckedJson> find(std::string_view key) const;

    /// This value, if it is of the type and within [low, high] (a string: at most `limit` bytes).
    std::int64_t integer(std::int64_t low, std::int64_t high) const;
    double number(double low, double high) const;
    std::string text(std::size_t limit = 4096) const;
    bool boolean() const;
    std::vector<CheckedJson> items(std::size_t limit) const;
    /// Lower-case hexadecimal, at most `limit` bytes when decoded.
    std::string hex(std::size_t limit) const;

    /// A member's value, or `fallback` where it is absent.
    std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t low,
                         std::int64_t high) const;
    double number(std::string_view key, double fallback, double low, double high) const;
    std::string text(std::string_view key, std::string fallback) const;

    const nlohmann::json& value() const { return *value_; }
    [[noreturn]] void fail(std::string_view problem, std::string_view remedy = {}) const;

  private:
    const nlohmann::json* value_;
    std::string place_, pointer_;
};

/// Throws InputError where the file cannot be read, is over `limit` bytes or is not JSON.
nlohmann::json parse_json_file(const std::filesystem::path& path, std::uint64_t limit);

/// The reverse of CheckedJson::hex().
std::string to_hex(std::string_view bytes);

}  // namespace tracebench
