// What holds of flow features and of dynamic time warping, whatever the flow.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "metrics/flow/cic_features.h"
#include "metrics/sequence/dtw.h"

namespace tracebench {
namespace {

std::vector<CicPacket> packets() {
    return *rc::gen::container<std::vector<CicPacket>>(rc::gen::apply(
        [](std::int64_t time, bool reverse, std::uint32_t payload, std::uint8_t flags) {
            return CicPacket{time * 1000,
                             reverse ? Direction::reverse : Direction::forward,
                             payload < 500 ? 0 : payload,
                             20,
                             100,
                             flags};
        },
        rc::gen::inRange<std::int64_t>(0, 30'000'000), rc::gen::arbitrary<bool>(),
        rc::gen::inRange<std::uint32_t>(0, 1500), rc::gen::arbitrary<std::uint8_t>()));
}

std::map<std::string, double> named(const std::vector<CicPacket>& flow) {
    CicFlow features;
    for (const CicPacket& packet : flow) features.add(packet);
    std::map<std::string, double> values;
    const auto row = features.values();
    for (std::size_t f = 0; f < cic_feature_count; ++f) values[cic_features()[f].name] = row[f];
    return values;
}

RC_GTEST_PROP(CicFlow, IsFiniteAndAddsUp, ()) {
    auto flow = packets();
    std::sort(flow.begin(), flow.end(),
              [](const CicPacket& a, const CicPacket& b) { return a.time_ns < b.time_ns; });
    auto v = named(flow);
    double payload = 0;
    for (const CicPacket& packet : flow) payload += packet.payload;
    for (const auto& [name, value] : v) RC_ASSERT(std::isfinite(value) && value >= 0);
    RC_ASSERT(v["Total Fwd Packet"] + v["Total Bwd packets"] == static_cast<double>(flow.size()));
    RC_ASSERT(v["Total Length of Fwd Packet"] + v["Total Length of Bwd Packet"] == payload);
    RC_ASSERT(v["Fwd Header Length"] + v["Bwd Header Length"] == 20.0 * static_cast<double>(flow.size()));
    RC_ASSERT(v["Fwd PSH Flags"] + v["Bwd PSH Flags"] == v["PSH Flag Count"]);
    RC_ASSERT(v["Fwd IAT Total"] <= v["Flow Duration"] + 1e-3);
    RC_ASSERT(v["Active Max"] + v["Idle Max"] <= v["Flow Duration"] + 1e-3);
    RC_ASSERT(v["Idle Min"] == 0 || v["Idle Min"] > 5e6);
    RC_ASSERT(v["Fwd Packet/Bulk Avg"] == 0 || v["Fwd Packet/Bulk Avg"] >= 4);
    RC_ASSERT(v["Flow IAT Min"] <= v["Flow IAT Mean"] + 1e-6);
    RC_ASSERT(v["Flow IAT Mean"] <= v["Flow IAT Max"] + 1e-6);
}

RC_GTEST_PROP(CicFlow, TheOtherDirectionIsTheMirrorImage, ()) {
    const auto flow = packets();
    auto mirrored = flow;
    for (CicPacket& packet : mirrored)
        packet.direction = packet.direction == Direction::forward ? Direction::reverse : Direction::forward;
    auto v = named(flow), m = named(mirrored);
    for (const char* feature :
         {" IAT Std", " Packet Length Max", " PSH Flags", " Bulk Rate Avg", " Header Length"})
        RC_ASSERT(v["Fwd" + std::string(feature)] == m["Bwd" + std::string(feature)]);
    RC_ASSERT(v["Idle Mean"] == m["Idle Mean"]);
}

std::vector<float> series() {
    const auto whole = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-100, 100)));
    std::vector<float> values;
    for (const int value : whole) values.push_back(static_cast<float>(value) / 100.0F);
    return values;
}

RC_GTEST_PROP(Dtw, IsSymmetricAndZeroForItself, ()) {
    const auto a = series(), b = series();
    const auto band = *rc::gen::inRange<std::size_t>(0, 12);
    const double there = dtw_distance(a, b, band);
    RC_ASSERT(std::isfinite(there));
    RC_ASSERT(std::abs(there - dtw_distance(b, a, band)) < 1e-9);
    RC_ASSERT(dtw_distance(a, a, band) == 0);
    float largest = 0;
    for (const float x : a)
        for (const float y : b) largest = std::max(largest, std::abs(x - y));
    RC_ASSERT(there >= 0 && there <= static_cast<double>(largest) + 1e-6);
}

RC_GTEST_PROP(Dtw, AWiderBandFindsNoWorsePath, ()) {
    const auto a = series(), b = series();
    const auto band = *rc::gen::inRange<std::size_t>(0, 12);
    RC_ASSERT(dtw_distance(a, b, band + 1) <= dtw_distance(a, b, band) + 1e-12);
}

}  // namespace
}  // namespace tracebench
