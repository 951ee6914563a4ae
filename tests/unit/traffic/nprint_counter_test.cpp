#include "traffic/nprint_counter.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/random.h"
#include "traffic/capture_reader.h"

namespace tracebench {
namespace {

/// The same, a row at a time.
struct RowCounts {
    std::uint64_t rows = 0;
    NprintBitCounter::Counts ones{}, present{};

    bool add(const PacketView& packet) {
        NprintRow row;
        if (!nprint_row(packet, dissect(packet), row)) return false;
        ++rows;
        for (std::size_t c = 0; c < kNprintColumns; ++c) {
            ones[c] += row[c] > 0;
            present[c] += row[c] >= 0;
        }
        return true;
    }
};

void compare(NprintBitCounter& counter, const RowCounts& rows) {
    EXPECT_EQ(counter.rows(), rows.rows);
    EXPECT_EQ(counter.ones(), rows.ones);
    EXPECT_EQ(counter.present(), rows.present);
}

TEST(NprintBitCounter, NothingIsCountedOfNothing) {
    NprintBitCounter counter;
    compare(counter, {});
}

// Every kind of header, IPv6, fragments and cut packets.
TEST(NprintBitCounter, CountsWhatRowsSay) {
    const Trace trace =
        read_trace(std::filesystem::path(TRACEBENCH_SOURCE_DIR) / "tests/golden/nprint/capture.pcap");
    ASSERT_GT(trace.size(), 8U);
    NprintBitCounter counter;
    RowCounts rows;
    for (const PacketView& packet : trace.packets)
        EXPECT_EQ(counter.add(packet, dissect(packet)), rows.add(packet)) << "frame " << packet.frame;
    compare(counter, rows);
}

// Many times what the planes hold; asked in between too.
TEST(NprintBitCounter, RandomHeadersOfAnyLength) {
    Random random(1);
    NprintBitCounter counter;
    RowCounts rows;
    for (int i = 0; i < 3000; ++i) {
        std::vector<std::uint8_t> bytes(34 + random.below(120));
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
        bytes[12] = 8;
        bytes[13] = 0;
        bytes[14] = static_cast<std::uint8_t>(0x40 | (5 + random.below(11)));
        constexpr std::uint8_t protocols[] = {6, 17, 1, 99};
        bytes[23] = protocols[random.below(4)];
        const PacketView packet{i, static_cast<std::uint32_t>(bytes.size()), link_type::ethernet, 0, bytes};
        EXPECT_EQ(counter.add(packet, dissect(packet)), rows.add(packet));
        if (i % 700 == 0) compare(counter, rows);
    }
    EXPECT_GT(rows.rows, 1000U);
    compare(counter, rows);
}

}  // namespace
}  // namespace tracebench
