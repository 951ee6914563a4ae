#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/error.h"

namespace tracebench {
namespace {

using nlohmann::json;

constexpr int max_depth = 64;

/// valijson's context ("<root>", "[metrics]", "[0]") as a JSON pointer.
json::json_pointer pointer_of(const std::vector<std::string>& context) {
    json::json_pointer pointer;
    for (const std::string& part : context)
        if (part.size() >= 2 && part.front() == '[' && part.back() == ']')
            pointer /= part.substr(1, part.size() - 2);
    return pointer;
}

const json& resolve(const json& schema, const json& root) {
    const auto reference = schema.find("$ref");
    if (reference == schema.end()) return schema;
    return resolve(root.at(json::json_pointer(reference->get<std::string>().substr(1))), root);
}

/// The part of the schema that speaks of `pointer`, or an empty object where it is not plain to see.
json schema_at(json::json_pointer pointer, const json& root) {
    std::vector<std::string> keys;
    for (; !pointer.empty(); pointer.pop_back()) keys.insert(keys.begin(), pointer.back());
    const json* schema = &resolve(root, root);
    for (const std::string& key : keys) {
        const json* next = nullptr;
        if (const auto properties = schema->find("properties");
            properties != schema->end() && properties->contains(key))
            next = &properties->at(key);
        else if (const auto rest = schema->find("additionalProperties");
                 rest != schema->end() && rest->is_object())
            next = &*rest;
        else if (const auto items = schema->find("items"); items != schema->end() && items->is_object())
            next = &*items;
        if (next == nullptr) return json::object();
        schema = &resolve(*next, root);
    }
    return *schema;
}

std::string list(const json& names) {
    if (!names.is_array()) return names.is_string() ? names.get<std::string>() : names.dump();
    std::string out;
    for (const json& name : names)
        out += (out.empty() ? "" : " or ") + (name.is_string() ? name.get<std::string>() : name.dump());
    return out;
}

std::string excerpt(const json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return fmt::format("an array of {}", value.size());
    return printable(value.dump(-1, ' ', false, json::error_handler_t::replace), 60);
}

/// The key among `known` nearest to `wrong` by edit distance, where it is near enough to be a typo.
std::string nearest(const std::string& wrong, const std::vector<std::string>& known) {
    std::string best;
    std::size_t best_distance = wrong.size() / 2 + 1;
    for (const std::string& name : known) {
        std::vector<std::size_t> row(name.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= wrong.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= name.size(); ++j) {
                const std::size_t above = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (wrong[i - 1] != name[j - 1])});
                diagonal = above;
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = name;
        }
    }
    return best;
}

/// The commonest slip in a hand-written file is a key that does not exist: named with what it should be.
void check_keys(const json& document, const json& schema, const json& root, const json::json_pointer& place,
                std::string_view name) {
    if (document.is_array() && schema.contains("items")) {
        for (std::size_t i = 0; i < document.size(); ++i)
            check_keys(document[i], resolve(schema["items"], root), root, place / i, name);
        return;
    }
    if (!document.is_object() || !schema.contains("properties")) return;
    const json& properties = schema["properties"];
    std::vector<std::string> known;
    for (const auto& [key, value] : properties.items()) known.push_back(key);
    for (const auto& [key, value] : document.items()) {
        if (properties.contains(key)) {
            check_keys(value, resolve(properties[key], root), root, place / key, name);
        } else if (schema.value("additionalProperties", json(true)) == json(false)) {
            const std::string guess = nearest(key, known);
            throw InputError(name, fmt::format("{} is no key here", (place / key).to_string()),
                             guess.empty() ? fmt::format("known keys: {}", fmt::join(known, ", "))
                                           : fmt::format("did you mean '{}'?", guess));
        }
    }
}

[[noreturn]] void fail(const json& document, const json& schema, std::string_view name,
                       const valijson::ValidationResults::Error& error) {
    const json::json_pointer pointer = pointer_of(error.context);
    const std::string place = pointer.empty() ? "the document" : pointer.to_string();
    const std::string& what = error.description;
    if (what.starts_with("Missing required property") || what.starts_with("Object contains a property"))
        throw InputError(name, fmt::format("{}: {}", place, what));
    const json expected = schema_at(pointer, schema);
    std::string remedy = what;
    if (what.find("'type' constraint") != std::string::npos && expected.contains("type"))
        remedy = "expected " + list(expected["type"]);
    else if (what.find("enum values") != std::string::npos && expected.contains("enum"))
        remedy = "expected " + list(expected["enum"]);
    throw InputError(name, fmt::format("{} is {}", place, excerpt(document.at(pointer))), remedy);
}

}  // namespace

json parse_json(std::string_view text, std::string_view name) {
    const auto bounded = [&](int depth, json::parse_event_t event, json&) {
        if (depth > max_depth &&
            (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start))
            throw InputError(name, fmt::format("is nested deeper than {} levels", max_depth));
        return true;
    };
    try {
        return json::parse(text, bounded);
    } catch (const json::exception& error) {
        std::string_view problem =
            error.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
        if (const auto end = problem.find("] "); end != std::string_view::npos)
            problem.remove_prefix(end + 2);
        throw InputError(name, fmt::format("is not valid JSON: {}", problem));
    }
}

void check_schema(const json& document, const json& schema, std::string_view name) {
    check_keys(document, resolve(schema, schema), schema, json::json_pointer(), name);
    valijson::Schema parsed;
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(valijson::adapters::NlohmannJsonAdapter(schema), parsed);
    valijson::ValidationResults results;
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    if (validator.validate(parsed, valijson::adapters::NlohmannJsonAdapter(document), &results)) return;
    // An error in an inner value is followed by one for each value around it: the first is the exact one.
    fail(document, schema, name, *results.begin());
}

}  // namespace tracebench
