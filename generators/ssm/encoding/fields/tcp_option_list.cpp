#include "generators/ssm/encoding/fields/tcp_option_list.h"

#include <algorithm>

#include "generators/ssm/encoding/fields/vocabulary.h"
#include "traffic/bytes.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench::ssm {
namespace {

/// Of an option with a code of its own, no-operation and end of list aside; else `other` by its length.
int code_of(std::uint8_t kind, std::uint8_t length) {
    if (kind == tcp_option::mss && length == 4) return code::mss_option;
    if (kind == tcp_option::window_scale && length == 3) return code::scale_option;
    if (kind == tcp_option::sack_permitted && length == 2) return code::sack_permitted;
    if (kind == tcp_option::timestamps && length == 10) return code::timestamps;
    if (kind == tcp_option::sack && length % 8 == 2 && length >= 10 && length <= 34)
        return code::sack + length / 8;
    return code::other + length - 2;
}

int size_of(int option) {
    if (option >= code::other) return option - code::other + 2;
    if (option > code::sack) return 2 + 8 * (option - code::sack);
    switch (option) {
        case code::mss_option:
            return 4;
        case code::scale_option:
            return 3;
        case code::sack_permitted:
            return 2;
        case code::timestamps:
            return 10;
        default:
            return option == code::no_options ? 0 : 1;
    }
}

void read_value(int option, const std::uint8_t* value, OptionValues& values) {
    if (option == code::mss_option) values.mss = load16(value);
    if (option == code::scale_option) values.window_scale = value[0];
    if (option == code::timestamps) {
        values.timestamp = load32(value);
        values.echo = load32(value + 4);
    }
    if (option > code::sack && option < code::other)
        for (int edge = 0; edge < 2 * (option - code::sack); ++edge)
            values.edges[static_cast<std::size_t>(edge)] = load32(value + 4 * edge);
}

}  // namespace

void OptionList::add(int option) {
    if (count < codes.size()) codes[count++] = static_cast<std::uint8_t>(option);
}

bool OptionList::has(int option) const {
    return std::find(codes.begin(), codes.begin() + count, option) != codes.begin() + count;
}

int OptionList::sack_blocks() const {
    for (int i = 0; i < count; ++i)
        if (const int option = codes[static_cast<std::size_t>(i)];
            option > code::sack && option < code::other)
            return option - code::sack;
    return 0;
}

OptionList OptionList::without(int option) const {
    OptionList rest;
    rest.others = others;
    for (int i = 0; i < count; ++i)
        if (codes[static_cast<std::size_t>(i)] != option) rest.add(codes[static_cast<std::size_t>(i)]);
    return rest;
}

int OptionList::size() const {
    int bytes = 0;
    for (int i = 0; i < count; ++i) bytes += size_of(codes[static_cast<std::size_t>(i)]);
    return bytes;
}

std::optional<ParsedOptions> parse_options(std::span<const std::uint8_t> bytes) {
    ParsedOptions parsed;
    bool sack = false;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::uint8_t kind = bytes[at];
        if (kind <= 1) {
            parsed.list.add(kind == 1 ? code::nop : code::end_of_list);
            ++at;
            continue;
        }
        if (bytes.size() - at < 2 || bytes[at + 1] < 2 || bytes[at + 1] > bytes.size() - at)
            return std::nullopt;
        const std::uint8_t length = bytes[at + 1];
        const int option = code_of(kind, length);
        const bool blocks = option > code::sack && option < code::other;
        if (option < code::other && (parsed.list.has(option) || (blocks && sack))) return std::nullopt;
        sack |= blocks;
        parsed.list.add(option);
        read_value(option, bytes.data() + at + 2, parsed.values);
        if (option >= code::other) {
            parsed.list.others += static_cast<char>(kind);
            parsed.list.others.append(reinterpret_cast<const char*>(bytes.data() + at + 2), length - 2U);
        }
        at += length;
    }
    return parsed;
}

std::vector<std::uint8_t> write_options(const OptionList& list, const OptionValues& values) {
    std::vector<std::uint8_t> bytes;
    const auto put16 = [&](std::uint16_t value) {
        bytes.insert(bytes.end(), {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
    };
    const auto put32 = [&](std::uint32_t value) {
        put16(static_cast<std::uint16_t>(value >> 16));
        put16(static_cast<std::uint16_t>(value));
    };
    std::size_t other = 0;
    for (int i = 0; i < list.count; ++i) {
        const int option = list.codes[static_cast<std::size_t>(i)];
        const auto length = static_cast<std::uint8_t>(size_of(option));
        if (option == code::nop || option == code::end_of_list) {
            bytes.push_back(option == code::nop ? 1 : 0);
        } else if (option == code::mss_option) {
            bytes.insert(bytes.end(), {tcp_option::mss, length});
            put16(values.mss);
        } else if (option == code::scale_option) {
            bytes.insert(bytes.end(), {tcp_option::window_scale, length, values.window_scale});
        } else if (option == code::sack_permitted) {
            bytes.insert(bytes.end(), {tcp_option::sack_permitted, length});
        } else if (option == code::timestamps) {
            bytes.insert(bytes.end(), {tcp_option::timestamps, length});
            put32(values.timestamp);
            put32(values.echo);
        } else if (option >= code::other) {
            const std::string_view content = std::string_view(list.others).substr(other, length - 1U);
            other += length - 1U;
            if (content.empty()) continue;
            bytes.push_back(static_cast<std::uint8_t>(content[0]));
            bytes.push_back(length);
            bytes.insert(bytes.end(), content.begin() + 1, content.end());
        } else if (option > code::sack) {
            bytes.insert(bytes.end(), {tcp_option::sack, length});
            for (int edge = 0; edge < 2 * (option - code::sack); ++edge)
                put32(values.edges[static_cast<std::size_t>(edge)]);
        }
    }
    while (bytes.size() % 4 != 0) bytes.push_back(1);
    return bytes;
}

}  // namespace tracebench::ssm
