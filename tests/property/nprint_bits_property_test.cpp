// What holds of the distances between nPrint bits, whatever the packets.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "metrics/nprint/bit_distances.h"
#include "traffic/nprint.h"

namespace tracebench {
namespace {

/// Frames of random bytes behind an Ethernet and mostly an IPv4 header, cut anywhere.
std::vector<LabelledTrace> samples() {
    std::vector<LabelledTrace> result(*rc::gen::inRange<std::size_t>(1, 4));
    for (LabelledTrace& sample : result) {
        const auto packets = *rc::gen::inRange(0, 6);
        for (int i = 0; i < packets; ++i) {
            auto bytes = *rc::gen::container<std::vector<std::uint8_t>>(
                *rc::gen::inRange<std::size_t>(34, 120), rc::gen::arbitrary<std::uint8_t>());
            bytes[12] = 8;
            bytes[13] = 0;
            bytes[14] = static_cast<std::uint8_t>(0x40 | *rc::gen::inRange(5, 16));
            bytes[23] = *rc::gen::element<std::uint8_t>(6, 17, 1, 99);
            sample.trace.append(i, bytes);
        }
    }
    return result;
}

RC_GTEST_PROP(BitDistances, AreBoundedOrderedSymmetricAndZeroForThemselves, ()) {
    const BitTable a = pooled_bits(BitCounts(samples())), b = pooled_bits(BitCounts(samples()));
    RC_PRE(!a.empty() && !b.empty());
    const auto there = *column_distances(a, b), back = *column_distances(b, a),
               same = *column_distances(a, a);
    for (std::size_t c = 0; c < kNprintColumns; ++c) {
        for (std::size_t m = 0; m < kBitMeasures; ++m) {
            RC_ASSERT(there[c][m] >= 0 && there[c][m] <= 1);
            RC_ASSERT(std::abs(there[c][m] - back[c][m]) < 1e-12);
            RC_ASSERT(same[c][m] == 0);
        }
        // In bits, JSD <= TVD (Lin 1991).
        RC_ASSERT(there[c][0] <= there[c][1] + 1e-12);
    }
    for (const ColumnGroup& group : column_groups(a)) {
        const BitDistances mean = mean_distances(there, group);
        for (const double distance : mean) RC_ASSERT(distance >= 0 && distance <= 1);
        RC_ASSERT(mean[0] <= mean[1] + 1e-12);
    }
}

RC_GTEST_PROP(BitCounts, EveryPacketIsInEveryColumnOnce, ()) {
    const BitCounts counts(samples());
    const BitTable bits = pooled_bits(counts);
    RC_ASSERT(bits.empty() == (counts.rows() == 0));
    for (const BitMasses& masses : bits) {
        RC_ASSERT(masses[0] >= 0 && masses[1] >= 0 && masses[2] >= 0);
        RC_ASSERT(masses[0] + masses[1] + masses[2] == static_cast<double>(counts.rows()));
    }
}

}  // namespace
}  // namespace tracebench
