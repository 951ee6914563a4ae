#include "reports/text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

namespace tracebench {
namespace {

constexpr char32_t replacement = 0xFFFD;

/// Takes one code point from the front of `text`; U+FFFD (and one byte) where it is not valid UTF-8.
char32_t take_code_point(std::string_view& text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xC2 && first < 0xE0 ? 2
                               : first >= 0xE0 && first < 0xF0 ? 3
                               : first >= 0xF0 && first < 0xF5 ? 4
                                                               : 0;
    char32_t point = length == 1 ? first : first & (0x7Fu >> length);
    bool valid = length > 0 && text.size() >= length;
    for (std::size_t i = 1; valid && i < length; ++i) {
        valid = (byte(i) & 0xC0) == 0x80;
        point = (point << 6) | (byte(i) & 0x3Fu);
    }
    valid = valid && !(length == 3 && (point < 0x800 || (point >= 0xD800 && point < 0xE000))) &&
            !(length == 4 && (point < 0x10000 || point > 0x10FFFF));
    text.remove_prefix(valid ? length : 1);
    return valid ? point : replacement;
}

void append_utf8(std::string& out, char32_t point) {
    const auto put = [&](char32_t value) { out += static_cast<char>(value); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | (point >> 6));
        put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(0xE0 | (point >> 12));
        put(0x80 | ((point >> 6) & 0x3F));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xF0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3F));
        put(0x80 | ((point >> 6) & 0x3F));
        put(0x80 | (point & 0x3F));
    }
}

bool allowed_in_xml(char32_t point) {
    return point == '\t' || point == '\n' || point == '\r' ||
           (point >= 0x20 && point != 0xFFFE && point != 0xFFFF);
}

}  // namespace

std::string escape_xml(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const char32_t point = take_code_point(text);
        switch (point) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&apos;";
                break;
            case '\t':
                out += "&#9;";
                break;
            case '\n':
                out += "&#10;";
                break;
            case '\r':
                out += "&#13;";
                break;
            default:
                append_utf8(out, allowed_in_xml(point) ? point : replacement);
        }
    }
    return out;
}

std::string escape_markdown(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const char32_t point = take_code_point(text);
        if (point == '<') {
            out += "&lt;";
        } else if (point == '&') {
            out += "&amp;";
        } else if (point < 0x20 || point == 0x7F) {
            out += ' ';
        } else {
            if (point < 0x80 &&
                std::string_view("\\`*_[]()#|!~>@").find(static_cast<char>(point)) != std::string_view::npos)
                out += '\\';
            append_utf8(out, point);
        }
    }
    return out;
}

std::string code_span(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const char32_t point = take_code_point(text);
        append_utf8(out, point == '`' ? U'\'' : point == '|' ? U'\u00A6' : point < 0x20 ? U' ' : point);
    }
    return out;
}

std::string escape_script_json(std::string_view json) {
    std::string out;
    out.reserve(json.size() + json.size() / 16);
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (c == '<' || c == '>' || c == '&') {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else if (json.substr(i, 3) == "\u2028" || json.substr(i, 3) == "\u2029") {
            out += json[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            out += c;
        }
    }
    return out;
}

std::string format_number(double value) {
    return std::isfinite(value) ? fmt::format("{:.3g}", value) : "-";
}

std::string signed_number(double value) {
    return std::isfinite(value) ? fmt::format("{:+.3g}", value) : "-";
}

}  // namespace tracebench
