#pragma once
/// NetSSM's tokens back into packets: 128 bytes, then `<|pkt|>`.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "generators/histogram.h"
#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/encoding/netssm_finish.h"
#include "generators/ssm/encoding/netssm_grammar.h"
#include "traffic/tokenizer.h"

namespace tracebench::ssm {

/// Which token means what, without a search.
struct NetssmTokens {
    explicit NetssmTokens(const Tokenizer& tokenizer);

    std::vector<std::int16_t> byte_of;  ///< by token; -1 for those that are no byte
    std::array<Token, 256> of_byte;
    Token packet = 0, end = 0;

    /// 0 to 255; -1 for every other token, also those out of range.
    int byte(Token token) const {
        return token >= 0 && static_cast<std::size_t>(token) < byte_of.size()
                   ? byte_of[static_cast<std::size_t>(token)]
                   : -1;
    }
};

/// Without constraints, as NetSSM: bytes and `<|pkt|>` anywhere. A piece of fewer bytes than an Ethernet
/// header makes no packet; bytes past 128 are dropped, so that a piece stays bounded.
///
/// With constraints: what PacketGrammar allows, 128 bytes a packet, the end after a packet (or at once). A
/// token that was not allowed is no error: the packet is then repaired or dropped when it is finished.
class NetssmDecoder : public TraceDecoder {
  public:
    /// Without inter-arrival times, packets are 1 ms apart.
    NetssmDecoder(std::shared_ptr<const NetssmTokens> tokens, Histogram times, const DecodeOptions& options);

    bool allowed(Token token) override;
    std::optional<Token> forced() override;
    void accept(Token token) override;
    bool ended() const override { return ended_; }
    std::optional<DecodedPacket> next_packet() override;
    std::uint64_t packets() const override { return packets_; }
    double seconds() const override { return packets_ > 0 ? static_cast<double>(last_ns_) * 1e-9 : 0; }

    /// Packets that were legal only after repair. Under constraints that only allowed tokens met, none.
    std::uint64_t repaired() const { return repaired_; }
    /// Pieces that made no packet.
    std::uint64_t dropped() const { return dropped_; }

  private:
    void begin_packet();
    void finish();
    std::optional<DecodedPacket> legal_packet();
    std::optional<DecodedPacket> plain_packet() const;

    std::shared_ptr<const NetssmTokens> tokens_;
    Histogram times_;
    Random random_;
    const bool constrained_;
    LiveFlows flows_;
    PacketGrammar grammar_;
    std::int64_t now_ns_ = 0;   ///< time of the packet that is being written
    std::int64_t last_ns_ = 0;  ///< of the last that was finished
    bool ended_ = false, anything_ = false;
    std::deque<DecodedPacket> ready_;
    std::uint64_t packets_ = 0, repaired_ = 0, dropped_ = 0;
};

}  // namespace tracebench::ssm
