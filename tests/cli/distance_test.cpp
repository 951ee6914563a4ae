// tracebench distance and compliance on one capture: however many threads, whatever the order of packets.

#include <algorithm>
#include <cstring>

#include "cli.h"

namespace tracebench {
namespace {

using test::tracebench;

/// A pcap file of this machine's byte order as its header and its records.
struct Pcap {
    std::string header;
    std::vector<std::string> records;

    explicit Pcap(const std::string& bytes) : header(bytes.substr(0, 24)) {
        for (std::size_t at = 24; at < bytes.size();) {
            std::uint32_t captured = 0;
            std::memcpy(&captured, bytes.data() + at + 8, sizeof captured);
            records.push_back(bytes.substr(at, 16 + captured));
            at += 16 + captured;
        }
    }
    std::string bytes() const {
        std::string all = header;
        for (const std::string& record : records) all += record;
        return all;
    }
};

class DistanceVerb : public test::CliTest {
  protected:
    static std::string first_capture(const std::string& label) {
        std::vector<std::string> captures;
        for (const auto& entry : std::filesystem::directory_iterator(test::lab() / label))
            if (entry.path().extension() == ".pcap") captures.push_back(entry.path());
        return *std::min_element(captures.begin(), captures.end());
    }
};

TEST_F(DistanceVerb, SameBytesWithManyThreads) {
    for (const std::vector<std::string>& verb :
         {std::vector<std::string>{"distance", test::lab() / "web", test::lab() / "video"},
          {"compliance", first_capture("web")}}) {
        auto one = verb, three = verb;
        one.insert(one.end(), {"--json", "--threads", "1"});
        three.insert(three.end(), {"--json", "--threads", "3"});
        const auto alone = tracebench(one), together = tracebench(three);
        ASSERT_TRUE(alone.succeeded()) << alone.errors;
        EXPECT_EQ(alone.output, together.output);
    }
}

TEST_F(DistanceVerb, PacketsOutOfOrderAreSorted) {
    Pcap pcap(read_file(first_capture("web")));
    ASSERT_GT(pcap.records.size(), 20U);
    const std::string sorted = write("sorted.pcap", pcap.bytes());
    std::swap(pcap.records[pcap.records.size() - 1], pcap.records[pcap.records.size() - 12]);
    const std::string swapped = write("swapped.pcap", pcap.bytes());
    const auto expected = tracebench({"distance", sorted, sorted, "--json"});
    const auto result = tracebench({"distance", swapped, swapped, "--json"});
    ASSERT_TRUE(result.succeeded()) << result.errors;
    EXPECT_EQ(result.output, expected.output);
}

}  // namespace
}  // namespace tracebench
