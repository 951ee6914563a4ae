#pragma once
/// Reads pcap and pcapng (micro- and nanoseconds, either byte order) by memory map, without copies.
///
///     CaptureReader reader("session.pcap");
///     PacketView packet;
///     while (reader.next(packet)) use(packet);
///     if (reader.damage()) warn(*reader.damage());

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "traffic/packet.h"
#include "traffic/trace.h"

namespace tracebench {

/// Where a capture breaks off and why; the packets before it are used.
struct CaptureDamage {
    std::uint64_t offset = 0;  ///< byte in the file where reading stopped
    std::string what;          ///< such as "record claims 70000 bytes, 312 are left"
};

class CaptureReader {
  public:
    /// `-` reads standard input. Throws InputError: cannot be opened, empty, or not a capture at all.
    explicit CaptureReader(const std::filesystem::path& path);
    ~CaptureReader();
    CaptureReader(CaptureReader&&) noexcept;
    CaptureReader& operator=(CaptureReader&&) noexcept;

    /// The next packet in file order; false at the end or at damage. Views stay valid as long as this
    /// reader or a copy of storage() lives.
    bool next(PacketView& packet);
    /// Set once next() has returned false because the rest cannot be read.
    const std::optional<CaptureDamage>& damage() const;
    /// Keeps the mapped bytes alive.
    std::shared_ptr<const void> storage() const;
    std::uint64_t file_size() const;
    /// Bytes consumed so far, for progress.
    std::uint64_t position() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// How many packets to make room for: those of a long capture, whose views would take twice their memory as
/// they grow; 0 where that does not matter.
std::size_t packets_to_expect(const std::filesystem::path& path);

/// A whole capture as one trace, in time order (frame numbers tell the file order). `damage`, where given,
/// receives what CaptureReader::damage() says.
Trace read_trace(const std::filesystem::path& path, std::optional<CaptureDamage>* damage = nullptr);

}  // namespace tracebench
