#pragma once
/// The tokens of the `fields` encoding: a packet is a list of items, an item a head token and the bytes that
/// it asks for. The kind of an item and its small value are one token, so that a model sees at once what is
/// said.
///
///     flow(0, forward) iat(11.3 ms) flags(PSH ACK, data) length(2 segments) window(+3)

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tracebench::ssm {

using Token = std::int32_t;

/// Kinds of items, in the order in which a packet's items come. In brackets: what the item's value means.
enum class Item : std::uint8_t {
    byte,         ///< one of an item's bytes [0..255]; no item of its own
    end,          ///< the trace ends
    label,        ///< at the very start; later: the packet begins a flow [index of the label]
    flows,        ///< after the first label: how many flows the session has [extent.h]
    flow,         ///< the packet is of a live flow [rank by recency * 2 + direction; far_flow: 2 bytes]
    topic,        ///< context, never learned: the trace's label again [its index]; see is_context()
    begun,        ///< context, never learned: how many flows have begun before, and the last's IP version
                  ///< [begun_code()]
    service,      ///< context, never learned: whose flow that is [known port]
    state,        ///< context, never learned: where that flow stands [ConversationState]
    left,         ///< context, never learned: how many packets that flow still has, and how it ends
                  ///< [power of two * endings + Ending]
    kind,         ///< of a new flow [IP version and protocol]
    source_host,  ///< [rank by recency, or what kind of new host; literal: 4 or 16 bytes]
    destination_host,
    source_port,  ///< [known port, kind of ephemeral port, as before; literal: 2 bytes]
    destination_port,
    extent,           ///< how many packets the flow has [extent.h]
    ending,           ///< of a TCP flow: how it ends [Ending]
    gap,              ///< inter-arrival time [log bucket]
    flags,            ///< TCP flags and whether there is payload [usual combination; else 2 bytes]
    icmp,             ///< type and code [usual; else 2 bytes]
    length,           ///< payload bytes [as before, whole segments, or a bucket and the bytes inside it]
    sequence,         ///< [start of an earlier segment by recency, or a distance from the expected number]
    acknowledgement,  ///< [as before, end of a peer's segment by recency, or a distance from all there is]
    window,           ///< [earlier value by recency, small difference; else 2 bytes]
    urgent,           ///< [urgent pointer: 2 bytes; reserved bits: 1 byte]
    option,           ///< TCP options one by one, where they are not those expected
    mss,              ///< of an option; 2 bytes
    window_scale,     ///< of an option; 1 byte
    timestamp,        ///< of an option: distance from what the sender's clock should say
    timestamp_echo,   ///< of an option [earlier timestamp by recency; else 4 bytes]
    sack_edge,        ///< of an option, one an edge [segment boundary by recency; else 4 bytes]
    ttl,              ///< 1 byte
    tos,              ///< 1 byte
    fragment_bits,    ///< don't fragment [0, 1]
    ip_id,            ///< [difference from the expected, to the host's last; random; zero]
    flow_label,       ///< [zero, random]
    trailer,          ///< [padded to 60 bytes, not padded; else 2 bytes]
    macs,             ///< other MAC addresses than the flow's
    icmp_rest,        ///< identifier and sequence number: 4 bytes
    payload,  ///< first payload bytes of UDP [run as last time, run as the peer's, one more than last time,
              ///< 32-bit word on by its last step (RTP's clock), run of unpredictable bytes (ciphertext); 1
              ///< byte]
};
inline constexpr std::size_t item_kinds = 40;

/// What the values of items mean.
namespace code {
inline constexpr int near_flows = 24, far_flow = 2 * near_flows;
inline constexpr int near_hosts = 24;
inline constexpr int ring = 32;  ///< segments, timestamps, ... that can be named by recency
inline constexpr int segments = 45;
inline constexpr int payload_bytes = 12;
inline constexpr int begun_flows = 16;  ///< more are told as the last of these

/// Values of Item::kind.
enum Kind : int { tcp4, tcp6, udp4, udp6, icmp4, icmp6, kinds };
/// Values of host items from near_hosts on: 2 bytes of rank, new hosts by block, literal addresses.
enum Host : int {
    far_host = near_hosts,
    new_10,
    new_172,
    new_192,
    new_169,
    new_100,
    new_global4,
    new_link6,
    new_unique6,
    new_global6,
    literal4,
    literal6,
    hosts
};
/// Values of port items after the known ports.
enum Port : int { ephemeral_dynamic, ephemeral_middle, ephemeral_low, same_as_before, literal_port, ports };
/// Values of Item::length: as before, 1..segments full segments, exact below 64, buckets of 1/8 octave.
inline constexpr int length_same = 0, length_exact = segments + 1, exact_lengths = 64,
                     length_bucket = length_exact + exact_lengths, length_buckets = 80,
                     lengths = length_bucket + length_buckets;
/// Signed distances in 1 to 4 bytes: see distance.h.
inline constexpr int distances = 8;
inline constexpr int sequence_distance = ring, sequences = sequence_distance + distances;
inline constexpr int acknowledgement_same = 0, acknowledgement_lag = 1,
                     acknowledgement_distance = acknowledgement_lag + ring,
                     acknowledgements = acknowledgement_distance + distances;
inline constexpr int recent_windows = 8, window_step = recent_windows, window_steps = 64,
                     window_absolute = window_step + 2 * window_steps + 1, windows = window_absolute + 1;
inline constexpr int urgent_pointer = 0, reserved_bits = 1;
/// Values of Item::option. sack + n is n blocks (1..4); other + n is an option with n value bytes.
enum Option : int {
    no_options,
    nop,
    end_of_list,
    mss_option,
    scale_option,
    sack_permitted,
    timestamps,
    sack,
    other = sack + 5,
    options = other + 39
};
inline constexpr int timestamp_exact = 16, timestamp_distance = 2 * timestamp_exact + 1,
                     timestamp_values = timestamp_distance + distances;
inline constexpr int echo_raw = ring, echo_zero = ring + 1, echoes = ring + 2;
inline constexpr int edge_raw = 2 * ring, edges = edge_raw + 1;
inline constexpr int id_back = 8, id_ahead = 64, id_host = id_back + id_ahead + 1, id_host_ahead = 16,
                     id_random = id_host + id_host_ahead, id_zero = id_random + 1, ids = id_zero + 1;
enum FlowLabel : int { label_zero, label_random, flow_labels };
enum Trailer : int { padded, not_padded, trailer_literal, trailers };
inline constexpr int run_same = 0, run_peer = run_same + payload_bytes, plus_one = run_peer + payload_bytes,
                     literal_byte = plus_one + 1, word_step = literal_byte + 1, run_random = word_step + 1,
                     payloads = run_random + payload_bytes;
}  // namespace code

/// Value of Item::begun after so many flows, of which the last was of this IP version.
inline int begun_code(std::uint64_t flows, int version) {
    const int number = flows < code::begun_flows ? static_cast<int>(flows) : code::begun_flows - 1;
    return 2 * number + (version == 6 ? 1 : 0);
}

struct ItemHead {
    Item item = Item::end;
    int value = 0;

    bool operator==(const ItemHead&) const = default;
};

/// Ports with a token of their own, ascending: what both ends of real traffic are found at.
std::span<const std::uint16_t> known_ports();
/// Index in known_ports(); nothing where it is not among them.
std::optional<int> known_port(std::uint16_t port);

/// TCP flag combinations with a token of their own; the same twice, without and with payload.
std::span<const std::uint8_t> usual_flags();
/// ICMP and ICMPv6 type and code (type * 256 + code) with a token of their own.
std::span<const std::uint16_t> usual_icmp();

class Vocabulary {
  public:
    /// Labels keep the order given: new ones can be added at the end without changing an id.
    explicit Vocabulary(std::vector<std::string> labels);

    std::size_t size() const { return static_cast<std::size_t>(first_label_) + 2 * labels_.size(); }
    const std::vector<std::string>& labels() const { return labels_; }
    void add_label(const std::string& label);

    Token token(Item item, int value) const;
    /// Requires 0 <= token < size().
    ItemHead head(Token token) const;
    /// How many byte tokens follow.
    static int bytes_after(ItemHead head);
    /// The number of values of an item; of labels and topics: as many as there are labels.
    int values(Item item) const;
    /// `flow:3`, `byte:17`, `<|video|>`: for tokenizer.json and people.
    std::string name(Token token) const;

  private:
    std::vector<std::string> labels_;
    std::vector<Token> first_;     // by Item, labels and topics left out
    std::vector<ItemHead> heads_;  // by token, labels and topics left out
    Token first_label_ = 0;        // from here on each label and its topic
};

/// Topics, services, states, and what has begun and what is left are told to the model, not asked of it.
inline bool is_context(Item item) {
    return item >= Item::topic && item <= Item::left;
}

/// Items that decide about many packets: that a flow begins or a trace ends, and all that an opening says.
inline bool is_plan(Item item) {
    return item == Item::end || item == Item::label || item == Item::flows ||
           (item >= Item::kind && item <= Item::ending);
}

}  // namespace tracebench::ssm
