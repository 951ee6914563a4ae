#pragma once
/// The reading half of the codec: tokens become packets, one token at a time, under constraints where wanted.

#include <deque>
#include <optional>
#include <vector>

#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/encoding/fields/draft.h"
#include "generators/ssm/encoding/fields/identities.h"
#include "generators/ssm/encoding/fields/opening.h"

namespace tracebench::ssm {

struct ReaderOptions {
    Token label = 0;
    bool constrained = true;
    bool continuous = false;
    std::uint32_t snap = 0;  ///< frames are cut to so many bytes; 0: whole
};

/// A token is allowed under constraints if the packet that results when everything after it takes its
/// expected value passes every rule of the table, of packet and of flow scope. What only shows when an item's
/// last byte is there (a number in several bytes, a list of options) and would break a rule is dropped then
/// in favour of the expected value; see corrections().
class FieldsReader : public TraceDecoder {
  public:
    FieldsReader(const Vocabulary& vocabulary, const ReaderOptions& options,
                 std::unique_ptr<Identities> identities);

    bool allowed(Token token) override;
    std::optional<Token> forced() override;
    void accept(Token token) override;
    bool ended() const override { return ended_; }
    std::optional<DecodedPacket> next_packet() override;
    std::uint64_t packets() const override { return packets_; }
    double seconds() const override { return static_cast<double>(book_.now_ns - first_ns_) * 1e-9; }
    /// Items that were dropped because they would have broken a rule.
    std::uint64_t corrections() const { return corrections_; }

  private:
    enum class Place : std::uint8_t { plan, start, topic, service, state, left, opening, packet };

    bool allowed_head(ItemHead head);
    bool allowed_in_packet(ItemHead head);
    bool allowed_flow(int value) const;
    /// Whether the flow has packets left and, with constraints, has not ended by silence. A connection also
    /// goes on until it has ended as it was announced.
    bool goes_on(const Conversation& flow, std::int64_t now_ns) const;
    /// Whether it is this side that sends next: a connection opens by turns (RFC 9293 section 3.5), without
    /// SYNs sent again.
    bool is_turn(const Conversation& flow, Direction direction) const;
    /// Whether TCP is done with the draft's flow after it.
    bool closes(const Conversation& flow) const;
    /// The flow as it is once the packet being written is finished.
    Conversation after_draft(const Conversation& flow) const;
    /// Whether such a segment lets the connection end as it was announced, where that is possible.
    bool keeps_ending(const Draft& draft) const;
    /// Whether another flow may begin: as announced, or to keep a trace going.
    bool may_begin_flow() const;
    /// Whether no flow goes on after the packet being written.
    bool is_complete() const;
    /// After the state: what is left is told, or the packet begins.
    void tell_left();
    /// Of the packet being written, or of the last one.
    std::int64_t time_ns() const;
    /// The flow of this rank once the packet being written is finished; null where there is none.
    const Conversation* flow_at(int rank) const;
    void take(ItemHead head, std::span<const std::uint8_t> bytes);
    void take_flow(int code);
    void begin_packet(const Conversation& flow, Direction direction);
    /// Whether the draft, completed, passes the rules; true without constraints.
    bool is_legal(const Draft& draft) const;
    /// is_legal(), and whether the sender may send such a segment now and has a reason to.
    bool may_have_flags(const Draft& draft) const;
    /// The first of the usual combinations that the packet may have without payload; nothing where it may
    /// have none.
    std::optional<std::uint8_t> legal_flags() const;
    /// A list of options can only be judged when it is complete: drops one that breaks a rule. How many it
    /// dropped.
    int settle_options(Draft& draft) const;
    void finish_packet();

    const Vocabulary& vocabulary_;
    const ReaderOptions options_;
    std::unique_ptr<Identities> identities_;
    SessionBook book_;
    Place place_ = Place::plan;
    Draft draft_;
    PacketIdentity identity_;
    std::optional<Opening> opening_;
    Conversation fresh_;
    int live_ = -1;      ///< place of the draft's flow; -1: it begins with this packet
    int gone_rank_ = 0;  ///< rank that the draft's flow leaves, or the flow that makes room for it
    Direction picked_ = Direction::forward;
    bool elsewhere_ = false;           ///< the last packet was of another flow than the one picked
    std::optional<ItemHead> pending_;  ///< an item whose bytes are still to come
    std::vector<std::uint8_t> bytes_;
    std::deque<DecodedPacket> done_;
    std::int64_t first_ns_ = 0;
    std::uint64_t packets_ = 0, corrections_ = 0;
    std::uint64_t flows_ = 0, begun_ = 0;  ///< that the session has, and that have begun
    bool ended_ = false;
};

}  // namespace tracebench::ssm
