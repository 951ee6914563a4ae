#pragma once
/// Which byte may come next in a packet of NetSSM's 128, so that the packet passes every packet-scope rule
/// and its TCP conversation every flow-scope rule.
///
/// What is legal: Ethernet with IPv4 (no options, no fragments) or IPv6 (no extension headers) and TCP or
/// UDP, then zeros. Addresses and ports of TCP are those of a live conversation, or of a new one where the
/// segment can be a SYN. Checksums cannot be known where they stand, before what they sum: any byte is legal
/// there, and what is written is replaced when the packet is finished (see netssm_finish.h).

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generators/ssm/encoding/netssm_bytes.h"
#include "generators/ssm/encoding/netssm_flows.h"
#include "generators/ssm/encoding/netssm_options.h"
#include "traffic/tokens.h"

namespace tracebench::ssm {

class PacketGrammar {
  public:
    /// The conversations must outlive it, and change between packets only.
    explicit PacketGrammar(const LiveFlows& flows) : flows_(flows) {}

    /// The next packet begins; `time_ns` is its time.
    void begin(std::int64_t time_ns);
    /// Legal next bytes; only once a byte is anything computed. Never empty before full(): after bytes that
    /// were not allowed, everything may be.
    const ByteSet& allowed();
    /// Any byte; requires !full().
    void accept(std::uint8_t byte);
    bool full() const { return size_ == kTokenPacketBytes; }
    std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(size_); }

  private:
    struct Candidate {
        FlowEnd end;
        std::string_view tuple;
        bool can_send;
    };

    bool is_v4() const { return network_ == 4; }
    std::size_t transport() const { return is_v4() ? 34 : 54; }
    std::size_t tuple_begin() const { return is_v4() ? 26 : 22; }
    std::size_t address_size() const { return is_v4() ? 4 : 16; }
    bool tcp() const { return protocol_ == ip_protocol::tcp; }
    bool all_zero(std::size_t begin, std::size_t end) const;
    bool new_flow_fits() const;

    ByteSet next() const;
    ByteSet link_byte() const;
    ByteSet version_byte() const;
    ByteSet ipv4_byte() const;
    ByteSet ipv6_byte() const;
    ByteSet protocol_byte() const;
    ByteSet tuple_byte() const;
    ByteSet source_byte(std::size_t i) const;
    ByteSet destination_v4(std::size_t i) const;
    bool may_be_mapped(std::size_t begin, std::size_t i) const;
    ByteSet destination_v6(std::size_t i) const;
    ByteSet port_byte(std::size_t i) const;
    ByteSet udp_byte(std::size_t i) const;
    ByteSet tcp_byte(std::size_t i) const;
    void read_network();
    void read_protocol();
    void find_candidates();
    void keep_matching();
    void read_segment_field(std::size_t i);

    const LiveFlows& flows_;
    std::array<std::uint8_t, kTokenPacketBytes> bytes_{};
    std::size_t size_ = 0;
    std::optional<ByteSet> allowed_;

    int network_ = 0;                          ///< 4 or 6; 0 before it is known, and where it is neither
    std::uint8_t protocol_ = 0;                ///< TCP or UDP, likewise
    std::uint32_t length_ = 0;                 ///< of the TCP segment or UDP datagram
    std::size_t content_ = kTokenPacketBytes;  ///< where zeros begin
    std::vector<Candidate> candidates_;        ///< live senders whose tuple begins as written
    FlowEnd end_;
    SegmentFields segment_;
    OptionGrammar options_;
};

}  // namespace tracebench::ssm
