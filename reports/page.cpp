#include "reports/page.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "reports/assets.h"
#include "reports/text.h"

namespace tracebench {
namespace {

using nlohmann::json;

/// The SHA-256 of a script as a source expression of a Content-Security-Policy.
std::string script_hash(std::string_view script) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(script.data(), script.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 is not available");
    std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> text{};
    const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
    return "'sha256-" + std::string(text.begin(), text.begin() + length) + "'";
}

/// Replaces {{name}} in one pass: what is put in is not looked at again.
std::string fill_template(std::string_view text,
                          const std::vector<std::pair<std::string_view, std::string_view>>& values) {
    std::string out;
    while (true) {
        const std::size_t open = text.find("{{");
        out += text.substr(0, open);
        if (open == std::string_view::npos) return out;
        text.remove_prefix(open + 2);
        const std::size_t close = text.find("}}");
        const std::string_view name = text.substr(0, close);
        for (const auto& [key, value] : values)
            if (key == name) out += value;
        text.remove_prefix(close + 2);
    }
}

}  // namespace

std::string assemble_page(std::string_view title, std::string_view body, std::string_view script,
                          const json& data) {
    const std::string_view charts = assets::echarts_js();
    const std::string code = std::string(assets::library_js()) + std::string(script);
    const std::string policy = fmt::format(
        "default-src 'none'; script-src {} {}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'",
        script_hash(charts), script_hash(code));
    const std::string scripts = fmt::format("<script>{}</script>\n<script>{}</script>", charts, code);
    const std::string text = escape_script_json(data.dump(-1, ' ', false, json::error_handler_t::replace));
    return fill_template(assets::page_html(), {{"policy", policy},
                                               {"title", escape_xml(title)},
                                               {"style", assets::style_css()},
                                               {"body", body},
                                               {"data", text},
                                               {"scripts", scripts}});
}

json rounded(json value, int digits) {
    if (value.is_number_float())
        value = std::strtod(fmt::format("{:.{}g}", value.get<double>(), digits).c_str(), nullptr);
    if (value.is_structured())
        for (json& child : value) child = rounded(std::move(child), digits);
    return value;
}

}  // namespace tracebench
