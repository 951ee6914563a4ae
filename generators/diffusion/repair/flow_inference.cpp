#include "generators/diffusion/repair/flow_inference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "generators/diffusion/flow_recency.h"
#include "generators/diffusion/ports.h"
#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {
namespace {

constexpr std::size_t address_bits = 32, port_bits = 16, tuple_bits = 2 * (address_bits + port_bits);

/// Source address and port, destination address and port, by bit; -1 where absent, unknown or meaningless.
using Tuple = std::array<std::int8_t, tuple_bits>;

void copy_bits(const NprintRow& row, const std::vector<bool>& known, Field f, std::int8_t* to) {
    for (std::size_t i = 0; i < f.width; ++i) to[i] = known[f.first + i] ? row[f.first + i] : std::int8_t{-1};
}

Tuple tuple_of(const NprintRow& row, const std::vector<bool>& known, const RowKind& kind) {
    Tuple tuple;
    tuple.fill(-1);
    if (!kind.ipv6) {
        copy_bits(row, known, field::source, tuple.data());
        copy_bits(row, known, field::destination, tuple.data() + address_bits + port_bits);
    }
    if (!kind.has_transport || !has_ports(kind.protocol)) return tuple;
    const PortFields ports = port_fields(kind.protocol);
    copy_bits(row, known, ports.source, tuple.data() + address_bits);
    copy_bits(row, known, ports.destination, tuple.data() + 2 * address_bits + port_bits);
    return tuple;
}

Tuple turned(const Tuple& tuple) {
    Tuple result = tuple;
    std::rotate(result.begin(), result.begin() + tuple_bits / 2, result.end());
    return result;
}

/// Bits that differ, of those that both have.
std::uint32_t distance(const Tuple& a, const Tuple& b) {
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < tuple_bits; ++i) count += a[i] >= 0 && b[i] >= 0 && a[i] != b[i];
    return count;
}

/// Share of wrong bits, by those that are the same in every IPv4 packet: the version 4 and the reserved flag.
double noise_of(std::span<const NprintRow> rows) {
    std::uint64_t wrong = 0, all = 0;
    for (const NprintRow& row : rows) {
        if (2 * count_present(row, 0, 160) < 160) continue;
        for (const auto& [column, value] :
             {std::pair{0, 0}, {1, 1}, {2, 0}, {3, 0}, {int{field::reserved_bit.first}, 0}}) {
            wrong += row[static_cast<std::size_t>(column)] != value;
            ++all;
        }
    }
    return all == 0 ? 0 : static_cast<double>(wrong) / static_cast<double>(all);
}

/// Rows taken for one flow.
struct Group {
    RowKind kind;
    Tuple first;                                   ///< as the first row of it has them
    std::array<std::int32_t, tuple_bits> votes{};  ///< the same way round
    std::uint32_t rows = 0;

    Tuple majority() const {
        Tuple tuple = first;
        for (std::size_t i = 0; i < tuple_bits; ++i)
            if (votes[i] != 0) tuple[i] = votes[i] > 0 ? 1 : 0;
        return tuple;
    }
    void add(const Tuple& tuple) {
        for (std::size_t i = 0; i < tuple_bits; ++i)
            if (tuple[i] >= 0) votes[i] += tuple[i] > 0 ? 1 : -1;
        ++rows;
    }
};

class Grouping {
  public:
    Grouping(std::span<const NprintRow> rows, const std::vector<bool>& known, Random& random)
        : rows_(rows), random_(random), noise_(std::min(noise_of(rows), 0.5)) {
        for (const NprintRow& row : rows) {
            kinds_.push_back(row_kind(row, 2 * count_present(row, 0, 160) < 160));
            if (kinds_.back().ipv6 && !kinds_.back().has_transport) kinds_.back().ipv6 = false;
            tuples_.push_back(tuple_of(row, known, kinds_.back()));
        }
        if (noise_ > 0) find_frequent();
    }

    /// The group of a row, and whether it goes the way of the group's first row.
    std::pair<std::uint32_t, bool> place(std::size_t i) {
        const Tuple& tuple = tuples_[i];
        const Tuple back = turned(tuple);
        const std::optional<std::uint32_t> found = noise_ > 0 ? nearest(i) : same(i);
        const std::uint32_t group = found ? *found : static_cast<std::uint32_t>(groups_.size());
        bool same_way = true;
        if (found) {
            const Tuple middle = groups_[group].majority();
            const std::uint32_t ahead = distance(tuple, middle), against = distance(back, middle);
            same_way = ahead == against ? guess(i) : ahead < against;
        } else {
            groups_.push_back({kinds_[i], tuple, {}, 0});
        }
        groups_[group].add(same_way ? tuple : back);
        return {group, same_way};
    }

    const RowKind& kind(std::size_t i) const { return kinds_[i]; }

  private:
    using Key = std::pair<RowKind, Tuple>;
    Key key_of(std::size_t i) const { return {kinds_[i], std::min(tuples_[i], turned(tuples_[i]))}; }

    /// The group with the same bits, either way round; makes a row without one the first of a new group.
    std::optional<std::uint32_t> same(std::size_t i) {
        const auto [known, is_new] =
            exact_.try_emplace(key_of(i), static_cast<std::uint32_t>(groups_.size()));
        if (is_new) return std::nullopt;
        return known->second;
    }

    std::optional<std::uint32_t> nearest(std::size_t i) const {
        const Tuple back = turned(tuples_[i]);
        std::optional<std::uint32_t> best;
        std::uint32_t least = UINT32_MAX;
        for (std::uint32_t g = 0; g < groups_.size(); ++g) {
            if (groups_[g].kind != kinds_[i]) continue;
            const Tuple middle = groups_[g].majority();
            const std::uint32_t bits = std::min(distance(tuples_[i], middle), distance(back, middle));
            if (bits >= least) continue;
            least = bits;
            best = g;
        }
        if (best && least > radius(groups_[*best].rows)) return std::nullopt;
        return best;
    }

    /// How far from the true bits a row's may be by chance: a mean and three deviations; twice that rate as
    /// long as the group's own bits are those of one row.
    double radius(std::uint32_t rows) const {
        const double rate = rows > 2 ? noise_ : 2 * noise_;
        const double bits = tuple_bits;
        return rate * bits + 3 * std::sqrt(bits * rate * std::max(0.0, 1 - rate));
    }

    /// With few wrong bits many rows have none: tuples that are more frequent than wrong bits in more
    /// frequent ones explain come first.
    void find_frequent() {
        std::map<Key, std::uint32_t> counts;
        for (std::size_t i = 0; i < tuples_.size(); ++i) ++counts[key_of(i)];
        std::vector<std::pair<std::uint32_t, Key>> by_count;
        for (const auto& [key, count] : counts)
            if (count >= 2) by_count.push_back({count, key});
        std::stable_sort(by_count.begin(), by_count.end(),
                         [](const auto& a, const auto& b) { return a.first > b.first; });
        const double odds = noise_ / (1 - noise_);
        for (const auto& [count, entry] : by_count) {
            bool explained = false;
            for (const Group& group : groups_) {
                if (group.kind != entry.first) continue;
                const std::uint32_t bits = std::min(distance(entry.second, group.first),
                                                    distance(turned(entry.second), group.first));
                explained |= count <= 3 * group.rows * std::pow(odds, bits) + 1;
            }
            if (explained) continue;
            groups_.push_back({entry.first, entry.second, {}, count});
        }
    }

    bool guess(std::size_t i) {
        const std::uint32_t flags =
            kinds_[i].protocol == ip_protocol::tcp ? get(rows_[i], field::tcp_flags) : 0;
        if ((flags & tcp_flag::syn) != 0) return (flags & tcp_flag::ack) == 0;
        return random_.chance(0.5);
    }

    std::span<const NprintRow> rows_;
    Random& random_;
    double noise_;
    std::vector<RowKind> kinds_;
    std::vector<Tuple> tuples_;
    std::vector<Group> groups_;
    std::map<Key, std::uint32_t> exact_;  ///< where there is no noise: groups by their bits
};

std::vector<std::size_t> order_of(std::size_t rows, std::span<const std::int64_t> times_ns) {
    std::vector<std::size_t> order(rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (times_ns.size() == rows)
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return times_ns[a] < times_ns[b]; });
    return order;
}

}  // namespace

PacketImage infer_flows(std::span<const NprintRow> rows, const std::vector<bool>& known, Random& random,
                        std::span<const std::int64_t> times_ns) {
    constexpr std::int64_t default_gap_ns = 1'000'000;
    PacketImage image;
    image.known = known;
    Grouping groups(rows, known, random);
    const std::vector<std::size_t> order = order_of(rows.size(), times_ns);
    constexpr std::uint32_t none = UINT32_MAX;
    std::vector<std::pair<std::uint32_t, bool>> flows;  // by group: number, and whether forward is its way
    for (const std::size_t i : order) {
        ImageRow row;
        row.bits = rows[i];
        row.time_ns = times_ns.size() == rows.size()
                          ? times_ns[i] - times_ns[order.front()]
                          : static_cast<std::int64_t>(image.rows.size()) * default_gap_ns;
        const auto [group, same_way] = groups.place(i);
        if (group >= flows.size()) flows.resize(group + 1, {none, true});
        auto& [number, forward] = flows[group];
        if (number == none) {
            number = static_cast<std::uint32_t>(image.flows.size());
            forward = same_way;
            ImageFlow flow;
            flow.protocol = groups.kind(i).protocol;
            image.flows.push_back(flow);
        }
        row.flow = number;
        row.direction = same_way == forward ? Direction::forward : Direction::reverse;
        image.rows.push_back(row);
    }
    return image;
}

}  // namespace tracebench::diffusion
