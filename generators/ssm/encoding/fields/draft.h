#pragma once
/// A packet while it is being written: what its items have said so far. Whatever they leave open has an
/// expected value, which follows from the flow and the session; resolve() fills it in. Encoder and decoder
/// share all of this, so they cannot disagree: an encoder says only what resolve() would get wrong.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generators/ssm/encoding/fields/identities.h"
#include "generators/ssm/encoding/fields/record.h"
#include "generators/ssm/encoding/fields/session_book.h"

namespace tracebench::ssm {

struct Draft {
    const Conversation* flow = nullptr;  ///< live, or about to begin; must outlive the draft
    Direction direction = Direction::forward;
    Item last = Item::flow;  ///< kind of the item accepted last

    int gap_bucket = -1;
    std::optional<std::uint8_t> flags{};
    bool has_payload = false;             ///< TCP
    std::optional<std::uint16_t> icmp{};  ///< type and code
    std::optional<std::uint32_t> length{};
    std::optional<std::uint32_t> sequence{}, acknowledgement{};
    std::optional<std::uint16_t> window{};
    std::uint16_t urgent_pointer = 0;
    std::uint8_t reserved = 0;
    std::optional<OptionList> options{};
    std::optional<std::uint16_t> mss{};
    std::optional<std::uint8_t> window_scale{};
    std::optional<std::int64_t> timestamp_distance{};
    std::optional<std::uint32_t> echo{};
    std::vector<std::uint32_t> edges{};
    std::optional<std::uint8_t> ttl{}, tos{};
    std::optional<bool> dont_fragment{};
    std::optional<std::uint16_t> ip_id{};
    bool ip_id_random = false;
    std::optional<int> flow_label{};  ///< code::FlowLabel
    std::optional<bool> pads{};
    std::optional<std::uint32_t> trailer{};
    bool other_macs = false;
    std::optional<std::uint32_t> icmp_rest{};
    std::vector<std::uint8_t> payload{};  ///< first bytes of UDP payload said so far
    /// PacketIdentity::payload of this packet; null until it is known (zeros).
    const std::array<std::uint8_t, code::payload_bytes>* random_bytes = nullptr;

    bool tcp() const { return flow->tcp(); }
    bool udp() const { return flow->protocol == ip_protocol::udp; }
    bool has(std::uint8_t flag) const { return flags && (*flags & flag) != 0; }
};

/// The whole packet. Requires flow and, for TCP, flags.
Record resolve(const SessionBook& book, const Draft& draft, const PacketIdentity& identity);

/// What options the packet has.
OptionList expected_options(const SessionBook& book, const Draft& draft);
/// The IPv4 identification that follows the sender's last in this flow, or the host's where it is new in it.
std::uint16_t expected_ip_id(const SessionBook& book, const Draft& draft);
/// First payload bytes a UDP packet would have; may be shorter than the payload.
const std::vector<std::uint8_t>& expected_payload(const SessionBook& book, const Draft& draft);
std::uint32_t expected_sequence(const Draft& draft, const PacketIdentity& identity);
/// What distances of sequence numbers count from: the sender's next, or what its peer has acknowledged;
/// nothing where neither is known.
std::optional<std::uint32_t> sequence_base(const Draft& draft);
std::uint32_t expected_acknowledgement(const Draft& draft, const PacketIdentity& identity);
std::uint32_t expected_timestamp(const Draft& draft, const PacketIdentity& identity, std::int64_t time_ns);

/// What an item says, put into the draft. False where it has no meaning here (a rank that does not exist, an
/// option that does not fit); the draft is as it was then. Flow openings are not for it.
bool apply(const SessionBook& book, Draft& draft, ItemHead head, std::span<const std::uint8_t> bytes);

/// The item that has to come next: gap, flags or ICMP type, length. Nothing where the rest is optional.
std::optional<Item> required_item(const Draft& draft);
/// An item that the packet must not end without, though it is of the optional ones: what no earlier packet of
/// the session tells of its sender (TTL), or of how such SYNs look (MSS, window scale). Left to a default,
/// the first mistake would become everybody's habit.
std::optional<Item> owed_item(const SessionBook& book, const Draft& draft);
/// Whether an optional item may come now: in order, and about something that the packet has.
bool may_follow(const SessionBook& book, const Draft& draft, Item item);

}  // namespace tracebench::ssm
