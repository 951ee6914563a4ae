#include "datasets/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "traffic/capture_writer.h"
#include "traffic/packet_builder.h"

namespace tracebench {
namespace {
namespace fs = std::filesystem;

class SourceTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() /
                  (std::string("tracebench-source-") + testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    /// `flows` UDP flows of `packets` packets each, interleaved, from port 1000 upwards to 192.0.2.1:53.
    void capture(const std::string& name, int flows, int packets) {
        Trace trace;
        for (int i = 0; i < packets; ++i) {
            for (int flow = 0; flow < flows; ++flow) {
                PacketFields fields;
                fields.protocol = ip_protocol::udp;
                fields.src.address = {4, {10, 0, 0, 1}};
                fields.src.port = static_cast<std::uint16_t>(1000 + flow);
                fields.dst.address = {4, {192, 0, 2, 1}};
                fields.dst.port = 53;
                fields.payload_length = 10;
                trace.append(i * 1'000'000LL + flow, build_packet(fields));
            }
        }
        write_trace(folder_ / name, trace);
    }
    SourceOptions options(const std::string& csv, Unit unit) {
        write_file(folder_ / "labels.csv", csv);
        SourceOptions out;
        out.name = "test";
        out.folder = folder_;
        out.labels = folder_ / "labels.csv";
        out.unit = unit;
        return out;
    }
    fs::path folder_;
};

std::string failure(const std::function<void()>& act) {
    try {
        act();
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST_F(SourceTest, OneCaptureIsOneSession) {
    capture("a.pcap", 2, 3);
    capture("b.pcap", 1, 4);
    const Dataset data = load_dataset(options("file,label,note\na.pcap,x,1\nb.pcap,y,2\n", Unit::session));
    ASSERT_EQ(data.samples.size(), 2u);
    EXPECT_THAT(data.labels, testing::ElementsAre("x", "y"));
    EXPECT_EQ(data.packets, 10u);
    EXPECT_EQ(data.flows, 3u);
    const auto traces = load_samples(data, {0, 1});
    EXPECT_EQ(traces[0].trace.size(), 6u);
    EXPECT_EQ(traces[1].trace.size(), 4u);
    EXPECT_EQ(traces[1].label, "y");
}

TEST_F(SourceTest, FlowLabelsPickTheirFlows) {
    capture("a.pcap", 3, 5);
    const Dataset data = load_dataset(
        options("file,flow_id,label\na.pcap,UDP|10.0.0.1|1000|192.0.2.1|53,x\na.pcap,UDP|10.0.0.1|1002|192.0.2.1|53,y\n"
                "a.pcap,UDP|10.0.0.1|4000|192.0.2.1|53,y\n",
                Unit::flow));
    ASSERT_EQ(data.samples.size(), 2u);
    const auto traces = load_samples(data, {0, 1});
    EXPECT_EQ(traces[0].trace.size(), 5u);
    EXPECT_EQ(traces[0].trace.packets[1].frame, 4u);
    EXPECT_THAT(data.warnings, testing::Contains(testing::HasSubstr("1 labelled flows are not in their captures")));
}

TEST_F(SourceTest, AFileLabelHoldsForEveryFlow) {
    capture("a.pcap", 3, 5);
    const Dataset data = load_dataset(options("file,label\na.pcap,x\n", Unit::flow));
    EXPECT_EQ(data.samples.size(), 3u);
}

TEST_F(SourceTest, ShortSamplesAreLeftOutAndCounted) {
    capture("a.pcap", 1, 1);
    capture("b.pcap", 1, 9);
    SourceOptions wanted = options("file,label\na.pcap,x\nb.pcap,x\n", Unit::session);
    wanted.min_packets = 2;
    wanted.max_packets = 4;
    const Dataset data = load_dataset(wanted);
    ASSERT_EQ(data.samples.size(), 1u);
    EXPECT_EQ(load_sample(data.samples[0]).size(), 4u);
    EXPECT_THAT(data.warnings, testing::Contains(testing::HasSubstr("1 samples with fewer than 2 packets")));
}

TEST_F(SourceTest, LimitTakesFromEveryCaptureInTurn) {
    capture("a.pcap", 5, 3);
    capture("b.pcap", 5, 3);
    SourceOptions wanted = options("file,label\na.pcap,x\nb.pcap,x\n", Unit::flow);
    wanted.max_samples = 4;
    const Dataset data = load_dataset(wanted);
    ASSERT_EQ(data.samples.size(), 4u);
    EXPECT_EQ(data.samples[0].session, "a.pcap");
    EXPECT_EQ(data.samples[2].session, "b.pcap");
}

TEST_F(SourceTest, ContentDecidesTheHash) {
    capture("a.pcap", 1, 3);
    const std::string first = load_dataset(options("file,label\na.pcap,x\n", Unit::session)).content_sha256;
    EXPECT_EQ(load_dataset(options("file,label\na.pcap,x\n", Unit::session)).content_sha256, first);
    EXPECT_NE(load_dataset(options("file,label\na.pcap,y\n", Unit::session)).content_sha256, first);
    capture("a.pcap", 1, 4);
    EXPECT_NE(load_dataset(options("file,label\na.pcap,x\n", Unit::session)).content_sha256, first);
}

TEST_F(SourceTest, BadLabelsNameTheirRow) {
    capture("a.pcap", 1, 3);
    const auto load = [&](const std::string& csv, Unit unit = Unit::session) {
        return failure([&] { load_dataset(options(csv, unit)); });
    };
    EXPECT_THAT(load("file,label\nmissing.pcap,x\n"), testing::HasSubstr("missing.pcap"));
    EXPECT_THAT(load("file,label\na.pcap,\n"), testing::HasSubstr("row 2"));
    EXPECT_THAT(load("file,label\na.pcap,x\na.pcap,y\n"), testing::HasSubstr("row 3"));
    EXPECT_THAT(load("file,flow_id,label\na.pcap,UDP|1|1|2|2,x\n"), testing::HasSubstr("unit"));
    EXPECT_THAT(load("name,label\na.pcap,x\n"), testing::HasSubstr("no column 'file'"));
    SourceOptions other = options("file,label\na.pcap,x\n", Unit::session);
    other.classes = {"z"};
    EXPECT_NE(failure([&] { load_dataset(other); }), "");
}

TEST_F(SourceTest, AFolderWithoutLabelsUsesSubfolders) {
    fs::create_directories(folder_ / "video");
    capture("video/1.pcap", 1, 2);
    capture("plain.pcap", 1, 2);
    const Dataset data = load_folder(folder_);
    ASSERT_EQ(data.samples.size(), 2u);
    EXPECT_EQ(data.samples[1].label, "video");
    EXPECT_NE(failure([&] { load_folder(folder_ / "nothing"); }), "");
}

}  // namespace
}  // namespace tracebench
