#include "metrics/field_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <vector>

#include "traffic/bytes.h"

namespace tracebench::codes {
namespace {

// RFC 9293 section 3.2 and the IANA registry of TCP option kinds; four bits each.
constexpr std::uint64_t end_of_list = 9, unknown = 10, broken = 11;

std::uint64_t digit(std::uint8_t kind) {
    switch (kind) {
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
        case 8:
            return kind;
        case 30:
            return 6;
        case 34:
            return 7;
        default:
            return unknown;
    }
}

constexpr std::array<std::string_view, 12> option_names = {
    "", "NOP", "MSS", "WS", "SACK-permitted", "SACK", "MPTCP", "TFO", "TS", "EOL", "other", "broken"};

}  // namespace

std::uint32_t port_range(std::uint16_t port) {
    if (port < 1024) return port;
    return port < 32768 ? 1024 : port < 49152 ? 32768 : 49152;
}

std::uint32_t service_port(std::uint16_t source, std::uint16_t destination) {
    const std::uint16_t lower = std::min(source, destination);
    return lower < 32768 ? lower : port_range(lower);
}

std::string port_name(std::uint32_t code) {
    if (code == 32768) return "32768-49151";
    if (code == 49152) return "49152-65535";
    return fmt::format("{}", code);
}

std::uint64_t tcp_options(std::span<const std::uint8_t> options) {
    std::uint64_t code = 0;
    int kinds = 0;
    for (std::size_t at = 0; at < options.size() && kinds < 13;) {
        const std::uint8_t kind = options[at];
        std::uint64_t next = kind == 0 ? end_of_list : digit(kind);
        std::size_t length = 1;
        if (kind > 1) {
            length = at + 1 < options.size() ? options[at + 1] : 0;
            if (length < 2 || length > options.size() - at) next = broken;
        }
        if (next != 1 || (code & 0xF) != 1) {
            code = code << 4 | next;
            ++kinds;
        }
        if (next == end_of_list || next == broken) break;
        at += length;
    }
    return code;
}

std::string tcp_options_name(std::uint64_t code) {
    if (code == 0) return "none";
    std::string name;
    for (int shift = 48; shift >= 0; shift -= 4) {
        const std::uint64_t kind = code >> shift & 0xF;
        if (kind == 0 || kind >= option_names.size()) continue;
        if (!name.empty()) name += ',';
        name += option_names[kind];
    }
    return name;
}

std::optional<std::uint16_t> tcp_mss(std::span<const std::uint8_t> options) {
    for (std::size_t at = 0; at < options.size() && options[at] != 0;) {
        if (options[at] == 1) {
            ++at;
            continue;
        }
        const std::size_t length = at + 1 < options.size() ? options[at + 1] : 0;
        if (length < 2 || length > options.size() - at) return std::nullopt;
        if (options[at] == 2 && length == 4) return load16(&options[at + 2]);
        at += length;
    }
    return std::nullopt;
}

std::string tcp_flags_name(std::uint32_t flags) {
    constexpr std::array<std::string_view, 8> names = {"FIN", "SYN", "RST", "PSH",
                                                       "ACK", "URG", "ECE", "CWR"};
    std::vector<std::string_view> set;
    for (std::size_t bit = 0; bit < names.size(); ++bit)
        if (flags >> bit & 1) set.push_back(names[bit]);
    return set.empty() ? "none" : fmt::format("{}", fmt::join(set, ","));
}

std::uint32_t size_class(std::uint32_t bytes) {
    return bytes == 0 ? 0 : bytes < 100 ? 1 : bytes < 500 ? 2 : bytes < 1200 ? 3 : 4;
}

std::string size_class_name(std::uint32_t size_class) {
    constexpr std::array<const char*, size_classes> names = {"0", "1-99", "100-499", "500-1199", "1200+"};
    return size_class < size_classes ? names[size_class] : "?";
}

std::uint32_t packet_class(Direction direction, std::uint32_t payload_bytes) {
    return static_cast<std::uint32_t>(direction) * size_classes + size_class(payload_bytes);
}

std::string packet_class_name(std::uint32_t packet_class) {
    if (packet_class == packet_start) return "start";
    return fmt::format("{} {}", packet_class < size_classes ? "fwd" : "rev",
                       size_class_name(packet_class % size_classes));
}

std::uint32_t ip_id_step(std::uint16_t before, std::uint16_t id) {
    const auto step = static_cast<std::uint16_t>(id - before);
    return step <= 1 ? step : step < 256 ? 2 : 3;
}

std::string ip_id_step_name(std::uint32_t code) {
    constexpr std::array<const char*, 4> names = {"equal", "next", "up to 255 more", "other"};
    return code < names.size() ? names[code] : "?";
}

}  // namespace tracebench::codes
