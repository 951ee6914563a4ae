#pragma once
/// What the speed measurements read, and how they print ratios.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "traffic/bytes.h"
#include "traffic/capture_reader.h"
#include "traffic/capture_writer.h"
#include "traffic/headers.h"
#include "traffic/packet_builder.h"
#include "traffic/trace.h"

namespace tracebench::speed {

constexpr std::int64_t start_ns = 1'700'000'000'000'000'000, second_ns = 1'000'000'000;

/// Ethernet packets of a file or of every capture below a folder, one capture after the other.
inline void load(const std::filesystem::path& path, Trace& trace) {
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(path)) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
            if (entry.path().extension() == ".pcap" || entry.path().extension() == ".pcapng")
                files.push_back(entry.path());
        std::sort(files.begin(), files.end());
    } else {
        files.push_back(path);
    }
    std::int64_t clock = start_ns;
    for (const auto& file : files) {
        const Trace one = read_trace(file);
        std::int64_t before = one.empty() ? 0 : one.packets.front().time_ns;
        for (const PacketView& packet : one.packets) {
            if (packet.link != link_type::ethernet) continue;
            clock += std::min(packet.time_ns - before, 100 * second_ns);  // some captures lack times at first
            before = packet.time_ns;
            trace.append(clock, packet.bytes, packet.original_length, packet.link);
        }
        clock += second_ns;
    }
}

/// 100 TCP connections of 100 packets with 600 bytes each: where there is no capture to read.
inline Trace generated() {
    Trace trace;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        PacketFields fields;
        fields.src.address = {4, {10, 0, 0, static_cast<std::uint8_t>(1 + i % 100)}};
        fields.dst.address = {4, {192, 0, 2, 1}};
        fields.src.port = static_cast<std::uint16_t>(40'000 + i % 100);
        fields.dst.port = 443;
        if (i / 100 % 2) std::swap(fields.src, fields.dst);
        fields.tcp_flags = i < 100 ? tcp_flag::syn : tcp_flag::ack;
        fields.sequence = 1000 + i / 100 * 600;
        fields.payload_length = i < 100 ? 0 : 600;
        trace.append(start_ns + i * 100'000LL, build_packet(fields));
    }
    return trace;
}

/// A pcap of `packets` packets: the capture (or folder of captures) named by TRACEBENCH_SPEED_CAPTURE, else
/// the project's own lab captures, repeated. Every repetition comes later and between other IPv4 addresses,
/// so that flows do not run into each other. Made once a process, removed at its end.
inline const std::filesystem::path& capture(std::size_t packets = 1'000'000) {
    struct Made {
        std::filesystem::path path;
        ~Made() { std::filesystem::remove(path); }
    };
    static Made made;
    if (!made.path.empty()) return made.path;

    Trace source;
    const char* const named = std::getenv("TRACEBENCH_SPEED_CAPTURE");
    const std::filesystem::path lab = std::filesystem::path(TRACEBENCH_SOURCE_DIR) / "datasets" / "lab";
    if (named) {
        load(named, source);
    } else {
        load(lab, source);
    }
    if (source.empty()) source = generated();

    made.path = std::filesystem::temp_directory_path() / fmt::format("tracebench-speed-{}.pcap", ::getpid());
    CaptureWriter writer(made.path);
    const std::int64_t round_ns = source.packets.back().time_ns - start_ns + second_ns;
    for (std::size_t i = 0; i < packets; ++i) {
        const std::uint32_t round = static_cast<std::uint32_t>(i / source.size());
        PacketView packet = source.packets[i % source.size()];
        packet.time_ns += round * round_ns;
        std::vector<std::uint8_t> bytes(packet.bytes.begin(), packet.bytes.end());
        const Headers h = dissect(packet);
        if (h.ip_version == 4)
            for (const std::uint32_t at : {12U, 16U}) {
                std::uint8_t* const address = bytes.data() + h.ip_offset + at;
                store32(address, load32(address) + (round << 8));
            }
        packet.bytes = bytes;
        writer.write(packet);
    }
    writer.commit();
    fmt::print("input: {} packets of {}, {} a round, {:.0f} MB\n", packets,
               named ? named : "the lab captures (or generated ones where there are none)", source.size(),
               static_cast<double>(std::filesystem::file_size(made.path)) / 1e6);
    return made.path;
}

/// Keeps the best rate of every measurement, for the ratios printed at the end.
class Rates : public benchmark::ConsoleReporter {
  public:
    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const Run& run : runs) {
            const auto counter = run.counters.find("items_per_second");
            if (counter == run.counters.end() || run.run_type != Run::RT_Iteration) continue;
            double& best = best_[run.run_name.function_name];
            best = std::max(best, counter->second.value);
        }
    }
    /// "a is 1.23 times b", or nothing where one did not run.
    void ratio(const std::string& a, const std::string& b) const {
        if (!best_.count(a) || !best_.count(b)) return;
        fmt::print("{} is {:.2f} times {}\n", a, best_.at(a) / best_.at(b), b);
    }

  private:
    std::map<std::string, double> best_;
};

}  // namespace tracebench::speed
