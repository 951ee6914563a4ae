// Capture to flows, beside a bare libpcap loop and libtins' full parse of the same file. One thread.

#include <pcap/pcap.h>
#include <tins/tins.h>

#include "speed_input.h"
#include "traffic/capture_reader.h"
#include "traffic/flow_table.h"

namespace {

using namespace tracebench;

void finish(benchmark::State& state, std::uint64_t packets) {
    state.SetItemsProcessed(static_cast<std::int64_t>(packets));
}

void libpcap_loop(benchmark::State& state) {
    std::uint64_t packets = 0, bytes = 0;
    for (auto _ : state) {
        char error[PCAP_ERRBUF_SIZE];
        pcap_t* const file = pcap_open_offline(speed::capture().c_str(), error);
        if (!file) return state.SkipWithError(error);
        pcap_pkthdr* header = nullptr;
        const u_char* data = nullptr;
        while (pcap_next_ex(file, &header, &data) == 1) {
            ++packets;
            bytes += header->len;
        }
        pcap_close(file);
    }
    benchmark::DoNotOptimize(bytes);
    finish(state, packets);
}

void libtins_parse(benchmark::State& state) {
    std::uint64_t packets = 0, bytes = 0;
    for (auto _ : state) {
        Tins::FileSniffer sniffer(speed::capture().string());
        sniffer.sniff_loop([&](const Tins::PDU& packet) {
            ++packets;
            bytes += packet.header_size();
            return true;
        });
    }
    benchmark::DoNotOptimize(bytes);
    finish(state, packets);
}

void read_only(benchmark::State& state) {
    std::uint64_t packets = 0, bytes = 0;
    for (auto _ : state) {
        CaptureReader reader(speed::capture());
        PacketView packet;
        while (reader.next(packet)) {
            ++packets;
            bytes += packet.original_length;
        }
    }
    benchmark::DoNotOptimize(bytes);
    finish(state, packets);
}

void capture_to_headers(benchmark::State& state) {
    std::uint64_t packets = 0, with_ip = 0;
    for (auto _ : state) {
        CaptureReader reader(speed::capture());
        PacketView packet;
        while (reader.next(packet)) {
            ++packets;
            with_ip += dissect(packet).has_ip();
        }
    }
    benchmark::DoNotOptimize(with_ip);
    finish(state, packets);
}

void capture_to_flows(benchmark::State& state) {
    std::uint64_t packets = 0, flows = 0;
    for (auto _ : state) {
        CaptureReader reader(speed::capture());
        FlowTable table({}, [&](const Flow&) { ++flows; });
        PacketView packet;
        while (reader.next(packet)) {
            ++packets;
            table.add(packet, dissect(packet));
        }
        table.finish();
    }
    state.counters["flows"] =
        benchmark::Counter(static_cast<double>(flows), benchmark::Counter::kAvgIterations);
    finish(state, packets);
}

BENCHMARK(libpcap_loop)->Unit(benchmark::kMillisecond);
BENCHMARK(libtins_parse)->Unit(benchmark::kMillisecond);
BENCHMARK(read_only)->Unit(benchmark::kMillisecond);
BENCHMARK(capture_to_headers)->Unit(benchmark::kMillisecond);
BENCHMARK(capture_to_flows)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    speed::capture();
    speed::Rates rates;
    benchmark::RunSpecifiedBenchmarks(&rates);
    rates.ratio("capture_to_flows", "libpcap_loop");
    rates.ratio("capture_to_flows", "libtins_parse");
    rates.ratio("capture_to_headers", "libpcap_loop");
    return 0;
}
