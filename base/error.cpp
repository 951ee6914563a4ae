#include "base/error.h"

#include <fmt/format.h>

namespace tracebench {
namespace {

/// Length of the valid UTF-8 sequence at the start of `text`, 0 where there is none. C1 controls
/// (U+0080..U+009F) count as invalid: terminals act on them.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    std::size_t length = 0;
    if (first >= 0xC2 && first <= 0xDF) length = 2;
    if (first >= 0xE0 && first <= 0xEF) length = 3;
    if (first >= 0xF0 && first <= 0xF4) length = 4;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    if (first == 0xC2 && byte(1) < 0xA0) return 0;
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
    return length;
}

std::string join(std::string_view place, std::string_view problem, std::string_view remedy) {
    std::string line = printable(place) + ": " + printable(problem, 1000);
    if (!remedy.empty()) line += "; " + printable(remedy);
    return line;
}

}  // namespace

InputError::InputError(std::string_view place, std::string_view problem, std::string_view remedy)
    : std::runtime_error(join(place, problem, remedy)) {}

std::string printable(std::string_view text, std::size_t limit) {
    std::string out;
    std::size_t i = 0;
    while (i < text.size()) {
        if (out.size() >= limit) return out + "...";
        const unsigned char c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c < 0x7F) {
            out += text[i++];
        } else if (const std::size_t length = c < 0x80 ? 0 : utf8_length(text.substr(i))) {
            out += text.substr(i, length);
            i += length;
        } else {
            out += fmt::format("\\x{:02x}", c);
            ++i;
        }
    }
    return out;
}

}  // namespace tracebench
