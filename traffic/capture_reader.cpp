#include "traffic/capture_reader.h"

#include <algorithm>

#include "base/error.h"
#include "traffic/capture_source.h"

namespace tracebench {
namespace {

[[noreturn]] void not_a_capture(capture::Bytes file, const std::string& name) {
    const bool gzip = file.size() >= 2 && file[0] == 0x1F && file[1] == 0x8B;
    const bool zstd =
        file.size() >= 4 && file[0] == 0x28 && file[1] == 0xB5 && file[2] == 0x2F && file[3] == 0xFD;
    if (gzip) throw InputError(name, "is compressed (gzip)", "unpack it first: zcat FILE | tracebench ... -");
    if (zstd)
        throw InputError(name, "is compressed (zstd)", "unpack it first: zstdcat FILE | tracebench ... -");
    throw InputError(name, "is not a packet capture", "a pcap or pcapng file was expected");
}

}  // namespace

struct CaptureReader::State {
    std::shared_ptr<capture::Mapping> mapping;
    std::unique_ptr<capture::Format> format;
    std::uint64_t frames = 0;
    std::uint64_t release_at = 0;  ///< position
};

CaptureReader::CaptureReader(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
    const std::string name = path == "-" ? "standard input" : path.string();
    state_->mapping = std::make_shared<capture::Mapping>(path);
    const capture::Bytes file = state_->mapping->bytes();
    state_->format = capture::open_pcap(file, name);
    if (!state_->format) state_->format = capture::open_pcapng(file, name);
    if (!state_->format) not_a_capture(file, name);
}

CaptureReader::~CaptureReader() = default;
CaptureReader::CaptureReader(CaptureReader&&) noexcept = default;
CaptureReader& CaptureReader::operator=(CaptureReader&&) noexcept = default;

bool CaptureReader::next(PacketView& packet) {
    capture::Format& format = *state_->format;
    if (format.damage || !format.next(packet)) return false;
    packet.frame = ++state_->frames;
    if (format.position >= state_->release_at)
        state_->release_at = state_->mapping->release_before(format.position);
    return true;
}

const std::optional<CaptureDamage>& CaptureReader::damage() const {
    return state_->format->damage;
}
std::shared_ptr<const void> CaptureReader::storage() const {
    return state_->mapping;
}
std::uint64_t CaptureReader::file_size() const {
    return state_->mapping->bytes().size();
}
std::uint64_t CaptureReader::position() const {
    return state_->format->position;
}

std::size_t packets_to_expect(const std::filesystem::path& path) {
    constexpr std::uint64_t long_capture = 64 << 20;
    if (path == "-") return 0;
    CaptureReader reader(path);
    if (reader.file_size() < long_capture) return 0;
    std::size_t count = 0;
    for (PacketView packet; reader.next(packet);) ++count;
    return count;
}

Trace read_trace(const std::filesystem::path& path, std::optional<CaptureDamage>* damage) {
    CaptureReader reader(path);
    Trace trace;
    trace.packets.reserve(packets_to_expect(path));
    PacketView packet;
    while (reader.next(packet)) trace.packets.push_back(packet);
    trace.keep(reader.storage());
    trace.sort_by_time();
    if (damage) *damage = reader.damage();
    return trace;
}

}  // namespace tracebench
