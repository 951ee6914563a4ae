#include "generators/diffusion/repair/tcp_option_repair.h"

#include <algorithm>
#include <array>
#include <optional>

#include "traffic/bytes.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench::diffusion {
namespace {

constexpr std::size_t option_bytes = 40;

/// Column of the first value byte of the first option of this kind; nothing without one. Requires legal
/// options.
struct FoundOption {
    std::uint16_t column = 0;
    std::uint32_t value_bytes = 0;
};
std::optional<FoundOption> find_option(BitsView row, std::uint8_t kind) {
    std::array<std::uint8_t, option_bytes> bytes{};
    const std::uint32_t size = std::min<std::uint32_t>(4 * get(row, field::data_offset) - 20, option_bytes);
    for (std::uint32_t i = 0; i < size; ++i)
        bytes[i] =
            static_cast<std::uint8_t>(get(row, {static_cast<std::uint16_t>(field::tcp_options + 8 * i), 8}));
    TcpOptions options(bytes.data(), size);
    while (options.next())
        if (options.kind() == kind)
            return FoundOption{static_cast<std::uint16_t>(field::tcp_options + 8 * (options.offset() + 2)),
                               options.length() - 2};
    return std::nullopt;
}

/// A timestamp of one sender.
struct Stamp {
    std::uint32_t row = 0;
    Field field{};
    std::uint32_t value = 0;
};

std::vector<Stamp> stamps_of(const Draft& draft, const DraftFlow& flow, Direction direction) {
    std::vector<Stamp> stamps;
    for (const std::uint32_t r : flow.rows) {
        const DraftRow& row = draft.rows[r];
        if (row.direction != direction || !row.has_transport) continue;
        const auto option = find_option(row.bits, tcp_option::timestamps);
        if (!option) continue;
        const Field f{option->column, 32};
        stamps.push_back({r, f, get(row.bits, f)});
    }
    return stamps;
}

/// A minute of the usual clock of 1 kHz: as late as the rule tcp.flow.timestamps_order lets a segment be.
constexpr std::int32_t late = 60'000;
/// Twelve days of that clock: values further from the median are wrong.
constexpr std::int32_t far = 1 << 30;

bool is_ordered(const std::vector<Stamp>& stamps) {
    std::uint32_t latest = stamps.front().value;
    for (const Stamp& stamp : stamps) {
        const std::int32_t ahead = sequence_distance(stamp.value, latest);
        const std::int32_t since_first = sequence_distance(stamp.value, stamps.front().value);
        if (ahead < -late || since_first < -far || since_first > far) return false;
        if (ahead > 0) latest = stamp.value;
    }
    return true;
}

/// Members of the longest series that does not decrease; values by their distance from the median, which a
/// few wild ones do not move.
std::vector<bool> longest_series(const std::vector<Stamp>& stamps) {
    std::vector<std::uint32_t> sorted;
    for (const Stamp& stamp : stamps) sorted.push_back(stamp.value);
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                     sorted.end());
    const std::uint32_t middle = sorted[sorted.size() / 2];
    std::vector<std::int32_t> tail_values;  // smallest end of a series of each length
    std::vector<std::size_t> tails, before(stamps.size(), stamps.size());
    for (std::size_t i = 0; i < stamps.size(); ++i) {
        const std::int32_t value = sequence_distance(stamps[i].value, middle);
        if (value < -far / 2 || value > far / 2) continue;
        const auto place = static_cast<std::size_t>(
            std::upper_bound(tail_values.begin(), tail_values.end(), value) - tail_values.begin());
        if (place > 0) before[i] = tails[place - 1];
        if (place == tails.size()) {
            tails.push_back(i);
            tail_values.push_back(value);
        } else {
            tails[place] = i;
            tail_values[place] = value;
        }
    }
    std::vector<bool> member(stamps.size());
    for (std::size_t i = tails.back(); i < stamps.size(); i = before[i]) member[i] = true;
    return member;
}

}  // namespace

void order_timestamps(Draft& draft, const DraftFlow& flow) {
    for (const Direction direction : {Direction::forward, Direction::reverse}) {
        const std::vector<Stamp> stamps = stamps_of(draft, flow, direction);
        if (stamps.empty() || is_ordered(stamps)) continue;
        const std::vector<bool> member = longest_series(stamps);
        const auto first =
            static_cast<std::size_t>(std::find(member.begin(), member.end(), true) - member.begin());
        std::uint32_t latest = stamps[first].value;
        for (std::size_t i = 0; i < stamps.size(); ++i) {
            if (member[i]) latest = stamps[i].value;
            if (!member[i]) put(draft.rows[stamps[i].row].bits, stamps[i].field, latest);
        }
    }
}

void move_sack(Bits row, std::uint32_t shift) {
    if (shift == 0) return;
    const auto option = find_option(row, tcp_option::sack);
    if (!option) return;
    for (std::uint32_t byte = 0; byte + 4 <= option->value_bytes; byte += 4) {
        const Field edge{static_cast<std::uint16_t>(option->column + 8 * byte), 32};
        put(row, edge, get(row, edge) + shift);
    }
}

void repair_echo(Bits row, const SegmentFields& segment, const TcpSide& peer, bool from_start) {
    const auto option = find_option(row, tcp_option::timestamps);
    if (!option || !segment.timestamps) return;
    const Field echo{static_cast<std::uint16_t>(option->column + 32), 32};
    const std::uint32_t said = get(row, echo);
    if (!segment.has(tcp_flag::ack)) {
        put(row, echo, 0);
        return;
    }
    if (!peer.timestamped || segment.has(tcp_flag::rst)) return;
    const bool sent = sequence_distance(said, peer.last_timestamp) <= 0;
    const bool not_before = !from_start || sequence_distance(said, peer.first_timestamp) >= 0;
    // The capture may have missed the segment that is echoed: its clock has gone on since.
    const std::int64_t elapsed_ms = (segment.time_ns - peer.last_timestamp_ns) / 1'000'000;
    const bool missed = !sent && sequence_distance(said, peer.last_timestamp) <= elapsed_ms + 1000;
    if ((!sent && !missed) || (sent && !not_before)) put(row, echo, peer.last_timestamp);
}

}  // namespace tracebench::diffusion
