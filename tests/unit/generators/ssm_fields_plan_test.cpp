// How many flows and packets a session has: said ahead, and kept.

#include <gmock/gmock.h>

#include <set>

#include "generators/ssm/encoding/fields/extent.h"
#include "generators/ssm/encoding/fields/gap.h"
#include "ssm_fields_support.h"
#include "traffic/flow_table.h"

namespace tracebench::ssm {
namespace {

using namespace fields_testing;
using ::testing::ElementsAre;

TEST(Extent, Boundaries) {
    using Range = std::pair<std::uint64_t, std::uint64_t>;
    EXPECT_EQ(extent_bucket(0), 0);
    EXPECT_EQ(extent_bucket(1), 1);
    EXPECT_EQ(extent_bucket(16), 16);
    EXPECT_EQ(extent_bucket(17), 17);
    EXPECT_EQ(extent_bucket(19), 17);
    EXPECT_EQ(extent_bucket(20), 18);
    EXPECT_EQ(extent_bucket(31), 20);
    EXPECT_EQ(extent_bucket(32), 21);
    EXPECT_EQ(extent_bucket(39), 21);
    EXPECT_EQ(extent_bucket(40), 22);
    EXPECT_EQ(extent_bucket(1000), 17 + 4 * 5 + 3);  // 512 to 1023 in fourths: from 896
    EXPECT_EQ(extent_range(17 + 4 * 5 + 3), (Range{896, 128}));
    EXPECT_EQ(extent_range(0), (Range{0, 1}));
    EXPECT_EQ(extent_range(16), (Range{16, 1}));
    EXPECT_EQ(extent_range(17), (Range{16, 4}));
    EXPECT_EQ(extent_range(18), (Range{20, 4}));
    EXPECT_EQ(largest_extent, 16'777'215U);  // 2^24 - 1
    EXPECT_EQ(extent_bucket(largest_extent), extent_buckets - 1);
    EXPECT_EQ(extent_bucket(largest_extent + 1), extent_buckets - 1);
    EXPECT_EQ(extent_bucket(std::numeric_limits<std::uint64_t>::max()), extent_buckets - 1);
}

TEST(Extent, BucketsJoinWithoutGapsOrOverlaps) {
    std::uint64_t next = 0;
    for (int bucket = 0; bucket < extent_buckets; ++bucket) {
        const auto [first, width] = extent_range(bucket);
        EXPECT_EQ(first, bucket == exact_extents ? next - 1 : next);  // 16 is exact as well
        const std::uint64_t lowest = next;
        next = first + width;
        EXPECT_EQ(extent_bucket(lowest), bucket);
        EXPECT_EQ(extent_bucket(next - 1), bucket);
        if (bucket >= exact_extents) {
            EXPECT_LE(4 * width, first);  // at most a fourth
        }
    }
    EXPECT_EQ(next, largest_extent + 1);
}

TEST(Extent, FreshNumbersLieInTheirBucket) {
    const auto identities = fresh_identities(7);
    for (int bucket = 0; bucket < extent_buckets; ++bucket) {
        const auto [first, width] = extent_range(bucket);
        for (int draw = 0; draw < 20; ++draw) {
            const std::uint64_t number = identities->extent(bucket);
            EXPECT_GE(number, first);
            EXPECT_LT(number, first + width);
        }
    }
}

TEST(Extent, WhatIsLeftByPowersOfTwo) {
    EXPECT_EQ(left_octave(1), 0);
    EXPECT_EQ(left_octave(2), 1);
    EXPECT_EQ(left_octave(3), 1);
    EXPECT_EQ(left_octave(4), 2);
    EXPECT_EQ(left_octave(1023), 9);
    EXPECT_EQ(left_octave(1024), 10);
    EXPECT_EQ(left_octave(largest_extent), 23);
    EXPECT_EQ(left_octave(std::numeric_limits<std::uint64_t>::max()), left_octaves - 1);
}

/// A millisecond apart, one packet each of the named flows: client ports 50000 ('A'), 50001 ('B') and so on.
/// Flow 'A' is answered every other packet.
Trace talk(const std::string& flows) {
    Trace trace;
    bool answer = true;
    for (const char flow : flows) {
        PacketFields fields;
        fields.protocol = ip_protocol::udp;
        fields.src = {{4, {10, 0, 0, 1}}, static_cast<std::uint16_t>(50000 + flow - 'A')};
        fields.dst = {{4, {198, 51, 100, 9}}, 53};
        fields.payload_length = 20;
        if (flow == 'A' && (answer = !answer)) std::swap(fields.src, fields.dst);
        const auto frame = build_packet(fields);
        trace.append(static_cast<std::int64_t>(trace.size()) * 1'000'000, frame,
                     static_cast<std::uint32_t>(frame.size()));
    }
    return trace;
}

/// The plan's part of each packet's tokens, a string a packet: "flows extent" where it begins a flow, else
/// "left" or nothing. What comes before the first packet is the first element.
std::vector<std::string> plan_of(const std::string& flows) {
    const FieldsEncoding encoding({"any"});
    const Trace trace = talk(flows);
    EncodeReport report;
    const FieldsTranscript transcript = encoding.transcribe("any", trace, report);
    EXPECT_EQ(report.packets, flows.size());
    EXPECT_EQ(replayed(encoding, transcript).size(), flows.size());
    std::vector<std::string> plan;
    for (const Token token : transcript.tokens) {
        const Item item = encoding.vocabulary().head(token).item;
        if (item == Item::label || item == Item::flow) plan.emplace_back();
        if (item == Item::flows || item == Item::extent || item == Item::left)
            plan.back() += encoding.vocabulary().name(token);
    }
    return plan;
}

// Left before its packets: 5 4 3 2 1, in octaves 2 2 1 1 0, times four endings. Told where the octave falls.
TEST(FieldsPlan, WhatIsLeftIsToldAsItHalves) {
    EXPECT_THAT(plan_of("A"), ElementsAre("flows:1", "extent:1"));
    EXPECT_THAT(plan_of("AAAAA"), ElementsAre("flows:1", "extent:5", "", "left:4", "", "left:0"));
    EXPECT_THAT(plan_of("AAAAAAAAA"),
                ElementsAre("flows:1", "extent:9", "", "left:8", "", "", "", "left:4", "", "left:0"));
}

// And in any case where another flow had a packet in between.
TEST(FieldsPlan, WhatIsLeftIsToldOnReturn) {
    EXPECT_THAT(plan_of("AABABAA"),
                ElementsAre("flows:2", "extent:5", "", "extent:2", "left:4", "left:0", "left:4", "left:0"));
    EXPECT_THAT(plan_of("ABABCA"),
                ElementsAre("flows:3", "extent:3", "extent:2", "left:4", "left:0", "extent:1", "left:0"));
}

/// Packets of each flow in the order in which they begin, by the reader of captures; which of them were
/// closed, in `closed`.
std::vector<std::uint64_t> packets_by_flow(const Trace& trace, std::set<std::uint64_t>* closed = nullptr) {
    std::vector<std::uint64_t> packets;
    FlowTable table({}, [&](const Flow& flow) {
        if (closed != nullptr && flow.closed) closed->insert(flow.number);
    });
    for (const PacketView& packet : trace.packets) {
        const auto placed = table.add(packet, dissect(packet));
        if (!placed) continue;
        packets.resize(std::max<std::size_t>(packets.size(), placed->flow + 1));
        ++packets[placed->flow];
    }
    table.finish();
    return packets;
}

TEST(FieldsPlan, ExtentsAreThoseOfTheCapture) {
    const FieldsEncoding encoding({"any"});
    std::size_t compared = 0, flows = 0, long_flows = 0;
    for (const auto& path : lab_captures()) {
        SCOPED_TRACE(path.filename());
        const Trace trace = read_trace(path.string());
        EncodeReport report;
        const FieldsTranscript transcript = encoding.transcribe("any", trace, report);
        const std::vector<std::uint64_t>& extents = transcript.identities.extents;
        ASSERT_FALSE(extents.empty());
        EXPECT_EQ(extents.front(), extents.size() - 1);
        std::uint64_t packets = 0;
        for (std::size_t i = 1; i < extents.size(); ++i) packets += extents[i];
        EXPECT_EQ(packets, report.packets);
        std::vector<int> told, expected{extent_bucket(extents.front())};
        for (const Token token : transcript.tokens) {
            const ItemHead head = encoding.vocabulary().head(token);
            if (head.item == Item::flows || head.item == Item::extent) told.push_back(head.value);
        }
        for (std::size_t i = 1; i < extents.size(); ++i) expected.push_back(extent_bucket(extents[i]));
        EXPECT_EQ(told, expected);
        if (report.left_out > 0) continue;  // then flows have fewer packets than the capture says
        std::vector<std::uint64_t> counted = packets_by_flow(trace);
        ASSERT_LE(counted.size(), most_flows);
        EXPECT_EQ(std::vector(extents.begin() + 1, extents.end()), counted);
        ++compared;
        flows += counted.size();
        long_flows += static_cast<std::size_t>(
            std::count_if(counted.begin(), counted.end(), [](std::uint64_t n) { return n > 16; }));
    }
    EXPECT_GT(compared, 10U);
    EXPECT_GT(flows, 100U);
    EXPECT_GT(long_flows, 10U);
}

/// What a walk announced on its way to the end.
struct Announced {
    std::vector<std::uint64_t> flows, extents;
};

/// A decoder that lets only small plans and, so that no flow ends by silence, short gaps through.
class SmallPlans : public TraceDecoder {
  public:
    SmallPlans(const FieldsEncoding& encoding, std::uint64_t seed, bool constrained)
        : vocabulary_(encoding.vocabulary()),
          decoder_(encoding.decoder({.label = "any", .seed = seed, .constrained = constrained})) {}

    bool allowed(Token token) override {
        if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_.size()) return false;
        const ItemHead head = vocabulary_.head(token);
        if (head.item == Item::flows && head.value > 9) return false;
        if (head.item == Item::extent && head.value > exact_extents - 1) return false;
        if (head.item == Item::gap && head.value > gap_bucket(10'000'000)) return false;
        return decoder_->allowed(token);
    }
    std::optional<Token> forced() override { return decoder_->forced(); }
    void accept(Token token) override {
        const ItemHead head = vocabulary_.head(token);
        if (head.item == Item::flows) announced.flows.push_back(static_cast<std::uint64_t>(head.value));
        if (head.item == Item::extent) announced.extents.push_back(static_cast<std::uint64_t>(head.value));
        decoder_->accept(token);
    }
    bool ended() const override { return decoder_->ended(); }
    std::optional<DecodedPacket> next_packet() override { return decoder_->next_packet(); }
    std::uint64_t packets() const override { return decoder_->packets(); }
    double seconds() const override { return decoder_->seconds(); }

    Announced announced;

  private:
    const Vocabulary& vocabulary_;
    std::unique_ptr<TraceDecoder> decoder_;
};

std::uint64_t sum(const std::vector<std::uint64_t>& numbers) {
    std::uint64_t total = 0;
    for (const std::uint64_t number : numbers) total += number;
    return total;
}

// The capture that comes out has the flows and packets that were announced, by the reader of captures.
TEST(FieldsPlan, IsKept) {
    const FieldsEncoding encoding({"any"});
    std::uint64_t packets = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        SmallPlans decoder(encoding, seed, true);
        RandomWalk(encoding, decoder, seed).go_to_end(20'000);
        ASSERT_TRUE(decoder.ended());
        ASSERT_EQ(decoder.announced.flows.size(), 1U);
        EXPECT_EQ(decoder.announced.extents.size(), decoder.announced.flows.front());
        const Trace trace = packets_of(decoder);
        std::set<std::uint64_t> closed;
        const std::vector<std::uint64_t> counted = packets_by_flow(trace, &closed);
        ASSERT_EQ(counted.size(), decoder.announced.extents.size());
        for (std::size_t i = 0; i < counted.size(); ++i) {
            // TCP may be done before its packets are used up: nothing is sent then. Or it takes some more.
            if (!closed.contains(i)) {
                EXPECT_GE(counted[i], decoder.announced.extents[i]);
            }
            EXPECT_LE(counted[i], decoder.announced.extents[i] + 16);
        }
        packets += trace.size();
    }
    EXPECT_GT(packets, 1000U);
}

// Without constraints packets may be of any flow for those who read them, but their number is kept.
TEST(FieldsPlan, IsKeptWithoutConstraints) {
    const FieldsEncoding encoding({"any"});
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        SmallPlans decoder(encoding, seed, false);
        RandomWalk(encoding, decoder, seed).go_to_end(20'000);
        ASSERT_TRUE(decoder.ended());
        EXPECT_EQ(decoder.announced.extents.size(), decoder.announced.flows.front());
        EXPECT_EQ(packets_of(decoder).size(), sum(decoder.announced.extents));
    }
}

}  // namespace
}  // namespace tracebench::ssm
