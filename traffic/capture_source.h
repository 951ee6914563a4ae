#pragma once
/// What CaptureReader is made of: the mapped file, and one parser a file format. Not for use outside it.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "traffic/capture_reader.h"

namespace tracebench::capture {

using Bytes = std::span<const std::uint8_t>;

/// A file mapped for one sequential pass. A pipe is first copied to an unlinked temporary file, so that
/// memory stays bounded and views stay valid either way.
class Mapping {
  public:
    explicit Mapping(const std::filesystem::path& path);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    Bytes bytes() const { return {data_, size_}; }
    /// Tells the kernel that bytes well before `offset` will hardly be read again: they stay valid, but need
    /// not stay in memory. Keeps the resident size of a pass over a huge capture small. Returns the offset at
    /// which it is worth calling again.
    std::uint64_t release_before(std::uint64_t offset);

  private:
    const std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    std::uint64_t released_ = 0;
};

/// Longest frame believed. libpcap and Wireshark refuse longer ones as damage too (D-Bus and USB captures
/// excepted, which carry no IP).
inline constexpr std::uint32_t max_frame_bytes = 262144;

/// Asks for the next record's headers while the caller is busy with the packet before: each would be a cache
/// miss. Addresses past the end are harmless.
inline void prefetch(Bytes file, std::uint64_t position) {
    for (const std::uint64_t line : {0, 64}) __builtin_prefetch(file.data() + position + line);
}

/// Reads the records of one format, in file order.
class Format {
  public:
    virtual ~Format() = default;
    /// The next packet (all but `frame`); false at the end or once damage is set.
    virtual bool next(PacketView& packet) = 0;

    std::uint64_t position = 0;  ///< where the next record begins
    std::optional<CaptureDamage> damage;

  protected:
    bool broken(std::uint64_t offset, std::string what) {
        damage = CaptureDamage{offset, std::move(what)};
        return false;
    }
};

/// Null where the bytes do not begin as that format does. Throws InputError where they do but the file
/// header is cut or of a version nobody wrote; `name` is for the message.
std::unique_ptr<Format> open_pcap(Bytes file, const std::string& name);
std::unique_ptr<Format> open_pcapng(Bytes file, const std::string& name);

/// Loads in the byte order of the file.
struct Order {
    bool swapped = false;  ///< differs from this machine's

    std::uint16_t u16(const std::uint8_t* p) const {
        std::uint16_t value;
        __builtin_memcpy(&value, p, sizeof value);
        return swapped ? __builtin_bswap16(value) : value;
    }
    std::uint32_t u32(const std::uint8_t* p) const {
        std::uint32_t value;
        __builtin_memcpy(&value, p, sizeof value);
        return swapped ? __builtin_bswap32(value) : value;
    }
    std::uint64_t u64(const std::uint8_t* p) const {
        std::uint64_t value;
        __builtin_memcpy(&value, p, sizeof value);
        return swapped ? __builtin_bswap64(value) : value;
    }
};

}  // namespace tracebench::capture
