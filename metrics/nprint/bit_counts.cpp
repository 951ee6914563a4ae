#include "metrics/nprint/bit_counts.h"

#include <algorithm>
#include <numeric>

#include "traffic/headers.h"
#include "traffic/nprint_counter.h"

namespace tracebench {
namespace {

/// Adds the sessions to ones and zeros; returns the rows added.
double add(const BitCounts& counts, std::span<const double> weights, BitTable& table) {
    double rows = 0;
    for (std::size_t s = 0; s < counts.sessions(); ++s) {
        if (weights[s] == 0) continue;
        rows += weights[s] * static_cast<double>(counts.rows(s));
        for (const BitCell& cell : counts.cells(s)) {
            table[cell.column][0] += weights[s] * cell.ones;
            table[cell.column][1] += weights[s] * cell.zeros;
        }
    }
    return rows;
}

}  // namespace

BitCounts::BitCounts(const Samples& samples) {
    for (const LabelledTrace& sample : samples) {
        first_cell_.push_back(cells_.size());
        NprintBitCounter counter;
        for (const PacketView& packet : sample.trace.packets) counter.add(packet, dissect(packet));
        rows_.push_back(counter.rows());
        const NprintBitCounter::Counts &ones = counter.ones(), present = counter.present();
        for (std::size_t c = 0; c < kNprintColumns; ++c)
            if (present[c] > 0)
                cells_.push_back({static_cast<std::uint16_t>(c), ones[c], present[c] - ones[c]});
    }
    first_cell_.push_back(cells_.size());
}

std::uint64_t BitCounts::rows() const {
    return std::accumulate(rows_.begin(), rows_.end(), std::uint64_t{0});
}

std::span<const BitCell> BitCounts::cells(std::size_t session) const {
    return std::span(cells_).subspan(first_cell_[session], first_cell_[session + 1] - first_cell_[session]);
}

BitTable weighted_bits(const BitCounts& a, const BitCounts& b, std::span<const double> weights) {
    BitTable table(kNprintColumns, BitMasses{});
    const double rows =
        add(a, weights.first(a.sessions()), table) + add(b, weights.subspan(a.sessions()), table);
    if (!(rows > 0)) return {};
    for (BitMasses& masses : table) masses[2] = rows - masses[0] - masses[1];
    return table;
}

BitTable pooled_bits(const BitCounts& counts) {
    return pooled_bits(counts, BitCounts({}));
}

BitTable pooled_bits(const BitCounts& a, const BitCounts& b) {
    return weighted_bits(a, b, std::vector<double>(a.sessions() + b.sessions(), 1.0));
}

bool varies(const BitMasses& masses) {
    return std::count(masses.begin(), masses.end(), 0.0) < 2;
}

bool is_present(const BitMasses& masses) {
    return masses[0] > 0 || masses[1] > 0;
}

BitTable know_nothing(const BitTable& real) {
    BitTable even = real;
    for (BitMasses& masses : even)
        for (double& mass : masses) mass = mass > 0 ? 1 : 0;
    return even;
}

}  // namespace tracebench
