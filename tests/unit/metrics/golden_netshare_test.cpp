// Against SciPy: tests/golden/netshare/make.py says how the expected values were made.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "metrics/netshare/netshare_metric.h"
#include "metrics/netshare/trace_comparison.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

Endpoint endpoint(const std::string& address, std::uint16_t port) {
    Endpoint result;
    result.address.version = 4;
    result.port = port;
    std::istringstream text(address);
    std::string octet;
    for (std::size_t i = 0; std::getline(text, octet, '.'); ++i)
        result.address.bytes[i] = static_cast<std::uint8_t>(std::stoi(octet));
    return result;
}

std::vector<LabelledTrace> samples_of(const nlohmann::json& packets) {
    std::vector<LabelledTrace> samples;
    for (const auto& packet : packets) {
        const std::size_t session = packet[0];
        if (session == samples.size()) samples.push_back({"s" + std::to_string(session), "a", {}});
        PacketFields fields;
        fields.src = endpoint(packet[2], packet[3]);
        fields.dst = endpoint(packet[4], packet[5]);
        fields.protocol = packet[6];
        fields.tcp_flags = tcp_flag::ack;
        const std::uint32_t length = packet[7];
        fields.payload_length = length - (fields.protocol == ip_protocol::tcp ? 40 : 28);
        samples.back().trace.append(packet[1], build_packet(fields));
    }
    return samples;
}

TEST(GoldenNetshare, AgreesWithSciPy) {
    const auto golden =
        nlohmann::json::parse(read_file(TRACEBENCH_SOURCE_DIR "/tests/golden/netshare/expected.json"));
    const SampleSet real = testing_traces::sample_set("real", samples_of(golden.at("real"))),
                    synthetic = testing_traces::sample_set("synthetic", samples_of(golden.at("synthetic"))),
                    none = testing_traces::sample_set("none", {});
    const MetricResult result = NetshareMetric().evaluate({none, real, synthetic, none, 1, 0});
    ASSERT_EQ(result.values.size(), golden.at("expected").size());
    for (const MetricValue& value : result.values) {
        const double expected = golden.at("expected").at(value.group);
        EXPECT_EQ(value.failed + value.skipped, "") << value.group;
        EXPECT_GT(expected, 0) << value.group;
        EXPECT_NEAR(value.value, expected, 1e-12 * std::max(1.0, expected)) << value.group;
    }
}

}  // namespace
}  // namespace tracebench
