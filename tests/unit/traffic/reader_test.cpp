#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "frames.h"
#include "traffic/capture_reader.h"

namespace tracebench {
namespace {

using namespace test;
using ::testing::HasSubstr;

const Octets frame = ethernet(0x0800, ipv4(17, udp(1000, 53)));

struct Read {
    std::vector<PacketView> packets;
    std::optional<CaptureDamage> damage;
    std::shared_ptr<const void> storage;
};

Read read(const Octets& content) {
    const TemporaryFile file(content);
    CaptureReader reader(file.path());
    Read result;
    PacketView packet;
    while (reader.next(packet)) result.packets.push_back(packet);
    EXPECT_FALSE(reader.next(packet)) << "the end must stay the end";
    result.damage = reader.damage();
    result.storage = reader.storage();
    return result;
}

Octets bytes_of(const PacketView& packet) {
    return {packet.bytes.begin(), packet.bytes.end()};
}

TEST(Pcap, ReadsMicrosecondsLinkAndLengths) {
    const Read got = read(pcap_header(101) + pcap_record(frame, 7, 123456, 1500) + pcap_record({1, 2}, 8, 1));
    ASSERT_EQ(got.packets.size(), 2u);
    EXPECT_FALSE(got.damage);
    EXPECT_EQ(got.packets[0].time_ns, 7'123'456'000);
    EXPECT_EQ(got.packets[0].original_length, 1500u);
    EXPECT_TRUE(got.packets[0].truncated());
    EXPECT_EQ(got.packets[0].link, 101);
    EXPECT_EQ(got.packets[0].frame, 1u);
    EXPECT_EQ(bytes_of(got.packets[0]), frame);
    EXPECT_EQ(got.packets[1].frame, 2u);
    EXPECT_EQ(bytes_of(got.packets[1]), (Octets{1, 2}));
    EXPECT_FALSE(got.packets[1].truncated());
}

TEST(Pcap, ReadsNanoseconds) {
    const Read got = read(pcap_header(1, 0xA1B23C4D) + pcap_record(frame, 7, 123456789));
    ASSERT_EQ(got.packets.size(), 1u);
    EXPECT_EQ(got.packets[0].time_ns, 7'123'456'789);
}

TEST(Pcap, ReadsTheOtherByteOrder) {
    const Octets header = be(0xA1B2C3D4, 4) + be(2, 2) + be(4, 2) + be(0, 8) + be(65535, 4) + be(1, 4);
    const Read got = read(header + be(7, 4) + be(5, 4) + be(frame.size(), 4) + be(frame.size(), 4) + frame);
    ASSERT_EQ(got.packets.size(), 1u);
    EXPECT_EQ(got.packets[0].time_ns, 7'000'005'000);
    EXPECT_EQ(bytes_of(got.packets[0]), frame);
}

TEST(Pcap, ReadsTheModifiedFormatOfKuznetzov) {
    const Octets record = le(7, 4) + le(5, 4) + le(frame.size(), 4) + le(frame.size(), 4) + le(0, 8) + frame;
    const Read got = read(pcap_header(1, 0xA1B2CD34) + record + record);
    ASSERT_EQ(got.packets.size(), 2u);
    EXPECT_EQ(bytes_of(got.packets[1]), frame);
}

TEST(Pcap, SwapsTheLengthsOfOldVersions) {
    const Octets header = le(0xA1B2C3D4, 4) + le(2, 2) + le(2, 2) + le(0, 8) + le(65535, 4) + le(1, 4);
    const Read got = read(header + le(7, 4) + le(0, 4) + le(1500, 4) + le(frame.size(), 4) + frame);
    ASSERT_EQ(got.packets.size(), 1u);
    EXPECT_EQ(got.packets[0].original_length, 1500u);
    EXPECT_EQ(bytes_of(got.packets[0]), frame);
}

TEST(Pcap, IgnoresTheFrameCheckBitsOfTheLinkField) {
    EXPECT_EQ(read(pcap_header(0x10000001) + pcap_record(frame)).packets.at(0).link, link_type::ethernet);
}

TEST(Pcap, AcceptsZeroPacketsAndZeroBytes) {
    EXPECT_TRUE(read(pcap_header()).packets.empty());
    EXPECT_FALSE(read(pcap_header()).damage);
    EXPECT_TRUE(read(pcap_header() + pcap_record({})).packets.at(0).bytes.empty());
}

TEST(Pcap, CutInARecordHeaderGivesThePacketsBefore) {
    const Octets whole = pcap_header() + pcap_record(frame);
    const Read got = read(whole + le(1, 4));
    EXPECT_EQ(got.packets.size(), 1u);
    ASSERT_TRUE(got.damage);
    EXPECT_EQ(got.damage->offset, whole.size());
    EXPECT_THAT(got.damage->what, HasSubstr("4 are left"));
}

TEST(Pcap, CutInAPacketGivesThePacketsBefore) {
    Octets whole = pcap_header() + pcap_record(frame) + pcap_record(frame);
    whole.pop_back();
    const Read got = read(whole);
    EXPECT_EQ(got.packets.size(), 1u);
    ASSERT_TRUE(got.damage);
    EXPECT_EQ(got.damage->offset, 24 + 16 + frame.size());
}

TEST(Pcap, RefusesAHugeLength) {
    const Octets record = le(1, 4) + le(0, 4) + le(0xFFFFFFF0, 4) + le(60, 4) + Octets(100, 0);
    const Read got = read(pcap_header() + record);
    EXPECT_TRUE(got.packets.empty());
    ASSERT_TRUE(got.damage);
    EXPECT_EQ(got.damage->offset, 24u);
}

std::string error_of(const Octets& content) {
    const TemporaryFile file(content);
    try {
        CaptureReader reader(file.path());
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(CaptureReader, NamesWhatIsNotACapture) {
    EXPECT_THAT(error_of({}), HasSubstr("is empty"));
    EXPECT_THAT(error_of({'h', 'e', 'l', 'l', 'o'}), HasSubstr("not a packet capture"));
    EXPECT_THAT(error_of({0x1F, 0x8B, 8, 0}), HasSubstr("gzip"));
    EXPECT_THAT(error_of(le(0xA1B2C3D4, 4) + le(2, 2)), HasSubstr("byte 6"));
    EXPECT_THAT(error_of(le(0x0A0D0D0A, 4) + le(28, 4)), HasSubstr("byte 8"));
    EXPECT_THROW(CaptureReader("/nonexistent/x.pcap"), InputError);
    EXPECT_THROW(CaptureReader("/"), InputError);
}

TEST(CaptureReader, ReadsAPipe) {
    // A FIFO, like standard input, has no size and cannot be mapped.
    const TemporaryFile name({});
    std::filesystem::remove(name.path());
    ASSERT_EQ(::mkfifo(name.path().c_str(), 0600), 0);
    const Octets content = pcap_header() + pcap_record(frame);
    const pid_t child = ::fork();
    if (child == 0) {
        std::ofstream(name.path(), std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()),
                   static_cast<std::streamsize>(content.size()));
        ::_exit(0);
    }
    CaptureReader reader(name.path());
    PacketView packet;
    ASSERT_TRUE(reader.next(packet));
    EXPECT_EQ(bytes_of(packet), frame);
    EXPECT_FALSE(reader.next(packet));
    ::waitpid(child, nullptr, 0);
}

Octets block(std::uint32_t type, Octets body) {
    while (body.size() % 4) body.push_back(0);
    const Octets length = le(12 + body.size(), 4);
    return le(type, 4) + length + body + length;
}
Octets section() {
    return block(0x0A0D0D0A, le(0x1A2B3C4D, 4) + le(1, 2) + le(0, 2) + le(~0ULL, 8));
}
Octets interface(std::uint16_t link, const Octets& options = {}, std::uint32_t snap = 0) {
    return block(1, le(link, 2) + le(0, 2) + le(snap, 4) + options);
}
Octets option(std::uint16_t code, Octets value) {
    const Octets head = le(code, 2) + le(value.size(), 2);
    while (value.size() % 4) value.push_back(0);
    return head + value;
}
Octets packet_block(std::uint32_t from, std::uint64_t ticks, const Octets& data, std::uint32_t original = 0) {
    return block(6, le(from, 4) + le(ticks >> 32, 4) + le(ticks & 0xFFFFFFFF, 4) + le(data.size(), 4) +
                        le(original ? original : data.size(), 4) + data);
}

TEST(Pcapng, ReadsPacketsOfSeveralInterfaces) {
    const Read got =
        read(section() + interface(1) + interface(101, option(9, {9})) + block(0xBAD, {1, 2, 3}) +
             packet_block(0, 1'500'000, frame, 2000) + packet_block(1, 1'500'000'007, {0x45}));
    ASSERT_EQ(got.packets.size(), 2u);
    EXPECT_FALSE(got.damage);
    EXPECT_EQ(got.packets[0].time_ns, 1'500'000'000);
    EXPECT_EQ(got.packets[0].link, 1);
    EXPECT_EQ(got.packets[0].original_length, 2000u);
    EXPECT_EQ(bytes_of(got.packets[0]), frame);
    EXPECT_EQ(got.packets[1].time_ns, 1'500'000'007);
    EXPECT_EQ(got.packets[1].link, 101);
    EXPECT_EQ(got.packets[1].frame, 2u);
}

TEST(Pcapng, KeepsBinaryAndCoarseClocksAndOffsets) {
    const Octets at = interface(1, option(9, {0x80 | 10})) +                   // 1024 ticks a second
                      interface(1, option(9, {3}) + option(14, le(100, 8))) +  // milliseconds, 100 s later
                      interface(1, option(9, {12})) +                          // picoseconds
                      interface(1, option(9, {0})) +                           // seconds
                      interface(1, option(14, le(static_cast<std::uint64_t>(-5), 8))) +
                      interface(1, option(9, {0x80 | 63}));
    const Read got =
        read(section() + at + packet_block(0, 1024 * 3 + 512, frame) + packet_block(1, 2500, frame) +
             packet_block(2, 1'000'000'007'999, frame) + packet_block(3, 9, frame) +
             packet_block(4, 6'000'000, frame) + packet_block(5, std::uint64_t{3} << 62, frame));
    ASSERT_EQ(got.packets.size(), 6u);
    EXPECT_EQ(got.packets[0].time_ns, 3'500'000'000);
    EXPECT_EQ(got.packets[1].time_ns, 102'500'000'000);
    EXPECT_EQ(got.packets[2].time_ns, 1'000'000'007);
    EXPECT_EQ(got.packets[3].time_ns, 9'000'000'000);
    EXPECT_EQ(got.packets[4].time_ns, 1'000'000'000);
    EXPECT_EQ(got.packets[5].time_ns, 1'500'000'000);
}

TEST(Pcapng, ClampsTimesThatNoClockShows) {
    const Read got = read(section() + interface(1, option(9, {0})) + packet_block(0, ~0ULL, frame));
    EXPECT_EQ(got.packets.at(0).time_ns, INT64_MAX);
}

TEST(Pcapng, ReadsSimpleAndObsoletePackets) {
    const Octets simple = block(3, le(frame.size(), 4) + Octets(frame.begin(), frame.begin() + 20));
    const Octets obsolete = block(
        2, le(0, 2) + le(0, 2) + le(0, 4) + le(9, 4) + le(frame.size(), 4) + le(frame.size(), 4) + frame);
    const Read got = read(section() + interface(1, {}, 20) + simple + obsolete);
    ASSERT_EQ(got.packets.size(), 2u);
    EXPECT_EQ(got.packets[0].bytes.size(), 20u);
    EXPECT_EQ(got.packets[0].original_length, frame.size());
    EXPECT_EQ(got.packets[1].time_ns, 9'000);
    EXPECT_EQ(bytes_of(got.packets[1]), frame);
}

TEST(Pcapng, StartsAgainWithANewSectionInTheOtherByteOrder) {
    const Octets big = be(0x0A0D0D0A, 4) + be(28, 4) + be(0x1A2B3C4D, 4) + be(1, 2) + be(0, 2) +
                       be(~0ULL, 8) + be(28, 4) + be(1, 4) + be(20, 4) + be(228, 2) + be(0, 2) + be(0, 4) +
                       be(20, 4) + be(6, 4) + be(36, 4) + be(0, 4) + be(0, 4) + be(3, 4) + be(1, 4) +
                       be(1, 4) + hex("45000000") + be(36, 4);
    const Read got = read(section() + interface(1) + packet_block(0, 5, frame) + big);
    EXPECT_FALSE(got.damage) << got.damage->what;
    ASSERT_EQ(got.packets.size(), 2u);
    EXPECT_EQ(got.packets[1].link, 228);
    EXPECT_EQ(got.packets[1].time_ns, 3'000);
    // Its interfaces are its own: number 0 of the first section is forgotten.
    EXPECT_TRUE(read(section() + interface(1) + section() + packet_block(0, 5, frame)).damage);
}

TEST(Pcapng, SaysWhereItBreaks) {
    const Octets good = section() + interface(1) + packet_block(0, 5, frame);
    const auto offset_of = [&](const Octets& bad) {
        const Read got = read(good + bad);
        EXPECT_EQ(got.packets.size(), 1u);
        return got.damage ? got.damage->offset : 0;
    };
    EXPECT_EQ(offset_of({1, 2, 3}), good.size());
    EXPECT_EQ(offset_of(packet_block(1, 5, frame)), good.size()) << "interface that is not there";
    EXPECT_EQ(offset_of(le(6, 4) + le(1000, 4) + Octets(20, 0)), good.size()) << "longer than the file";
    EXPECT_EQ(offset_of(le(6, 4) + le(8, 4) + Octets(20, 0)), good.size()) << "shorter than a block";
    EXPECT_EQ(offset_of(le(9, 4) + le(12, 4) + le(16, 4)), good.size()) << "lengths differ";
    const Octets lie = le(0, 4) + le(0, 8) + le(5000, 4) + le(5000, 4) + Octets(8, 0);
    EXPECT_EQ(offset_of(block(6, lie)), good.size()) << "captured length beyond its block";
    EXPECT_EQ(offset_of(block(6, Octets(8, 0))), good.size()) << "packet block too short";
    EXPECT_EQ(offset_of(block(1, Octets(4, 0))), good.size()) << "interface too short";
}

TEST(ReadTrace, SortsByTimeAndKeepsTheBytes) {
    Trace trace;
    std::optional<CaptureDamage> damage;
    {
        const TemporaryFile file(pcap_header() + pcap_record({1}, 2) + pcap_record({2}, 1) + le(0, 4));
        trace = read_trace(file.path(), &damage);
    }
    ASSERT_EQ(trace.size(), 2u);
    EXPECT_EQ(trace.packets[0].frame, 2u);
    EXPECT_EQ(trace.packets[0].bytes[0], 2);
    EXPECT_EQ(trace.packets[1].bytes[0], 1);
    EXPECT_TRUE(damage);
}

}  // namespace
}  // namespace tracebench
