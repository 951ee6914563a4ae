#include "traffic/nprint_capture.h"

#include <algorithm>

#include "traffic/bytes.h"
#include "traffic/capture_writer.h"
#include "traffic/checksum.h"

namespace tracebench {
namespace {

constexpr std::array<std::uint8_t, 4> unknown_source{192, 0, 2, 1},
    unknown_destination{198, 51, 100, 1};  // RFC 5737
constexpr std::uint8_t default_ttl = 64;
constexpr std::size_t ethernet_header = 14;

/// Fields that make the difference between a packet and bytes nothing can read.
struct Missing {
    bool version, header_length, total_length, ttl, protocol, source, destination;

    bool any() const {
        return version || header_length || total_length || ttl || protocol || source || destination;
    }
};

void fill(NprintPacket& packet, const Missing& missing) {
    std::uint8_t* ip = packet.bytes.data();
    if (missing.version) ip[0] = static_cast<std::uint8_t>(0x40 | (ip[0] & 0x0F));
    if (missing.header_length)
        ip[0] = static_cast<std::uint8_t>((ip[0] & 0xF0) | (packet.ipv4_length + 3) / 4);
    if (missing.total_length) {
        store16(ip + 2, static_cast<std::uint16_t>(packet.bytes.size()));
        packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
    }
    if (missing.ttl) ip[8] = default_ttl;
    if (missing.protocol) ip[9] = packet.transport;
    if (missing.source) std::copy(unknown_source.begin(), unknown_source.end(), ip + 12);
    if (missing.destination) std::copy(unknown_destination.begin(), unknown_destination.end(), ip + 16);
    store16(ip + 10, ipv4_header_checksum(std::span(packet.bytes).first(packet.ipv4_length)));
}

std::vector<std::uint8_t> ethernet_frame(const std::vector<std::uint8_t>& ip) {
    std::vector<std::uint8_t> frame(ethernet_header);
    frame[0] = frame[6] = 0x02;  // locally administered
    std::copy_n(ip.begin() + 16, 4, frame.begin() + 2);
    std::copy_n(ip.begin() + 12, 4, frame.begin() + 8);
    store16(&frame[12], 0x0800);
    frame.insert(frame.end(), ip.begin(), ip.end());
    return frame;
}

}  // namespace

struct NprintCaptureWriter::State {
    CaptureWriter writer;
    Missing missing{};
    std::vector<std::string> filled;
    std::int64_t next_ns = 0;
    std::uint64_t frames = 0;
};

NprintCaptureWriter::NprintCaptureWriter(const std::filesystem::path& path, const std::vector<bool>& present)
    : state_(
          new State{.writer = CaptureWriter(path), .missing = {}, .filled = {}, .next_ns = 0, .frames = 0}) {
    const auto lacks = [&](std::string_view name) {
        const NprintField& field = *find_nprint_field(name);
        const auto first = present.begin() + field.first;
        if (std::find(first, first + field.width, true) != first + field.width) return false;
        state_->filled.emplace_back(name);
        return true;
    };
    state_->missing = {lacks("ipv4_ver"),   lacks("ipv4_hl"),  lacks("ipv4_tl"), lacks("ipv4_ttl"),
                       lacks("ipv4_proto"), lacks("ipv4_src"), lacks("ipv4_dst")};
}

NprintCaptureWriter::~NprintCaptureWriter() = default;

bool NprintCaptureWriter::write(const NprintRow& row, std::optional<std::int64_t> time_ns) {
    State& state = *state_;
    std::optional<NprintPacket> packet = nprint_packet(row);
    const std::int64_t time = time_ns.value_or(state.next_ns);
    state.next_ns = time + gap_ns;
    if (!packet) return false;
    if (state.missing.any()) fill(*packet, state.missing);
    const std::vector<std::uint8_t> frame = ethernet_frame(packet->bytes);
    state.writer.write({time, packet->original_length + static_cast<std::uint32_t>(ethernet_header),
                        link_type::ethernet, ++state.frames, frame});
    return true;
}

void NprintCaptureWriter::commit() {
    state_->writer.commit();
}
const std::vector<std::string>& NprintCaptureWriter::filled() const {
    return state_->filled;
}

}  // namespace tracebench
