#include "datasets/schema_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/error.h"

namespace tracebench {
namespace {

/// valijson's context ("<root>", "[datasets]", "[0]") as a JSON pointer.
std::string pointer(const std::vector<std::string>& context) {
    std::string out;
    for (std::size_t i = 1; i < context.size(); ++i) {
        std::string part = context[i];
        if (part.size() >= 2 && part.front() == '[' && part.back() == ']') part = part.substr(1, part.size() - 2);
        out += '/';
        for (const char c : part) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return out.empty() ? "/" : out;
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

/// The commonest slip is a key that does not exist: named with the keys that do.
void check_keys(const nlohmann::json& document, const nlohmann::json& schema, const std::string& place,
                const std::string& name) {
    if (document.is_array() && schema.contains("items")) {
        for (std::size_t i = 0; i < document.size(); ++i)
            check_keys(document[i], schema["items"], fmt::format("{}/{}", place, i), name);
        return;
    }
    if (!document.is_object() || !schema.contains("properties")) return;
    const nlohmann::json& properties = schema["properties"];
    std::vector<std::string> known;
    for (const auto& [key, value] : properties.items()) known.push_back(key);
    for (const auto& [key, value] : document.items()) {
        const std::string here = place + "/" + key;
        if (properties.contains(key)) {
            check_keys(value, properties[key], here, name);
        } else if (schema.value("additionalProperties", true) == false) {
            const std::string guess = nearest(key, known);
            throw InputError(name, fmt::format("{} is no key here", here),
                             guess.empty() ? fmt::format("known keys: {}", fmt::join(known, ", "))
                                           : fmt::format("did you mean '{}'?", guess));
        }
    }
}

}  // namespace

void check_schema(const nlohmann::json& document, const nlohmann::json& schema_document, const std::string& name) {
    check_keys(document, schema_document, "", name);
    valijson::Schema schema;
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_document), schema);
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(document), &results)) return;
    // The last, most deeply nested error names the fault; the ones around it only say that a child failed.
    valijson::ValidationResults::Error error, deepest;
    while (results.popError(error))
        if (error.context.size() >= deepest.context.size()) deepest = error;
    throw InputError(name, fmt::format("{}: {}", pointer(deepest.context), deepest.description),
                     "see the manifest reference, docs/manifest.md");
}

nlohmann::json parse_json(const std::string& text, const std::string& name) {
    // A parser that recurses can be made to overflow the stack: bound the nesting before it starts.
    std::size_t depth = 0;
    bool in_string = false, escaped = false;
    for (const char c : text) {
        if (in_string) {
            if (escaped) escaped = false;
            else if (c == '\\') escaped = true;
            else if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > 100) throw InputError(name, "nests deeper than 100 levels");
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    try {
        return nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error& error) {
        const std::size_t at = std::min<std::size_t>(error.byte, text.size());
        const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
        const std::size_t newline = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
        const std::size_t column = newline == std::string::npos ? at : at - newline - 1;
        std::string what = error.what();
        if (const auto colon = what.find(": syntax error"); colon != std::string::npos) what = what.substr(colon + 2);
        throw InputError(fmt::format("{}: line {}, column {}", name, line, column), "is not JSON: " + what,
                         "mend the file");
    }
}

}  // namespace tracebench
