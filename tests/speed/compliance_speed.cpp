// Capture to compliance, beside what others do with the same file: libpcap's read loop, and tshark's expert
// information with checksums verified (where it is installed; it also dissects payload). One thread each, but
// for what tshark does by itself.

#include <pcap/pcap.h>

#include <cstdlib>

#include "speed_input.h"
#include "traffic/rules/checker.h"
#include "traffic/rules/repair.h"

namespace {

using namespace tracebench;

constexpr std::size_t packets_written = 200'000;  // tshark needs some 20 us a packet

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

void libpcap_loop(benchmark::State& state) {
    std::int64_t packets = 0;
    std::uint64_t bytes = 0;
    for (auto _ : state) {
        char error[PCAP_ERRBUF_SIZE];
        pcap_t* const file = pcap_open_offline(speed::capture().c_str(), error);
        if (!file) return state.SkipWithError(error);
        pcap_pkthdr* header = nullptr;
        const u_char* data = nullptr;
        for (; pcap_next_ex(file, &header, &data) == 1; ++packets) bytes += header->len;
        pcap_close(file);
    }
    benchmark::DoNotOptimize(bytes);
    state.SetItemsProcessed(packets);
}

void tshark_expert(benchmark::State& state) {
    const std::string command = fmt::format(
        "tshark -n -q -z expert -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o "
        "udp.check_checksum:TRUE -r '{}' > /dev/null 2>&1",
        speed::capture().string());
    for (auto _ : state)
        if (std::system(command.c_str()) != 0) return state.SkipWithError("tshark cannot be run");
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets_written));
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

BENCHMARK(libpcap_loop)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(read_only)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(compliance)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(tshark_expert)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK(repair)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    speed::capture(packets_written);  // made here; later calls give the same file
    speed::Rates rates;
    benchmark::RunSpecifiedBenchmarks(&rates);
    rates.ratio("compliance", "read_only");
    rates.ratio("compliance", "libpcap_loop");
    rates.ratio("compliance", "tshark_expert");
    return 0;
}
