/// Every encoding there is. A new one is a line here.

#include <fmt/format.h>

#include "base/error.h"
#include "generators/checked_json.h"
#include "generators/ssm/encoding/fields_encoding.h"
#include "generators/ssm/encoding/netssm_encoding.h"

namespace tracebench::ssm {
namespace {

constexpr std::uint64_t largest_tokenizer = std::uint64_t{64} << 20;

}  // namespace

std::unique_ptr<Encoding> make_encoding(const std::string& name, const nlohmann::json& settings,
                                        const std::vector<std::string>& labels) {
    if (name == "netssm") return NetssmEncoding::make(labels, settings);
    if (name == "fields") {
        CheckedJson(settings, "encoding 'fields'").allow_only({});
        return std::make_unique<FieldsEncoding>(labels);
    }
    throw InputError(fmt::format("encoding '{}'", name), "is not known", "use one of: fields, netssm");
}

std::unique_ptr<Encoding> load_encoding(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "tokenizer.json";
    const nlohmann::json json = parse_json_file(path, largest_tokenizer);
    if (json.is_object() && json.contains("encoding")) {
        const std::string name = CheckedJson(json, path.string()).at("encoding").text();
        if (name == "fields") return FieldsEncoding::from_json(json, path.string());
        throw InputError(path.string(), fmt::format("/encoding is '{}'", name), "'fields' was expected");
    }
    return NetssmEncoding::load(folder);
}

}  // namespace tracebench::ssm
