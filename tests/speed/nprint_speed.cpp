// Capture to nPrint text (to /dev/null), rows and counts of bits, beside a bare libpcap loop over the same file. One
// thread. nPrint itself is compared as a whole process: nprint_peer.sh.

#include <pcap/pcap.h>

#include "speed_input.h"
#include "traffic/capture_reader.h"
#include "traffic/nprint_counter.h"
#include "traffic/nprint_text.h"

namespace {

using namespace tracebench;

constexpr std::size_t packets_in_file = 250'000;

void libpcap_loop(benchmark::State& state) {
    std::int64_t packets = 0;
    for (auto _ : state) {
        char error[PCAP_ERRBUF_SIZE];
        pcap_t* const file = pcap_open_offline(speed::capture(packets_in_file).c_str(), error);
        if (!file) return state.SkipWithError(error);
        pcap_pkthdr* header = nullptr;
        const u_char* data = nullptr;
        while (pcap_next_ex(file, &header, &data) == 1) ++packets;
        pcap_close(file);
    }
    state.SetItemsProcessed(packets);
}

/// `write` puts one packet into the text.
template <typename Write>
void capture_to_text(benchmark::State& state, Write write) {
    std::int64_t packets = 0;
    for (auto _ : state) {
        CaptureReader reader(speed::capture(packets_in_file));
        NprintTextWriter writer("/dev/null");
        PacketView packet;
        while (reader.next(packet)) {
            ++packets;
            write(writer, packet);
        }
        writer.commit();
    }
    state.SetItemsProcessed(packets);
}

void nprint_text(benchmark::State& state) {
    capture_to_text(state, [](NprintTextWriter& writer, const PacketView& packet) { writer.write(packet); });
}

void nprint_text_dissected(benchmark::State& state) {
    capture_to_text(state, [](NprintTextWriter& writer, const PacketView& packet) {
        writer.write(packet, dissect(packet));
    });
}

void nprint_rows(benchmark::State& state) {
    std::int64_t packets = 0;
    NprintRow row;
    for (auto _ : state) {
        CaptureReader reader(speed::capture(packets_in_file));
        PacketView packet;
        while (reader.next(packet)) {
            ++packets;
            nprint_row(packet, dissect(packet), row);
            benchmark::DoNotOptimize(row);
        }
    }
    state.SetItemsProcessed(packets);
}

/// Ones and bits present by column, from rows and bit-sliced.
void counts_of_rows(benchmark::State& state) {
    std::int64_t packets = 0;
    NprintRow row;
    for (auto _ : state) {
        NprintBitCounter::Counts ones{}, present{};
        CaptureReader reader(speed::capture(packets_in_file));
        PacketView packet;
        while (reader.next(packet)) {
            ++packets;
            if (!nprint_row(packet, dissect(packet), row)) continue;
            for (std::size_t c = 0; c < kNprintColumns; ++c) {
                ones[c] += row[c] > 0;
                present[c] += row[c] >= 0;
            }
        }
        benchmark::DoNotOptimize(ones);
        benchmark::DoNotOptimize(present);
    }
    state.SetItemsProcessed(packets);
}

void counts_bit_sliced(benchmark::State& state) {
    std::int64_t packets = 0;
    for (auto _ : state) {
        NprintBitCounter counter;
        CaptureReader reader(speed::capture(packets_in_file));
        PacketView packet;
        while (reader.next(packet)) {
            ++packets;
            counter.add(packet, dissect(packet));
        }
        benchmark::DoNotOptimize(counter.ones());
    }
    state.SetItemsProcessed(packets);
}

BENCHMARK(libpcap_loop)->Unit(benchmark::kMillisecond);
BENCHMARK(nprint_text)->Unit(benchmark::kMillisecond);
BENCHMARK(nprint_text_dissected)->Unit(benchmark::kMillisecond);
BENCHMARK(nprint_rows)->Unit(benchmark::kMillisecond);
BENCHMARK(counts_of_rows)->Unit(benchmark::kMillisecond);
BENCHMARK(counts_bit_sliced)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    speed::capture(packets_in_file);
    speed::Rates rates;
    benchmark::RunSpecifiedBenchmarks(&rates);
    rates.ratio("nprint_text", "libpcap_loop");
    rates.ratio("nprint_text_dissected", "libpcap_loop");
    rates.ratio("counts_bit_sliced", "libpcap_loop");
    rates.ratio("counts_bit_sliced", "counts_of_rows");
    return 0;
}
