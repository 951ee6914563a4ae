#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "traffic/nprint_parts.h"
#include "traffic/nprint_text.h"

namespace tracebench {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// Rows are put together from pieces made once: nothing is formatted bit by bit.
struct Pieces {
    std::array<std::array<char, 16>, 256> byte;  ///< "0,1,0,..." of each byte value
    std::string absent;                          ///< "-1,-1,..." for the longest header

    Pieces() {
        for (std::size_t value = 0; value < 256; ++value)
            for (std::size_t bit = 0; bit < 8; ++bit) {
                byte[value][2 * bit] = static_cast<char>('0' + (value >> (7 - bit) & 1));
                byte[value][2 * bit + 1] = ',';
            }
        for (std::size_t bit = 0; bit < 8 * kNprintIpv4Bytes; ++bit) absent += "-1,";
    }
};

char* put_header(const Pieces& pieces, Bytes header, std::size_t columns_bytes, char* out) {
    for (const std::uint8_t byte : header) {
        std::memcpy(out, pieces.byte[byte].data(), 16);
        out += 16;
    }
    const std::size_t rest = (columns_bytes - header.size()) * 8 * 3;
    std::memcpy(out, pieces.absent.data(), rest);
    return out + rest;
}

char* put_number(unsigned value, char* out) {
    if (value >= 100) *out++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *out++ = static_cast<char>('0' + value / 10 % 10);
    *out++ = static_cast<char>('0' + value % 10);
    return out;
}

char* put_source(Bytes source, char* out) {
    if (source.size() == 4) {
        for (std::size_t i = 0; i < 4; ++i) {
            out = put_number(source[i], out);
            *out++ = i < 3 ? '.' : ',';
        }
        return out;
    }
    if (source.size() == 16) {
        ::inet_ntop(AF_INET6, source.data(), out, INET6_ADDRSTRLEN);
        out += std::strlen(out);
    } else {
        out = std::copy_n("NULL", 4, out);
    }
    *out++ = ',';
    return out;
}

/// The furthest byte nPrint looks at: cooked and Ethernet header, IPv4 and TCP with 40 bytes of options.
constexpr std::size_t reach = 16 + 14 + kNprintIpv4Bytes + kNprintTcpBytes;

constexpr std::size_t max_row = INET6_ADDRSTRLEN + 1 + 3 * kNprintColumns;
constexpr std::size_t buffer_size = std::size_t{1} << 18;

}  // namespace

struct NprintTextWriter::State {
    std::string place;
    std::optional<PendingFile> pending;  // none: standard output
    int descriptor = STDOUT_FILENO;
    Pieces pieces;
    std::vector<char> buffer = std::vector<char>(buffer_size);
    std::size_t used = 0;
    std::array<std::uint8_t, reach> memory{};  ///< what libpcap's buffer would begin with
    std::uint64_t overread = 0;

    ~State() {
        if (pending && descriptor >= 0) ::close(descriptor);
    }

    [[noreturn]] void fail(int error) const {
        throw InputError(place, fmt::format("cannot write: {}", std::strerror(error)),
                         error == ENOSPC ? "free some disk space or choose another place with -o" : "");
    }

    void flush() {
        const char* data = buffer.data();
        while (used > 0) {
            const ssize_t written = ::write(descriptor, data, used);
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) fail(errno);
            data += written;
            used -= static_cast<std::size_t>(written);
        }
    }

    void header_line() {
        std::string line = "src_ip";
        for (std::size_t column = 0; column < kNprintColumns; ++column)
            line += "," + nprint_column_name(column);
        line += '\n';
        std::memcpy(buffer.data(), line.data(), line.size());
        used = line.size();
    }

    bool row(const NprintParts& parts) {
        if (!parts.has_row) return false;
        if (buffer.size() - used < max_row) flush();
        char* const begin = buffer.data() + used;
        char* out = put_source(parts.source, begin);
        out = put_header(pieces, parts.ipv4, kNprintIpv4Bytes, out);
        out = put_header(pieces, parts.tcp, kNprintTcpBytes, out);
        out = put_header(pieces, parts.udp, kNprintUdpBytes, out);
        out = put_header(pieces, parts.icmp, kNprintIcmpBytes, out);
        out[-1] = '\n';
        used += static_cast<std::size_t>(out - begin);
        return true;
    }
};

NprintTextWriter::NprintTextWriter(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
    State& state = *state_;
    state.place = path == "-" ? "standard output" : path.string();
    if (path != "-") {
        state.pending.emplace(path);
        state.descriptor =
            ::open(state.pending->temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (state.descriptor < 0) state.fail(errno);
    }
    state.header_line();
}

NprintTextWriter::~NprintTextWriter() = default;

bool NprintTextWriter::write(const PacketView& packet) {
    State& state = *state_;
    const Bytes begin = packet.bytes.first(std::min(packet.bytes.size(), reach));
    std::copy(begin.begin(), begin.end(), state.memory.begin());
    PacketView seen = packet;
    seen.bytes = state.memory;
    const NprintParts parts = nprint_parts(seen);
    if (!state.row(parts)) return false;
    const std::uint8_t* const end = state.memory.data() + begin.size();
    const auto past = [&](Bytes part, std::size_t least = 0) {
        return part.data() != nullptr && part.data() + std::max(part.size(), least) > end;
    };
    constexpr std::size_t tcp_length_field = 13;
    if (past(parts.ipv4) || past(parts.tcp, tcp_length_field) || past(parts.udp) || past(parts.icmp))
        ++state.overread;
    return true;
}

std::uint64_t NprintTextWriter::overread() const {
    return state_->overread;
}

bool NprintTextWriter::write(const PacketView& packet, const Headers& headers) {
    return state_->row(nprint_parts(packet, headers));
}

void NprintTextWriter::commit() {
    state_->flush();
    if (state_->pending) state_->pending->commit();
}

}  // namespace tracebench
