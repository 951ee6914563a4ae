#include "datasets/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "traffic/capture_writer.h"

namespace tracebench {
namespace {
namespace fs = std::filesystem;
using testing::ElementsAre;

class SamplesTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / (std::string("tracebench-samples-") +
                                               testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        for (const std::size_t packets : {3, 1, 2}) {
            const std::string name = std::to_string(data_.samples.size()) + ".pcap";
            Trace trace;
            for (std::size_t i = 0; i < packets; ++i)
                trace.append(static_cast<std::int64_t>(i), std::vector<std::uint8_t>(60, std::uint8_t(i)));
            write_trace(folder_ / name, trace);
            data_.samples.push_back({name, "x", folder_ / name, "", name, 0});
        }
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path folder_;
    Dataset data_;
};

std::vector<std::string> walk(const Samples& samples) {
    std::vector<std::string> seen;
    for (const LabelledTrace& sample : samples)
        seen.push_back(sample.id + " " + std::to_string(sample.trace.size()));
    return seen;
}

TEST_F(SamplesTest, AreTheSameKeptOrReadOnEveryWalk) {
    for (const std::uint64_t most_kept : {0, 5, 6, 100}) {
        const Samples samples(data_, {2, 0, 1}, most_kept);
        EXPECT_EQ(samples.size(), 3u);
        for (int i = 0; i < 2; ++i)
            EXPECT_THAT(walk(samples), ElementsAre("2.pcap 2", "0.pcap 3", "1.pcap 1")) << most_kept;
        EXPECT_THAT(walk(samples.load()), ElementsAre("2.pcap 2", "0.pcap 3", "1.pcap 1"));
    }
}

TEST_F(SamplesTest, OfOneCaptureAreReadTogether) {
    data_.samples.insert(data_.samples.begin() + 1, {"0 again", "y", folder_ / "0.pcap", "", "0.pcap", 2});
    EXPECT_THAT(walk(Samples(data_, {0, 1, 2}, 0)), ElementsAre("0.pcap 3", "0 again 2", "1.pcap 1"));
}

TEST_F(SamplesTest, WhatIsKeptNeedsItsCaptureNoLonger) {
    const Samples kept(data_, {0, 1, 2}), read(data_, {0, 1, 2}, 0);
    fs::remove_all(folder_);
    EXPECT_THAT(walk(kept), ElementsAre("0.pcap 3", "1.pcap 1", "2.pcap 2"));
    EXPECT_THROW(walk(read), InputError);
}

TEST_F(SamplesTest, TracesOutliveTheWalk) {
    std::vector<Trace> traces;
    for (const LabelledTrace& sample : Samples(data_, {0, 2}, 0)) traces.push_back(sample.trace);
    EXPECT_EQ(traces[0].packets[2].bytes[59], 2);
    EXPECT_EQ(traces[1].packets[1].bytes[0], 1);
}

TEST(Samples, OfNothingAreNone) {
    EXPECT_TRUE(Samples().empty());
    EXPECT_TRUE(walk(Samples()).empty());
    EXPECT_TRUE(walk(Samples(std::vector<LabelledTrace>())).empty());
    EXPECT_TRUE(walk(Samples(Dataset(), {})).empty());
}

}  // namespace
}  // namespace tracebench
