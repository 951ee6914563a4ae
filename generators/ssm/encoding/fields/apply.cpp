/// What items mean: the reading half of the codec.

#include <algorithm>

#include "generators/ssm/encoding/fields/distance.h"
#include "generators/ssm/encoding/fields/draft.h"
#include "generators/ssm/encoding/fields/length_bucket.h"
#include "traffic/bytes.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench::ssm {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t most_payload = 65535 - 60 - 60;  // with the longest headers a datagram may have
constexpr int most_option_bytes = 40;

std::uint16_t number16(Bytes bytes) {
    return load16(bytes.data());
}
std::uint32_t number32(Bytes bytes) {
    return load32(bytes.data());
}

bool apply_flags(Draft& draft, int value, Bytes bytes) {
    const auto usual = usual_flags();
    const int combinations = static_cast<int>(usual.size());
    if (value < 2 * combinations) {
        draft.flags = usual[static_cast<std::size_t>(value % combinations)];
        draft.has_payload = value >= combinations;
        return true;
    }
    draft.flags = bytes[0];
    draft.has_payload = (bytes[1] & 1) != 0;
    return true;
}

bool apply_icmp(Draft& draft, int value, Bytes bytes) {
    const auto usual = usual_icmp();
    draft.icmp =
        value < static_cast<int>(usual.size()) ? usual[static_cast<std::size_t>(value)] : number16(bytes);
    return true;
}

bool apply_length(const SessionBook& book, Draft& draft, int value, Bytes bytes) {
    const Sender& me = draft.flow->own(draft.direction);
    std::uint32_t length = 0;
    if (value == code::length_same) {
        length = me.last_length;
    } else if (value <= code::segments) {
        if (!draft.tcp()) return false;
        length = static_cast<std::uint32_t>(value) *
                 draft.flow->segment_size(draft.direction, expected_options(book, draft));
    } else if (value < code::length_bucket) {
        length = static_cast<std::uint32_t>(value - code::length_exact);
    } else {
        const auto [start, width] = length_bucket(value - code::length_bucket);
        const std::uint32_t inside = bytes.size() == 1 ? bytes[0] : number16(bytes);
        length = start + std::min(inside, width - 1);
    }
    if (length > most_payload || (draft.tcp() && length == 0)) return false;
    draft.length = length;
    return true;
}

bool apply_sequence(Draft& draft, int value, Bytes bytes) {
    const Sender& me = draft.flow->own(draft.direction);
    if (value < code::sequence_distance) {
        if (value >= me.starts.count()) return false;
        draft.sequence = me.starts.at(value);
        return true;
    }
    // Relative to where the sender stands; a FIN sent again aside, that is what is expected.
    const auto base = sequence_base(draft);
    if (!base) return false;
    draft.sequence =
        *base + static_cast<std::uint32_t>(read_distance(value - code::sequence_distance, bytes));
    return true;
}

bool apply_acknowledgement(Draft& draft, int value, Bytes bytes) {
    const TcpSide &me = draft.flow->rules.own(draft.direction),
                  &peer = draft.flow->rules.peer(draft.direction);
    if (value == code::acknowledgement_same) {
        if (!me.acknowledged) return false;
        draft.acknowledgement = me.acknowledgement;
    } else if (value < code::acknowledgement_distance) {
        const auto& ends = draft.flow->peer(draft.direction).ends;
        const int rank = value - code::acknowledgement_lag;
        if (rank >= ends.count()) return false;
        draft.acknowledgement = ends.at(rank);
    } else {
        const std::uint32_t base = peer.seen ? peer.contiguous : 0;
        draft.acknowledgement =
            base + static_cast<std::uint32_t>(read_distance(value - code::acknowledgement_distance, bytes));
    }
    return true;
}

bool apply_window(Draft& draft, int value, Bytes bytes) {
    const Sender& me = draft.flow->own(draft.direction);
    if (value < code::recent_windows) {
        if (value >= me.windows.count()) return false;
        draft.window = me.windows.at(value);
    } else if (value < code::window_absolute) {
        if (me.windows.count() == 0) return false;
        const int window = me.windows.at(0) + value - code::window_step - code::window_steps;
        if (window < 0 || window > 65535) return false;
        draft.window = static_cast<std::uint16_t>(window);
    } else {
        draft.window = number16(bytes);
    }
    return true;
}

bool apply_option(Draft& draft, int value, Bytes bytes) {
    OptionList list = draft.last == Item::option && draft.options ? *draft.options : OptionList{};
    if (value == code::no_options) {
        if (draft.last == Item::option) return false;
        draft.options = OptionList{};
        return true;
    }
    if (value == code::sack || (value < code::other && value > code::end_of_list && list.has(value)))
        return false;
    if (value > code::sack && value < code::other && list.sack_blocks() > 0) return false;
    if (value >= code::other && bytes[0] <= tcp_option::nop) return false;  // these have no length
    list.add(value);
    if (list.size() > most_option_bytes) return false;
    if (value >= code::other) list.others.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    draft.options = std::move(list);
    return true;
}

bool apply_echo(Draft& draft, int value, Bytes bytes) {
    const auto& heard = draft.flow->peer(draft.direction).clock_values;
    if (value < code::echo_raw) {
        if (value >= heard.count()) return false;
        draft.echo = heard.at(value);
    } else {
        draft.echo = value == code::echo_zero ? 0 : number32(bytes);
    }
    return true;
}

/// Edges of the peer's segments: where they end, then where they begin.
bool apply_edge(Draft& draft, int value, Bytes bytes) {
    const Sender& peer = draft.flow->peer(draft.direction);
    if (value == code::edge_raw) {
        draft.edges.push_back(number32(bytes));
        return true;
    }
    const auto& boundaries = value < code::ring ? peer.ends : peer.starts;
    const int rank = value % code::ring;
    if (rank >= boundaries.count()) return false;
    draft.edges.push_back(boundaries.at(rank));
    return true;
}

bool apply_ip_id(const SessionBook& book, Draft& draft, int value) {
    const int index = draft.flow->hosts[static_cast<int>(draft.direction)];
    draft.ip_id_random = value == code::id_random;
    if (value == code::id_zero) {
        draft.ip_id = std::uint16_t{0};
    } else if (value < code::id_host) {
        draft.ip_id = static_cast<std::uint16_t>(expected_ip_id(book, draft) + value - code::id_back);
    } else if (value < code::id_random) {
        if (index < 0 || !book.host(index).ip_id_known) return false;
        draft.ip_id = static_cast<std::uint16_t>(book.host(index).ip_id + 1 + value - code::id_host);
    }
    return true;
}

bool apply_payload(const SessionBook& book, Draft& draft, int value, Bytes bytes) {
    const std::size_t at = draft.payload.size();
    const std::size_t room = std::min<std::size_t>(code::payload_bytes, draft.length.value_or(0)) - at;
    const auto& before = expected_payload(book, draft);
    const auto& peer = draft.flow->peer(draft.direction).payload;
    if (value < code::plus_one) {
        const auto& source = value < code::run_peer ? before : peer;
        const auto run = static_cast<std::size_t>(value % code::payload_bytes) + 1;
        if (run > room || at + run > source.size()) return false;
        draft.payload.insert(draft.payload.end(), source.begin() + static_cast<std::ptrdiff_t>(at),
                             source.begin() + static_cast<std::ptrdiff_t>(at + run));
        return true;
    }
    if (value >= code::run_random) {
        const auto run = static_cast<std::size_t>(value - code::run_random) + 1;
        if (run > room) return false;
        for (std::size_t i = at; i < at + run; ++i)
            draft.payload.push_back(draft.random_bytes ? (*draft.random_bytes)[i] : std::uint8_t{0});
        return true;
    }
    if (value == code::word_step) {
        const std::uint32_t step = draft.flow->own(draft.direction).payload_step;
        if (at != word_offset || room < 4 || before.size() < word_offset + 4 || step == 0) return false;
        std::array<std::uint8_t, 4> word;
        store32(word.data(), load32(&before[word_offset]) + step);
        draft.payload.insert(draft.payload.end(), word.begin(), word.end());
        return true;
    }
    if (room == 0) return false;
    if (value == code::plus_one) {
        if (at >= before.size()) return false;
        draft.payload.push_back(static_cast<std::uint8_t>(before[at] + 1));
    } else {
        draft.payload.push_back(bytes[0]);
    }
    return true;
}

}  // namespace

bool apply(const SessionBook& book, Draft& draft, ItemHead head, Bytes bytes) {
    const int value = head.value;
    bool applied = true;
    switch (head.item) {
        case Item::gap:
            draft.gap_bucket = value;
            break;
        case Item::flags:
            applied = apply_flags(draft, value, bytes);
            break;
        case Item::icmp:
            applied = apply_icmp(draft, value, bytes);
            break;
        case Item::length:
            applied = apply_length(book, draft, value, bytes);
            break;
        case Item::sequence:
            applied = apply_sequence(draft, value, bytes);
            break;
        case Item::acknowledgement:
            applied = apply_acknowledgement(draft, value, bytes);
            break;
        case Item::window:
            applied = apply_window(draft, value, bytes);
            break;
        case Item::urgent:
            if (value == code::urgent_pointer) draft.urgent_pointer = number16(bytes);
            if (value == code::reserved_bits) draft.reserved = bytes[0] & 0x0F;
            break;
        case Item::option:
            applied = apply_option(draft, value, bytes);
            break;
        case Item::mss:
            draft.mss = number16(bytes);
            break;
        case Item::window_scale:
            draft.window_scale = bytes[0];
            break;
        case Item::timestamp:
            draft.timestamp_distance = value < code::timestamp_distance
                                           ? value - code::timestamp_exact
                                           : read_distance(value - code::timestamp_distance, bytes);
            break;
        case Item::timestamp_echo:
            applied = apply_echo(draft, value, bytes);
            break;
        case Item::sack_edge:
            applied = apply_edge(draft, value, bytes);
            break;
        case Item::ttl:
            draft.ttl = bytes[0];
            break;
        case Item::tos:
            draft.tos = bytes[0];
            break;
        case Item::fragment_bits:
            draft.dont_fragment = value == 1;
            break;
        case Item::ip_id:
            applied = apply_ip_id(book, draft, value);
            break;
        case Item::flow_label:
            draft.flow_label = value;
            break;
        case Item::trailer:
            if (value == code::trailer_literal)
                draft.trailer = number16(bytes);
            else
                draft.pads = value == code::padded;
            break;
        case Item::macs:
            draft.other_macs = true;
            break;
        case Item::icmp_rest:
            draft.icmp_rest = number32(bytes);
            break;
        case Item::payload:
            applied = apply_payload(book, draft, value, bytes);
            break;
        default:
            return false;
    }
    if (applied) draft.last = head.item;
    return applied;
}

std::optional<Item> required_item(const Draft& draft) {
    if (draft.last < Item::gap) return Item::gap;
    if (draft.tcp()) {
        if (!draft.flags) return Item::flags;
        if (draft.has_payload && !draft.length) return Item::length;
        return std::nullopt;
    }
    if (!draft.udp() && !draft.icmp) return Item::icmp;
    if (!draft.length) return Item::length;
    return std::nullopt;
}

std::optional<Item> owed_item(const SessionBook& book, const Draft& draft) {
    if (draft.has(tcp_flag::syn) && !book.habit(*draft.flow, draft.direction, true).known) {
        const OptionList options = draft.options ? *draft.options : expected_options(book, draft);
        if (options.has(code::mss_option) && !draft.mss && draft.last < Item::mss) return Item::mss;
        if (options.has(code::scale_option) && !draft.window_scale && draft.last < Item::window_scale)
            return Item::window_scale;
    }
    const int host = draft.flow->hosts[static_cast<int>(draft.direction)];
    const bool known = (host >= 0 && book.host(host).ttl != 0) || draft.flow->own(draft.direction).seen;
    if (!known && !draft.ttl && draft.last < Item::ttl) return Item::ttl;
    return std::nullopt;
}

bool may_follow(const SessionBook& book, const Draft& draft, Item item) {
    if (const auto owed = owed_item(book, draft); owed && item > *owed) return false;
    const bool repeats =
        item == Item::option || item == Item::sack_edge || item == Item::payload || item == Item::urgent;
    if (item < draft.last || (item == draft.last && !repeats)) return false;
    const auto has_option = [&](int option) {
        return draft.tcp() && (draft.options ? *draft.options : expected_options(book, draft)).has(option);
    };
    switch (item) {
        case Item::sequence:
        case Item::acknowledgement:
        case Item::window:
        case Item::urgent:
        case Item::option:
            return draft.tcp();
        case Item::mss:
            return has_option(code::mss_option);
        case Item::window_scale:
            return has_option(code::scale_option);
        case Item::timestamp:
        case Item::timestamp_echo:
            return has_option(code::timestamps);
        case Item::sack_edge:
            return draft.tcp() && draft.options &&
                   static_cast<int>(draft.edges.size()) < 2 * draft.options->sack_blocks();
        case Item::ttl:
        case Item::tos:
        case Item::trailer:
        case Item::macs:
            return true;
        case Item::fragment_bits:
        case Item::ip_id:
            return draft.flow->version() == 4;
        case Item::flow_label:
            return draft.flow->version() == 6;
        case Item::icmp_rest:
            return !draft.tcp() && !draft.udp();
        case Item::payload:
            return draft.udp() && draft.payload.size() <
                                      std::min<std::size_t>(code::payload_bytes, draft.length.value_or(0));
        default:
            return false;
    }
}

}  // namespace tracebench::ssm
