#include "generators/ssm/generation/generate_traces.h"
#include "ssm_fakes.h"

namespace tracebench::ssm {
namespace {

using namespace tracebench::ssm::testing;
using tracebench::testing::content;

struct SsmTraces : ::testing::Test {
    FakeEncoding encoding{{"web", "video"}};
    FakeModel model{fake_config(static_cast<std::int64_t>(encoding.vocabulary_size())), 3};
    Progress progress;

    TracesRequest request(std::size_t count) const {
        TracesRequest traces;
        traces.label = "web";
        traces.count = count;
        traces.limits.tokens = 400;
        return traces;
    }
    std::vector<Trace> make(const TracesRequest& traces, SamplingStatistics* statistics = nullptr) {
        std::vector<Trace> made;
        const SamplingStatistics counted = generate_traces(
            model, encoding, traces, progress, [&](Trace trace) { made.push_back(std::move(trace)); });
        if (statistics != nullptr) *statistics = counted;
        return made;
    }
};

TEST_F(SsmTraces, DoNotDependOnHowManyAreMadeAtOnce) {
    TracesRequest one = request(23);
    one.parallel = 1;
    const std::string alone = content(make(one));
    for (const std::size_t parallel : {2U, 7U, 23U, 100U}) {
        TracesRequest many = request(23);
        many.parallel = parallel;
        EXPECT_EQ(content(make(many)), alone) << parallel;
    }
    EXPECT_EQ(content(make(request(5))), alone.substr(0, content(make(request(5))).size()));  // in order
    TracesRequest other = request(23);
    other.seed = 2;
    EXPECT_NE(content(make(other)), alone);
}

TEST_F(SsmTraces, AreNeverEmptyAndEndAtTheirLimits) {
    TracesRequest by_packets = request(20);
    by_packets.limits.packets = 3;
    for (const Trace& trace : make(by_packets)) {
        EXPECT_GE(trace.size(), 1U);
        EXPECT_LE(trace.size(), 3U);
    }
    TracesRequest by_tokens = request(20);
    by_tokens.limits = {.packets = 0, .tokens = 9, .seconds = 0, .continuous = true};
    for (const Trace& trace : make(by_tokens)) EXPECT_EQ(trace.size(), 4U);  // two tokens each, one is over
    TracesRequest by_time = request(20);
    by_time.limits.seconds = 0.004;
    by_time.limits.continuous = true;
    bool some = false;
    for (const Trace& trace : make(by_time)) {
        EXPECT_LE(trace.duration_s(), 0.004);
        some = some || trace.size() > 1;
    }
    EXPECT_TRUE(some);
}

/// With payload 6 to be had only where the model itself chose it.
struct LastResort : FakeEncoding {
    using FakeEncoding::FakeEncoding;
    bool is_last_resort(Token token) const override { return token == payload0 + 6; }
};

TEST_F(SsmTraces, RefusedChoicesAreNotReplacedByALastResort) {
    const auto sixes = [&](const Encoding& with) {
        double packets = 0, count = 0;
        generate_traces(model, with, request(400), progress, [&](const Trace& trace) {
            for (const PacketView& packet : trace.packets) count += packet.original_length == 66 ? 1 : 0;
            packets += static_cast<double>(trace.size());
        });
        EXPECT_GT(packets, 1500);
        return count / packets;
    };
    const double with_substitutes = sixes(encoding), own = sixes(LastResort({"web", "video"}));
    // An untrained model mostly asks for what is out of place, so most payloads are substitutes: an eighth of
    // them 6, or none. What the model chose itself stays.
    EXPECT_GT(own, 0.01);
    EXPECT_LT(own, with_substitutes * 0.8);
}

TEST_F(SsmTraces, KeepToTheConstraintsAndCountWhatTheModelWanted) {
    const auto sevens = [](const std::vector<Trace>& traces) {
        std::size_t count = 0;
        for (const Trace& trace : traces)
            for (const PacketView& packet : trace.packets) count += packet.bytes.size() == 67 ? 1 : 0;
        return count;
    };
    SamplingStatistics statistics;
    TracesRequest traces = request(40);
    EXPECT_EQ(sevens(make(traces, &statistics)), 0U);
    // An untrained model knows no grammar: much of what it draws first is out of place.
    EXPECT_GT(statistics.illegal_first_choices, statistics.tokens / 10);
    EXPECT_LT(statistics.illegal_first_choices, statistics.tokens);
    std::size_t packets = 0;
    for (const Trace& trace : make(traces)) packets += trace.size();
    EXPECT_EQ(statistics.packets, packets);
    traces.constrained = false;
    EXPECT_GT(sevens(make(traces)), 0U);
}

TEST_F(SsmTraces, StreamedComeInOnePieceOfAnyLength) {
    TracesRequest traces = request(1);
    traces.limits = {.packets = 5000, .tokens = 0, .seconds = 0, .continuous = true};
    std::uint64_t packets = 0;
    std::int64_t last_ns = 0;
    const SamplingStatistics statistics =
        stream_trace(model, encoding, traces, progress, [&](const PacketView& packet) {
            ++packets;
            EXPECT_EQ(packet.frame, packets);
            EXPECT_GE(packet.time_ns, last_ns);
            last_ns = packet.time_ns;
        });
    EXPECT_EQ(packets, 5000U);
    EXPECT_EQ(statistics.packets, 5000U);
    EXPECT_EQ(statistics.tokens, 10'000U);
}

TEST_F(SsmTraces, EndWhereTheirTimeIsUp) {
    TracesRequest traces = request(1000);
    traces.parallel = 4;
    traces.limits = {.packets = 0, .tokens = 0, .seconds = 0, .continuous = true};
    traces.budget_s = 0.01;
    EXPECT_EQ(make(traces).size(), 4U);
}

}  // namespace
}  // namespace tracebench::ssm
