#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "traffic/capture_reader.h"
#include "traffic/capture_writer.h"

namespace tracebench {
namespace {

namespace fs = std::filesystem;

class CaptureWriterTest : public testing::Test {
  protected:
    void SetUp() override { fs::create_directories(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    const fs::path folder_ =
        fs::path(testing::TempDir()) /
        (testing::UnitTest::GetInstance()->current_test_info()->name() + std::to_string(::getpid()));
    const fs::path file_ = folder_ / "out.pcap";
    const std::vector<std::uint8_t> frame_{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xB5, 42};
};

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text += static_cast<char>(value);
    return text;
}

TEST_F(CaptureWriterTest, WritesTheFormatByteForByte) {
    CaptureWriter writer(file_, link_type::ethernet, 4);
    writer.write({1'000'000'005, 1000, link_type::ethernet, 1, frame_});
    writer.commit();
    // draft-ietf-opsawg-pcap: nanosecond magic, version 2.4, snap length 4, link type 1; then one record.
    const std::string expected =
        bytes({0x4D, 0x3C, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,    0, 4, 0, 0, 0, 1, 0,
               0,    0,    1,    0,    0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 0xE8, 3, 0, 0, 1, 2, 3, 4});
    EXPECT_EQ(read_file(file_), expected);
}

TEST_F(CaptureWriterTest, RawIpKeepsItsFileNumber) {
    CaptureWriter writer(file_, link_type::raw_ip);
    writer.commit();
    EXPECT_EQ(static_cast<unsigned char>(read_file(file_)[20]), 101);  // libpcap calls it 12 inside
}

TEST_F(CaptureWriterTest, TraceComesBack) {
    Trace trace;
    trace.append(1'700'000'000'123'456'789, frame_, 1514);
    trace.append(1'700'000'001'000'000'001, frame_);
    write_trace(file_, trace);
    const Trace read = read_trace(file_);
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read.packets[0].time_ns, 1'700'000'000'123'456'789);
    EXPECT_EQ(read.packets[0].original_length, 1514U);
    EXPECT_EQ(read.packets[1].time_ns, 1'700'000'001'000'000'001);
    EXPECT_EQ(read.packets[1].original_length, frame_.size());
    EXPECT_TRUE(
        std::equal(frame_.begin(), frame_.end(), read.packets[1].bytes.begin(), read.packets[1].bytes.end()));
}

TEST_F(CaptureWriterTest, EmptyTraceIsAnEthernetCaptureWithoutPackets) {
    write_trace(file_, Trace());
    EXPECT_EQ(read_file(file_).size(), 24U);
    EXPECT_TRUE(read_trace(file_).empty());
}

TEST_F(CaptureWriterTest, ClaimsNoFewerBytesThanItHolds) {
    CaptureWriter writer(file_);
    writer.write({0, 3, link_type::ethernet, 1, frame_});
    writer.commit();
    EXPECT_EQ(read_trace(file_).packets[0].original_length, frame_.size());
}

TEST_F(CaptureWriterTest, NothingIsLeftWithoutCommit) {
    { CaptureWriter writer(file_); }
    EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(CaptureWriterTest, RefusesWhatPcapCannotHold) {
    CaptureWriter writer(file_);
    EXPECT_THROW(writer.write({-1, 15, link_type::ethernet, 1, frame_}), InputError);
    EXPECT_THROW(writer.write({INT64_MAX, 15, link_type::ethernet, 1, frame_}), InputError);
    EXPECT_THROW(writer.write({0, 15, link_type::raw_ip, 1, frame_}), InputError);
}

TEST_F(CaptureWriterTest, SaysWhenTheDiskIsFull) {
    if (!fs::exists("/dev/full")) FAIL() << "/dev/full is needed";
    CaptureWriter writer("/dev/full");
    writer.write({0, 15, link_type::ethernet, 1, frame_});
    try {
        writer.commit();
        FAIL() << "wrote to a full disk";
    } catch (const InputError& error) {
        EXPECT_STREQ(
            error.what(),
            "/dev/full: cannot write: No space left on device; free some disk space or choose another place");
    }
    EXPECT_TRUE(fs::is_character_file("/dev/full"));  // not replaced by a file
}

}  // namespace
}  // namespace tracebench
