#include "generators/ssm/encoding/fields/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "generators/ssm/encoding/fields/conversation.h"
#include "generators/ssm/encoding/fields/extent.h"
#include "generators/ssm/encoding/fields/gap.h"
#include "traffic/headers.h"

namespace tracebench::ssm {
namespace {

using namespace tcp_flag;

constexpr std::array<std::uint16_t, 48> ports{
    20,   21,   22,   23,   25,   53,   67,   68,   69,   80,   88,   110,  123,  135,  137,  138,
    139,  143,  161,  389,  443,  445,  465,  500,  546,  547,  554,  587,  853,  993,  995,  1194,
    1883, 1900, 3389, 3478, 4433, 4500, 5000, 5004, 5060, 5222, 5228, 5353, 5355, 8000, 8080, 8443};

constexpr std::array<std::uint8_t, 16> flag_sets{syn,
                                                 syn | ack,
                                                 ack,
                                                 psh | ack,
                                                 fin | ack,
                                                 fin | psh | ack,
                                                 rst,
                                                 rst | ack,
                                                 syn | ece | cwr,
                                                 syn | ack | ece,
                                                 ack | ece,
                                                 psh | ack | ece,
                                                 ack | cwr,
                                                 psh | ack | cwr,
                                                 ack | urg,
                                                 fin};

// Echo, unreachable, time exceeded, redirect; ICMPv6 discovery and listener reports.
constexpr std::array<std::uint16_t, 20> icmp_types{
    8 << 8,      0,          3 << 8,   3 << 8 | 1, 3 << 8 | 3, 3 << 8 | 4, 3 << 8 | 10,
    11 << 8,     5 << 8 | 1, 128 << 8, 129 << 8,   1 << 8,     1 << 8 | 4, 2 << 8,
    3 << 8 | 13, 133 << 8,   134 << 8, 135 << 8,   136 << 8,   143 << 8};

constexpr std::array<const char*, item_kinds> names{
    "byte",   "end",    "label", "flows",     "flow",        "topic",    "begun",    "service",
    "state",  "left",   "kind",  "source",    "destination", "sport",    "dport",    "extent",
    "ending", "gap",    "flags", "icmp",      "length",      "sequence", "ack",      "window",
    "urgent", "option", "mss",   "scale",     "timestamp",   "echo",     "edge",     "ttl",
    "tos",    "df",     "id",    "flowlabel", "trailer",     "macs",     "icmprest", "payload"};

int count(Item item) {
    switch (item) {
        case Item::byte:
            return 256;
        case Item::end:
        case Item::mss:
        case Item::window_scale:
        case Item::ttl:
        case Item::tos:
        case Item::macs:
        case Item::icmp_rest:
            return 1;
        case Item::label:
        case Item::topic:
            return 0;
        case Item::flows:
        case Item::extent:
            return extent_buckets;
        case Item::begun:
            return 2 * code::begun_flows;
        case Item::left:
            return left_octaves * endings;
        case Item::ending:
            return endings;
        case Item::flow:
            return code::far_flow + 1;
        case Item::service:
            return static_cast<int>(ports.size()) + 1;
        case Item::state:
            return conversation_states;
        case Item::kind:
            return code::kinds;
        case Item::source_host:
        case Item::destination_host:
            return code::hosts;
        case Item::source_port:
        case Item::destination_port:
            return static_cast<int>(ports.size()) + code::ports;
        case Item::gap:
            return gap_buckets;
        case Item::flags:
            return 2 * static_cast<int>(flag_sets.size()) + 1;
        case Item::icmp:
            return static_cast<int>(icmp_types.size()) + 1;
        case Item::length:
            return code::lengths;
        case Item::sequence:
            return code::sequences;
        case Item::acknowledgement:
            return code::acknowledgements;
        case Item::window:
            return code::windows;
        case Item::urgent:
            return 2;
        case Item::option:
            return code::options;
        case Item::timestamp:
            return code::timestamp_values;
        case Item::timestamp_echo:
            return code::echoes;
        case Item::sack_edge:
            return code::edges;
        case Item::fragment_bits:
            return 2;
        case Item::ip_id:
            return code::ids;
        case Item::flow_label:
            return code::flow_labels;
        case Item::trailer:
            return code::trailers;
        case Item::payload:
            return code::payloads;
    }
    return 0;
}

/// Bytes of a signed distance whose values begin at `first`.
int distance_bytes(int value, int first) {
    return value < first ? 0 : (value - first) % 4 + 1;
}

int length_bytes(int value) {
    if (value < code::length_bucket) return 0;
    const int octave = (value - code::length_bucket) / 8;  // from 64: buckets of 8, 16, ... bytes
    return octave <= 5 ? 1 : 2;
}

}  // namespace

std::span<const std::uint16_t> known_ports() {
    return ports;
}

std::optional<int> known_port(std::uint16_t port) {
    const auto found = std::lower_bound(ports.begin(), ports.end(), port);
    if (found == ports.end() || *found != port) return std::nullopt;
    return static_cast<int>(found - ports.begin());
}

std::span<const std::uint8_t> usual_flags() {
    return flag_sets;
}

std::span<const std::uint16_t> usual_icmp() {
    return icmp_types;
}

Vocabulary::Vocabulary(std::vector<std::string> labels) : labels_(std::move(labels)), first_(item_kinds) {
    for (std::size_t i = 0; i < item_kinds; ++i) {
        const Item item = static_cast<Item>(i);
        first_[i] = static_cast<Token>(heads_.size());
        for (int value = 0; value < count(item); ++value) heads_.push_back({item, value});
    }
    first_label_ = static_cast<Token>(heads_.size());
}

void Vocabulary::add_label(const std::string& label) {
    labels_.push_back(label);
}

Token Vocabulary::token(Item item, int value) const {
    if (item == Item::label || item == Item::topic)
        return first_label_ + 2 * value + (item == Item::topic ? 1 : 0);
    return first_[static_cast<std::size_t>(item)] + value;
}

ItemHead Vocabulary::head(Token token) const {
    if (const Token past = token - first_label_; past >= 0)
        return {past % 2 == 0 ? Item::label : Item::topic, past / 2};
    return heads_[static_cast<std::size_t>(token)];
}

int Vocabulary::values(Item item) const {
    return item == Item::label || item == Item::topic ? static_cast<int>(labels_.size()) : count(item);
}

int Vocabulary::bytes_after(ItemHead head) {
    const int value = head.value;
    const int known = static_cast<int>(ports.size());
    switch (head.item) {
        case Item::flow:
            return value == code::far_flow ? 2 : 0;
        case Item::source_host:
        case Item::destination_host:
            return value == code::far_host   ? 2
                   : value == code::literal4 ? 4
                   : value == code::literal6 ? 16
                                             : 0;
        case Item::source_port:
        case Item::destination_port:
            return value == known + code::literal_port ? 2 : 0;
        case Item::flags:
            return value == 2 * static_cast<int>(flag_sets.size()) ? 2 : 0;
        case Item::icmp:
            return value == static_cast<int>(icmp_types.size()) ? 2 : 0;
        case Item::length:
            return length_bytes(value);
        case Item::sequence:
            return distance_bytes(value, code::sequence_distance);
        case Item::acknowledgement:
            return distance_bytes(value, code::acknowledgement_distance);
        case Item::window:
            return value == code::window_absolute ? 2 : 0;
        case Item::urgent:
            return value == code::urgent_pointer ? 2 : 1;
        case Item::option:
            return value >= code::other ? value - code::other + 1 : 0;
        case Item::mss:
            return 2;
        case Item::window_scale:
        case Item::ttl:
        case Item::tos:
            return 1;
        case Item::timestamp:
            return distance_bytes(value, code::timestamp_distance);
        case Item::timestamp_echo:
            return value == code::echo_raw ? 4 : 0;
        case Item::sack_edge:
            return value == code::edge_raw ? 4 : 0;
        case Item::trailer:
            return value == code::trailer_literal ? 2 : 0;
        case Item::icmp_rest:
            return 4;
        case Item::payload:
            return value == code::literal_byte ? 1 : 0;
        default:
            return 0;
    }
}

std::string Vocabulary::name(Token token) const {
    const ItemHead h = head(token);
    if (h.item == Item::label) return "<|" + labels_[static_cast<std::size_t>(h.value)] + "|>";
    if (h.item == Item::topic) return "topic:" + labels_[static_cast<std::size_t>(h.value)];
    return fmt::format("{}:{}", names[static_cast<std::size_t>(h.item)], h.value);
}

}  // namespace tracebench::ssm
