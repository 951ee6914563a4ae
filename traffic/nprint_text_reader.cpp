#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>

#include "base/error.h"
#include "traffic/nprint_text.h"

namespace tracebench {
namespace {

constexpr std::size_t max_line = std::size_t{1} << 20;

/// What a column of the file is: an index into the layout, or one of these.
enum Meaning : int { seconds = -1, microseconds = -2, since_last = -3, nothing = -4 };

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> cells;
    for (std::size_t begin = 0;;) {
        const std::size_t comma = line.find(',', begin);
        cells.push_back(line.substr(begin, comma - begin));
        if (comma == std::string_view::npos) return cells;
        begin = comma + 1;
    }
}

/// 1, 0, -1, or nothing for every other text.
std::optional<std::int8_t> bit_of(std::string_view cell) {
    if (cell == "0" || cell == "0.0") return std::int8_t{0};
    if (cell == "1" || cell == "1.0") return std::int8_t{1};
    if (cell == "-1" || cell == "-1.0" || cell.empty()) return std::int8_t{-1};
    return std::nullopt;
}

}  // namespace

struct NprintTextReader::State {
    std::string place;
    std::ifstream file;
    std::istream* in = &file;
    std::vector<char> line = std::vector<char>(max_line + 1);
    std::uint64_t number = 0;  ///< of the line read last
    std::vector<std::string> names;
    std::vector<int> meaning;  ///< of each column of the file
    std::vector<bool> present = std::vector<bool>(kNprintColumns);
    std::vector<std::string> ignored;
    std::int64_t time_ns = 0;
    bool absolute = false;  ///< has `tv_sec`; `rts` is then ignored
    bool timed = false;

    std::string here() const { return fmt::format("{} line {}", place, number); }

    bool read_line(std::string_view& text) {
        in->getline(line.data(), static_cast<std::streamsize>(line.size()));
        const auto count = static_cast<std::size_t>(in->gcount());
        if (in->bad()) throw InputError(place, fmt::format("cannot read: {}", std::strerror(errno)));
        if (in->eof() && count == 0) return false;
        ++number;
        if (in->fail())
            throw InputError(here(), fmt::format("is longer than {} bytes", max_line),
                             "nPrint text was expected");
        text = std::string_view(line.data(), in->eof() ? count : count - 1);
        if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
        return true;
    }

    void read_header() {
        std::string_view text;
        if (!read_line(text))
            throw InputError(place, "is empty", "nPrint text begins with a line of column names");
        std::map<std::string, int, std::less<>> layout;
        for (std::size_t column = 0; column < kNprintColumns; ++column)
            layout.emplace(nprint_column_name(column), static_cast<int>(column));
        bool any = false;
        for (const std::string_view name : split(text)) {
            names.emplace_back(name);
            const auto found = layout.find(name);
            if (found != layout.end()) {
                const auto column = static_cast<std::size_t>(found->second);
                if (present[column]) throw InputError(here(), fmt::format("names column {} twice", name));
                present[column] = any = true;
                meaning.push_back(found->second);
                continue;
            }
            meaning.push_back(name == "tv_sec"    ? seconds
                              : name == "tv_usec" ? microseconds
                              : name == "rts"     ? since_last
                                                  : nothing);
            absolute = absolute || name == "tv_sec";
            timed = timed || absolute || name == "rts";
            if (meaning.back() == nothing && names.size() > 1) ignored.emplace_back(name);
        }
        if (!any)
            throw InputError(here(), "names no nPrint column",
                             "a header line with ipv4_ver_0, ipv4_ver_1, ... was expected");
    }

    std::int64_t number_in(std::string_view cell, std::size_t column, std::int64_t least) const {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
        if (error != std::errc() || end != cell.data() + cell.size() || value < least || value > UINT32_MAX)
            throw InputError(here(), fmt::format("column {} holds '{}'", names[column], cell),
                             fmt::format("a whole number from {} to {} was expected", least, UINT32_MAX));
        return value;
    }

    void add_time(std::int64_t units, std::int64_t ns) {
        if (time_ns > INT64_MAX / 2) throw InputError(here(), "is timed later than any capture can be");
        time_ns = std::max<std::int64_t>(0, time_ns + units * ns);
    }

    void set(std::string_view cell, std::size_t column, NprintRow& row) {
        switch (meaning[column]) {
            case seconds:
                add_time(number_in(cell, column, 0), 1'000'000'000);
                return;
            case microseconds:
                add_time(number_in(cell, column, 0), 1'000);
                return;
            case since_last:
                if (!absolute) add_time(number_in(cell, column, -std::int64_t{UINT32_MAX}), 1'000);
                return;
            case nothing:
                return;
            default:
                break;
        }
        const auto bit = bit_of(cell);
        if (!bit)
            throw InputError(here(), fmt::format("column {} holds '{}'", names[column], cell),
                             "1, 0 or -1 was expected");
        row[static_cast<std::size_t>(meaning[column])] = *bit;
    }
};

NprintTextReader::NprintTextReader(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
    State& state = *state_;
    state.place = path == "-" ? "standard input" : path.string();
    if (path == "-") {
        state.in = &std::cin;
    } else {
        if (std::filesystem::is_directory(path)) throw InputError(state.place, "is a folder", "name a file");
        state.file.open(path, std::ios::binary);
        if (!state.file)
            throw InputError(state.place, fmt::format("cannot read: {}", std::strerror(errno)),
                             "check the name");
    }
    state.read_header();
}

NprintTextReader::~NprintTextReader() = default;

bool NprintTextReader::next(NprintRow& row) {
    State& state = *state_;
    std::string_view text;
    do {
        if (!state.read_line(text)) return false;
    } while (text.empty());
    row.fill(-1);
    if (state.absolute) state.time_ns = 0;  // `rts` adds to the packet before
    const auto cells = static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) + 1;
    if (cells != state.names.size())
        throw InputError(state.here(),
                         fmt::format("has {} columns, the header line names {}", cells, state.names.size()));
    for (std::size_t column = 0; column < cells; ++column) {
        const std::size_t comma = std::min(text.find(','), text.size());
        state.set(text.substr(0, comma), column, row);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return true;
}

std::optional<std::int64_t> NprintTextReader::time_ns() const {
    return state_->timed ? std::optional(state_->time_ns) : std::nullopt;
}

const std::vector<bool>& NprintTextReader::present() const {
    return state_->present;
}
const std::vector<std::string>& NprintTextReader::ignored() const {
    return state_->ignored;
}

}  // namespace tracebench
