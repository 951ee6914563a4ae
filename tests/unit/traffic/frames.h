#pragma once
/// Frames and capture files written out byte by byte, apart from the code under test.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "traffic/packet.h"

namespace tracebench::test {

using Octets = std::vector<std::uint8_t>;

inline Octets operator+(Octets a, const Octets& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// Big-endian.
inline Octets be(std::uint64_t value, int size) {
    Octets out;
    for (int i = size - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return out;
}
inline Octets le(std::uint64_t value, int size) {
    const Octets reversed = be(value, size);
    return {reversed.rbegin(), reversed.rend()};
}

/// "0a0b 0c" -> bytes.
inline Octets hex(const std::string& text) {
    Octets out;
    std::string digits;
    for (const char c : text)
        if (c != ' ' && c != '\n') digits += c;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    return out;
}

inline Octets ethernet(std::uint16_t type, const Octets& payload) {
    return hex("020000000002 020000000001") + be(type, 2) + payload;
}

/// 192.0.2.1 -> 192.0.2.2 unless told; the header checksum is left 0.
inline Octets ipv4(std::uint8_t protocol, const Octets& payload, std::uint16_t fragment = 0,
                   const Octets& options = {}, std::uint32_t src = 0xC0000201,
                   std::uint32_t dst = 0xC0000202) {
    const std::size_t header = 20 + options.size();
    return be(0x40 | header / 4, 1) + hex("00") + be(header + payload.size(), 2) + hex("1234") +
           be(fragment, 2) + hex("40") + be(protocol, 1) + hex("0000") + be(src, 4) + be(dst, 4) + options +
           payload;
}

/// 2001:db8::1 -> 2001:db8::2.
inline Octets ipv6(std::uint8_t next, const Octets& payload) {
    return hex("60000000") + be(payload.size(), 2) + be(next, 1) + hex("40") +
           hex("20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002") + payload;
}

inline Octets udp(std::uint16_t src, std::uint16_t dst, const Octets& payload = {}) {
    return be(src, 2) + be(dst, 2) + be(8 + payload.size(), 2) + hex("0000") + payload;
}

inline Octets tcp(std::uint16_t src, std::uint16_t dst, std::uint32_t seq, std::uint32_t ack,
                  std::uint8_t flags, std::size_t payload = 0, std::uint16_t window = 1000,
                  const Octets& options = {}) {
    return be(src, 2) + be(dst, 2) + be(seq, 4) + be(ack, 4) + be((20 + options.size()) / 4 * 16, 1) +
           be(flags, 1) + be(window, 2) + hex("0000 0000") + options + Octets(payload, 'x');
}

inline PacketView view(const Octets& bytes, std::uint16_t link = link_type::ethernet,
                       std::int64_t time_ns = 0) {
    return {time_ns, static_cast<std::uint32_t>(bytes.size()), link, 1, bytes};
}

/// A file that is gone at the end of the test.
class TemporaryFile {
  public:
    explicit TemporaryFile(const Octets& content) {
        static int counter = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("tracebench-test-" + std::to_string(::getpid()) + "-" + std::to_string(counter++));
        std::ofstream(path_, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()),
                   static_cast<std::streamsize>(content.size()));
    }
    ~TemporaryFile() { std::filesystem::remove(path_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// pcap, little-endian, microseconds.
inline Octets pcap_header(std::uint32_t link = 1, std::uint32_t magic = 0xA1B2C3D4) {
    return le(magic, 4) + le(2, 2) + le(4, 2) + le(0, 8) + le(65535, 4) + le(link, 4);
}
inline Octets pcap_record(const Octets& frame, std::uint32_t seconds = 1, std::uint32_t fraction = 0,
                          std::uint32_t original = 0) {
    return le(seconds, 4) + le(fraction, 4) + le(frame.size(), 4) +
           le(original ? original : frame.size(), 4) + frame;
}

}  // namespace tracebench::test
