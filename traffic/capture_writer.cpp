#include "traffic/capture_writer.h"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {

/// libpcap's own number (DLT_) for a link type as it stands in files (LINKTYPE_): they differ for a few
/// whose numbers differ between operating systems. See pcap-linktype(7).
int dlt_of(std::uint16_t link) {
    switch (link) {
        case 100:
            return DLT_ATM_RFC1483;
        case link_type::raw_ip:
            return DLT_RAW;
        case 102:
            return DLT_SLIP_BSDOS;
        case 103:
            return DLT_PPP_BSDOS;
        default:
            return link;
    }
}

}  // namespace

struct CaptureWriter::State {
    std::string place;
    std::uint16_t link = 0;
    std::uint32_t snap_length = 0;
    std::optional<PendingFile> pending;  // none: standard output
    std::unique_ptr<pcap_t, decltype(&pcap_close)> handle{nullptr, &pcap_close};
    std::FILE* file = nullptr;  // owned by `dumper` once that is set
    pcap_dumper_t* dumper = nullptr;

    ~State() {
        if (dumper != nullptr)
            pcap_dump_close(dumper);
        else if (file != nullptr)
            std::fclose(file);
    }

    [[noreturn]] void fail(int error) const {
        throw InputError(place, fmt::format("cannot write: {}", std::strerror(error)),
                         error == ENOSPC ? "free some disk space or choose another place" : "");
    }
};

CaptureWriter::CaptureWriter(const std::filesystem::path& path, std::uint16_t link, std::uint32_t snap_length)
    : state_(std::make_unique<State>()) {
    State& state = *state_;
    state.link = link;
    state.snap_length = snap_length;
    if (path == "-") {
        state.place = "standard output";
        const int copy = ::dup(STDOUT_FILENO);
        state.file = copy < 0 ? nullptr : ::fdopen(copy, "wb");
    } else {
        state.place = path.string();
        state.pending.emplace(path);
        state.file = std::fopen(state.pending->temporary().c_str(), "wbe");
    }
    if (state.file == nullptr) state.fail(errno);
    std::setvbuf(state.file, nullptr, _IOFBF, std::size_t{1} << 18);

    state.handle.reset(pcap_open_dead_with_tstamp_precision(dlt_of(link), static_cast<int>(snap_length),
                                                            PCAP_TSTAMP_PRECISION_NANO));
    if (!state.handle) throw std::bad_alloc();
    state.dumper = pcap_dump_fopen(state.handle.get(), state.file);
    if (state.dumper == nullptr)
        throw InputError(state.place,
                         fmt::format("cannot write link type {}: {}", link, pcap_geterr(state.handle.get())));
}

CaptureWriter::~CaptureWriter() = default;

void CaptureWriter::write(const PacketView& packet) {
    State& state = *state_;
    if (packet.link != state.link)
        throw InputError(state.place,
                         fmt::format("packet {} has link type {}, the capture has {}", packet.frame,
                                     packet.link, state.link),
                         "a pcap file holds one link type: write the others to a file of their own");
    constexpr std::int64_t second = 1'000'000'000;
    if (packet.time_ns < 0 || packet.time_ns / second > UINT32_MAX)
        throw InputError(state.place, fmt::format("packet {} is timed outside 1970..2106", packet.frame),
                         "a pcap file holds 32-bit seconds");
    pcap_pkthdr header{};
    header.ts.tv_sec = packet.time_ns / second;
    header.ts.tv_usec = packet.time_ns % second;  // nanoseconds, as the handle's precision says
    const auto captured = static_cast<std::uint32_t>(packet.bytes.size());
    header.caplen = std::min(captured, state.snap_length);
    // Damaged captures claim fewer bytes on the wire than they hold; readers reject that.
    header.len = std::max(packet.original_length, captured);
    pcap_dump(reinterpret_cast<u_char*>(state.dumper), &header, packet.bytes.data());
    if (std::ferror(state.file) != 0) state.fail(errno);
}

void CaptureWriter::commit() {
    State& state = *state_;
    if (pcap_dump_flush(state.dumper) != 0) state.fail(errno);
    if (state.pending) state.pending->commit();
}

void write_trace(const std::filesystem::path& path, const Trace& trace) {
    CaptureWriter writer(path, trace.empty() ? link_type::ethernet : trace.packets.front().link);
    for (const PacketView& packet : trace.packets) writer.write(packet);
    writer.commit();
}

}  // namespace tracebench
