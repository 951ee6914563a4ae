#pragma once
/// Flows out of packets: bidirectional, VLAN aware, split by idle timeout and by TCP restart.
///
///     FlowTable table({}, [](const Flow& flow) { ... });   // called as flows end
///     while (reader.next(packet)) table.add(packet, dissect(packet));
///     table.finish();
///
/// A flow that fell silent ends when its next packet comes too late, when room is needed, or at finish():
/// time is compared within a flow only, so that one packet with a wild time does not end all the others.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "traffic/flow_key.h"
#include "traffic/headers.h"

namespace tracebench {

enum class Direction : std::uint8_t { forward = 0, reverse = 1 };  ///< forward: as the flow's first packet

/// One finished (or still live) flow. Arrays are indexed by Direction.
struct Flow {
    std::uint64_t number = 0;  ///< from 0, in order of first packets
    FlowKey key;
    Endpoint src, dst;  ///< src sent the first packet
    std::int64_t first_ns = 0, last_ns = 0;
    std::uint64_t packets[2] = {0, 0};
    std::uint64_t bytes[2] = {0, 0};     ///< frame lengths on the wire
    std::uint8_t tcp_flags[2] = {0, 0};  ///< union of the flags seen

    // TCP only; the rules are those of Wireshark's sequence analysis, so that counts can be compared.
    bool handshake = false;  ///< SYN, SYN-ACK and the acknowledgement of the latter were seen
    bool closed = false;     ///< FIN both ways, or RST
    std::uint64_t retransmissions = 0;
    std::uint64_t out_of_order = 0;
    std::uint64_t duplicate_acks = 0, zero_windows = 0, keep_alives = 0;  ///< segments of each kind
    std::optional<double> rtt_ms;  ///< SYN to the ACK of the SYN-ACK as seen at the capture point

    double duration_s() const { return static_cast<double>(last_ns - first_ns) * 1e-9; }
};

struct FlowOptions {
    double udp_idle_s = 60;  ///< also for every protocol that is not TCP
    double tcp_idle_s = 300;
    /// Live flows kept at once; past it the one idle longest ends early. Bounds memory, about 300 bytes each.
    std::size_t max_live = 1'000'000;
};

class FlowTable {
  public:
    using Sink = std::function<void(const Flow&)>;

    explicit FlowTable(FlowOptions options, Sink on_end);
    ~FlowTable();

    struct Placed {
        std::uint64_t flow = 0;  ///< Flow::number
        Direction direction = Direction::forward;
        bool first = false;  ///< this packet began the flow
    };
    /// Nothing for packets without an IP header.
    std::optional<Placed> add(const PacketView& packet, const Headers& headers);
    /// Ends every live flow, in order of first packets.
    void finish();
    /// Flows ended early because of max_live.
    std::uint64_t evicted() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tracebench
