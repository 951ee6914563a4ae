#pragma once
/// How a flow begins: who (hosts by recency, or new ones of some kind) and between which ports.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generators/ssm/encoding/fields/identities.h"
#include "generators/ssm/encoding/fields/session_book.h"

namespace tracebench::ssm {

/// How many flows have begun, then the items from Item::kind to Item::ending, one after another. The model is
/// told the topic again where it has to say what the flow is for and how long it is: those two decide most,
/// and depend on the label.
class Opening {
  public:
    explicit Opening(const SessionBook& book) : book_(&book) {}

    /// The item that comes next; nothing once the flow is complete.
    std::optional<Item> next() const;
    /// Whether this value means something at this place. With `legal`, ports and literal addresses that no
    /// flow should have are refused too. `bytes` as far as they are known (fewer: not yet).
    bool allowed(int value, std::span<const std::uint8_t> bytes, bool legal) const;
    /// Requires allowed(). New addresses and ephemeral ports are drawn from `identities`.
    void accept(int value, std::span<const std::uint8_t> bytes, Identities& identities);
    /// A new global host, or a dynamic port: instead of what turned out not to be allowed when its bytes were
    /// there.
    void accept_other(Identities& identities);
    /// Requires !next(). Hosts that are not met yet have index -1.
    const Conversation& flow() const { return flow_; }

  private:
    bool may_be_end(const IpAddress& address) const;
    bool is_taken(const IpAddress& address) const;
    std::optional<std::uint16_t> port(int value, std::span<const std::uint8_t> bytes) const;
    Endpoint& end() { return flow_.ends[side()]; }
    std::size_t side() const;
    bool ported() const;

    const SessionBook* book_;
    Conversation flow_;
    int items_ = 0;
    int ip_version_ = 0;
};

/// The items of the opening of a flow of this kind (code::Kind), in order, what the model is told included.
std::span<const Item> opening_items(int kind);

struct OpeningItem {
    ItemHead head;
    std::vector<std::uint8_t> bytes{};
};
/// The items of a flow that begins with this one, in a trace of label number `topic`;
/// what they leave open is added to `identities`.
std::vector<OpeningItem> write_opening(const SessionBook& book, const Record& record, const FlowPlan& plan,
                                       std::uint64_t begun, int topic, RecordedIdentities& identities);

}  // namespace tracebench::ssm
