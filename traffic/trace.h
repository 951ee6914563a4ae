#pragma once
/// The packets of one sample (a session or a flow) in time order, with the memory they point into.

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "traffic/packet.h"

namespace tracebench {

/// Copying is cheap in bytes: copies share storage.
class Trace {
  public:
    std::vector<PacketView> packets;

    bool empty() const { return packets.empty(); }
    std::size_t size() const { return packets.size(); }
    /// Last minus first packet time in seconds; 0 with fewer than two packets.
    double duration_s() const;
    /// Stable sort by time (captures may hold packets out of order).
    void sort_by_time();

    /// Keeps `owner` alive as long as this trace or a copy of it: for views into mapped captures.
    void keep(std::shared_ptr<const void> owner);
    /// Appends a packet whose bytes are copied into the trace's own storage. `original_length` 0 means as
    /// long as `bytes`. Frames are numbered from 1.
    void append(std::int64_t time_ns, std::span<const std::uint8_t> bytes, std::uint32_t original_length = 0,
                std::uint16_t link = link_type::ethernet);

  private:
    std::vector<std::shared_ptr<const void>> owners_;
    std::shared_ptr<std::deque<std::vector<std::uint8_t>>> own_;
};

}  // namespace tracebench
