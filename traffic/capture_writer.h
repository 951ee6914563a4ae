#pragma once
/// Writes nanosecond pcap that Wireshark opens without complaint, complete or not at all.
///
///     CaptureWriter writer("synthetic.pcap");
///     for (const PacketView& packet : trace.packets) writer.write(packet);
///     writer.commit();

#include <filesystem>
#include <memory>

#include "traffic/packet.h"
#include "traffic/trace.h"

namespace tracebench {

class CaptureWriter {
  public:
    /// `-` writes to standard output. Throws InputError where the place cannot be written.
    explicit CaptureWriter(const std::filesystem::path& path, std::uint16_t link = link_type::ethernet,
                           std::uint32_t snap_length = 262144);
    ~CaptureWriter();
    CaptureWriter(const CaptureWriter&) = delete;
    CaptureWriter& operator=(const CaptureWriter&) = delete;

    /// The packet's link type must be the file's. original_length is kept; bytes past the snap length are cut.
    void write(const PacketView& packet);
    /// Flushes and renames into place. Without it nothing is left behind. Throws InputError (disk full).
    void commit();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The whole trace into one capture; the link type is that of its first packet (Ethernet when empty).
void write_trace(const std::filesystem::path& path, const Trace& trace);

}  // namespace tracebench
