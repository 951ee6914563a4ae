#pragma once
/// Turns a flow as the chain sees it into frames: addresses, sequence numbers, windows, options.

#include <cstdint>

#include "base/random.h"
#include "generators/baseline/flow_kind.h"
#include "generators/baseline/packet_chain.h"
#include "generators/fresh_identifiers.h"
#include "traffic/packet_builder.h"

namespace tracebench {

struct FlowEnds {
    Endpoint src, dst;  ///< src sends the first packet
    MacAddress src_mac, dst_mac;
};

/// Keeps both ends' TCP state: sequence numbers advance with what is sent, acknowledgements cover all that
/// the other end has sent, repeated SYN and FIN are retransmissions, timestamps tick in milliseconds.
/// Payloads are zeros. References must outlive it.
class FlowWriter {
  public:
    FlowWriter(const FlowKind& kind, const FlowEnds& ends, Random& random);
    PacketFields next(const ChainPacket& packet);

  private:
    struct End {
        std::uint32_t initial = 0, next = 0, fin = 0;  // sequence numbers
        bool syn_sent = false, fin_sent = false;
        std::uint32_t clock = 0;  // timestamp at the flow's start
        std::uint32_t heard = 0;  // the other end's latest timestamp
        std::uint16_t window = 0;
        std::uint16_t ip_id = 0;
    };

    void write_tcp(PacketFields& fields, const ChainPacket& packet);
    std::uint32_t sequence_of(End& end, const ChainPacket& packet);
    std::uint16_t window_of(End& end, const FlowSide& side, const ChainPacket& packet);
    void write_icmp(PacketFields& fields, const ChainPacket& packet);

    const FlowKind& kind_;
    const FlowEnds& ends_;
    Random& random_;
    End state_[2];
    std::uint16_t echo_id_, echo_sequence_ = 0;
};

}  // namespace tracebench
