// Capture to compliance, beside a bare read of the same file. One thread.

#include "speed_input.h"
#include "traffic/rules/checker.h"
#include "traffic/rules/repair.h"

namespace {

using namespace tracebench;

void read_only(benchmark::State& state) {
    std::int64_t packets = 0;
    std::uint64_t bytes = 0;
    for (auto _ : state) {
        CaptureReader reader(speed::capture());
        PacketView packet;
        for (; reader.next(packet); ++packets) bytes += packet.original_length;
    }
    benchmark::DoNotOptimize(bytes);
    state.SetItemsProcessed(packets);
}

void compliance(benchmark::State& state) {
    std::int64_t packets = 0;
    double score = 0;
    for (auto _ : state) {
        CaptureReader reader(speed::capture());
        ComplianceChecker checker;
        PacketView packet;
        for (; reader.next(packet); ++packets) checker.add(packet);
        score = checker.finish().score();
    }
    state.SetItemsProcessed(packets);
    state.counters["score"] = score;
}

/// Of legal packets: what a generator pays that already makes them.
void repair(benchmark::State& state) {
    Trace trace;
    CaptureReader reader(speed::capture());
    PacketView packet;
    while (trace.size() < 20'000 && reader.next(packet))
        trace.append(packet.time_ns, packet.bytes, packet.original_length, packet.link);
    std::int64_t packets = 0;
    for (auto _ : state) {
        RepairReport report;
        packets += static_cast<std::int64_t>(repair_trace(trace, report).size());
    }
    state.SetItemsProcessed(packets);
}

BENCHMARK(read_only)->Unit(benchmark::kMillisecond);
BENCHMARK(compliance)->Unit(benchmark::kMillisecond);
BENCHMARK(repair)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    speed::capture();
    speed::Rates rates;
    benchmark::RunSpecifiedBenchmarks(&rates);
    rates.ratio("compliance", "read_only");
    return 0;
}
