/// HTTP/1 request and status lines. RFC 9112 sections 2 to 4, RFC 9110 section 15.

#include <algorithm>
#include <string_view>

#include "traffic/rules/application.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

/// The first line without its end; empty where that was not captured with this segment.
struct Line {
    std::string_view text;
    bool complete = false, carriage_return = false;

    explicit Line(const RulePacket& p) {
        constexpr std::uint32_t longest = 16'384;
        const std::uint32_t end = std::min({p.end, p.headers.captured, p.payload + longest});
        const auto* const begin = reinterpret_cast<const char*>(payload(p));
        text = {begin, end > p.payload ? end - p.payload : 0};
        const std::size_t at = text.find('\n');
        complete = at != std::string_view::npos;
        text = text.substr(0, complete ? at : 0);
        carriage_return = !text.empty() && text.back() == '\r';
        if (carriage_return) text.remove_suffix(1);
    }
};

bool is_status(const RulePacket& p) {
    return payload(p)[0] == 'H' && payload(p)[1] == 'T';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
/// `HTTP/` and a digit, a point, a digit.
bool is_version(std::string_view text) {
    return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
           is_digit(text[7]);
}

Verdict check_line_end(const RulePacket& p) {
    const Line line(p);
    return line.complete ? pass_if(line.carriage_return) : Verdict::not_checkable;
}

Verdict check_request_line(const RulePacket& p) {
    if (is_status(p)) return Verdict::not_applicable;
    const Line line(p);
    if (!line.complete) return Verdict::not_checkable;
    const std::size_t method = line.text.find(' '), version = line.text.rfind(' ');
    return pass_if(version > method + 1 && is_version(line.text.substr(version + 1)));
}

Verdict check_target(const RulePacket& p) {
    if (is_status(p)) return Verdict::not_applicable;
    const Line line(p);
    if (!line.complete) return Verdict::not_checkable;
    const std::size_t method = line.text.find(' '), version = line.text.rfind(' ');
    if (version <= method + 1) return Verdict::not_checkable;
    const std::string_view target = line.text.substr(method + 1, version - method - 1);
    return pass_if(std::none_of(target.begin(), target.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte == 0x7F;
    }));
}

Verdict check_status_line(const RulePacket& p) {
    if (!is_status(p)) return Verdict::not_applicable;
    const Line line(p);
    if (!line.complete) return Verdict::not_checkable;
    const std::string_view text = line.text;
    return pass_if(text.size() >= 12 && is_version(text.substr(0, 8)) && text[8] == ' ' &&
                   std::all_of(text.begin() + 9, text.begin() + 12, is_digit) &&
                   (text.size() == 12 || text[12] == ' '));
}

Verdict check_status_code(const RulePacket& p) {
    if (!is_status(p)) return Verdict::not_applicable;
    if (!payload_captured(p, 9, 1) || p.payload_length() < 10) return Verdict::not_checkable;
    return pass_if(payload(p)[9] >= '1' && payload(p)[9] <= '5');
}

/// Later versions are not spoken as text.
Verdict check_version(const RulePacket& p) {
    const Line line(p);
    if (!line.complete) return Verdict::not_checkable;
    const std::string_view text = line.text;
    const std::string_view version =
        is_status(p) ? text.substr(0, 8) : text.substr(text.size() - std::min<std::size_t>(text.size(), 8));
    if (!is_version(version)) return Verdict::not_checkable;
    return pass_if(version == "HTTP/1.1" || version == "HTTP/1.0");
}

Verdict check_direction(const RulePacket& p) {
    return pass_if(is_status(p) ? !goes_to_server(p) : !comes_from_server(p));
}

constexpr RuleLayer layer = RuleLayer::http;
constexpr std::string_view blanked = "payload replaced by zeros";

constexpr Rule rules[] = {
    {"http.line_end", "the first line ends with CR LF", "RFC 9112 section 2.2", blanked, layer,
     check_line_end, blank_payload},
    {"http.request_line", "a request line is method, target, version, with one space between",
     "RFC 9112 section 3", blanked, layer, check_request_line, blank_payload},
    {"http.request_target", "there is no white space in the target", "RFC 9112 section 3.2", blanked, layer,
     check_target, blank_payload},
    {"http.status_line", "a status line is version, three digits, reason", "RFC 9112 section 4", blanked,
     layer, check_status_line, blank_payload},
    {"http.status_code", "the status code is 100 to 599", "RFC 9110 section 15", blanked, layer,
     check_status_code, blank_payload},
    {"http.version", "the version is 1.0 or 1.1", "RFC 9112 section 2.3", blanked, layer, check_version,
     blank_payload},
    {"http.direction", "requests go to the server, responses come from it", "RFC 9112 section 2.1", blanked,
     layer, check_direction, blank_payload},
};

}  // namespace

std::span<const Rule> http_rules() {
    return rules;
}

}  // namespace tracebench
