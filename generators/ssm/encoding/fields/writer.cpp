#include "generators/ssm/encoding/fields/writer.h"

#include <algorithm>

#include "generators/ssm/encoding/fields/distance.h"
#include "generators/ssm/encoding/fields/extent.h"
#include "generators/ssm/encoding/fields/gap.h"
#include "generators/ssm/encoding/fields/item_bytes.h"
#include "generators/ssm/encoding/fields/length_bucket.h"
#include "generators/ssm/encoding/fields/opening.h"
#include "traffic/bytes.h"

namespace tracebench::ssm {
namespace {

/// Position of a value in a list of usual ones; its end where it is not there.
template <typename T>
int index_in(std::span<const T> usual, T value) {
    return static_cast<int>(std::find(usual.begin(), usual.end(), value) - usual.begin());
}

bool same(const Record& a, const Record& b) {
    const PacketFields &x = a.fields, &y = b.fields;
    return a.time_ns == b.time_ns && a.options == b.options && a.option_values == b.option_values &&
           a.trailer == b.trailer && x.src == y.src && x.dst == y.dst && x.protocol == y.protocol &&
           x.ttl == y.ttl && x.tos == y.tos && x.ip_id == y.ip_id && x.flow_label == y.flow_label &&
           (a.version() == 6 || x.dont_fragment == y.dont_fragment) && x.payload_length == y.payload_length &&
           x.src_mac == y.src_mac && x.dst_mac == y.dst_mac &&
           (!a.tcp() || (x.sequence == y.sequence && x.acknowledgement == y.acknowledgement &&
                         x.tcp_flags == y.tcp_flags && x.tcp_reserved == y.tcp_reserved &&
                         x.window == y.window && x.urgent_pointer == y.urgent_pointer)) &&
           (a.tcp() || a.udp() ||
            (x.icmp_type == y.icmp_type && x.icmp_code == y.icmp_code && x.icmp_rest == y.icmp_rest)) &&
           (!a.udp() || x.payload == y.payload);
}

}  // namespace

FieldsWriter::FieldsWriter(const Vocabulary& vocabulary, Token label, std::vector<FlowPlan> plans)
    : vocabulary_(vocabulary),
      label_(label),
      plans_(std::move(plans)),
      table_({}, [this](const Flow& flow) { places_.erase(flow.number); }) {
    tokens_.push_back(label);
    put({Item::flows, extent_bucket(plans_.size())});
    identities_.extents.push_back(plans_.size());
}

FieldsWriter::~FieldsWriter() = default;

void FieldsWriter::put(ItemHead head, std::span<const std::uint8_t> bytes) {
    tokens_.push_back(vocabulary_.token(head.item, head.value));
    for (const std::uint8_t byte : bytes) tokens_.push_back(vocabulary_.token(Item::byte, byte));
}

bool FieldsWriter::say(Draft& draft, ItemHead head, std::span<const std::uint8_t> bytes) {
    if (!apply(book_, draft, head, bytes)) return false;
    put(head, bytes);
    return true;
}

void FieldsWriter::add(const PacketView& packet) {
    const auto placed = table_.add(packet, dissect(packet));
    auto record = read_record(packet);
    if (!placed || !record) {
        ++left_out_;
        return;
    }
    if (record->udp())
        record->fields.payload.resize(
            std::min<std::size_t>(code::payload_bytes, record->fields.payload_length));
    const std::size_t tokens = tokens_.size(), addresses = identities_.addresses.size(),
                      extents = identities_.extents.size(), ports = identities_.ports.size(),
                      packets = identities_.packets.size();
    if (write(*record, placed->flow)) {
        ++packets_;
        return;
    }
    ++left_out_;
    tokens_.resize(tokens);
    identities_.addresses.resize(addresses);
    identities_.ports.resize(ports);
    identities_.extents.resize(extents);
    identities_.packets.resize(packets);
}

PacketIdentity FieldsWriter::identity_of(const Record& record, const Draft& draft) const {
    const PacketFields& f = record.fields;
    PacketIdentity identity;
    identity.gap_offset_ns = record.time_ns;
    if (book_.started) {
        const std::int64_t gap = std::max<std::int64_t>(record.time_ns - book_.now_ns, 0);
        identity.gap_offset_ns = gap - gap_start_ns(gap_bucket(gap));
    }
    identity.sequence = f.sequence;
    identity.acknowledgement = f.acknowledgement;
    identity.timestamp = record.option_values.timestamp;
    identity.echo = record.option_values.echo;
    identity.ip_id = f.ip_id;
    identity.flow_label = f.flow_label;
    identity.icmp_rest = f.icmp_rest;
    identity.src_mac = f.src_mac;
    identity.dst_mac = f.dst_mac;
    std::copy_n(f.payload.begin(), std::min(f.payload.size(), identity.payload.size()),
                identity.payload.begin());
    const TimestampClock& clock = draft.flow->own(draft.direction).clock;
    if (record.options.has(code::timestamps) && clock.started()) {
        const std::int32_t noise = sequence_distance(identity.timestamp, clock.predict(record.time_ns));
        const auto tolerance = static_cast<std::int32_t>(std::min(clock.tolerance(record.time_ns), 1U << 30));
        if (noise >= -tolerance && noise <= tolerance) identity.timestamp_noise = noise;
    }
    return identity;
}

bool FieldsWriter::write(const Record& record, std::uint64_t flow) {
    const auto known = places_.find(flow);
    const bool live =
        known != places_.end() && book_.generation(known->second.place) == known->second.generation;
    Draft draft;
    Conversation fresh;
    Direction direction = Direction::forward;
    const int topic = vocabulary_.head(label_).value;
    if (live) {
        const int place = known->second.place, rank = book_.flow_rank(place);
        // Not FlowTable's direction: its first packet may have been left out.
        if (record.fields.src != book_.flow(place).ends[0]) direction = Direction::reverse;
        const int side = static_cast<int>(direction);
        if (rank < code::near_flows) {
            put({Item::flow, rank * 2 + side});
        } else {
            put({Item::flow, code::far_flow}, bytes16(static_cast<std::uint32_t>(rank * 2 + side)));
        }
        draft.flow = &book_.flow(place);
        draft.direction = direction;
        const Conversation& conversation = *draft.flow;
        if (rank > 0) {
            const int unknown = static_cast<int>(known_ports().size());
            put({Item::topic, topic});
            put({Item::service, known_port(service_port(*draft.flow)).value_or(unknown)});
            put({Item::state, draft.flow->state(direction)});
        }
        if (conversation.left() > 0 && conversation.tells_left(rank > 0))
            put({Item::left, conversation.told_left()});
    } else {
        tokens_.push_back(label_);
        const std::size_t number = seen_.size();
        if (number < plans_.size()) fresh.plan = plans_[number];
        for (const OpeningItem& item : write_opening(book_, record, fresh.plan, number, topic, identities_))
            put(item.head, item.bytes);
        fresh.protocol = record.fields.protocol;
        fresh.ends[0] = record.fields.src;
        fresh.ends[1] = record.fields.dst;
        for (const std::size_t i : {0, 1}) {
            const auto rank = book_.host_rank(fresh.ends[i].address);
            fresh.hosts[i] = rank ? book_.host_at(*rank) : -1;
        }
        draft.flow = &fresh;
    }
    const PacketIdentity identity = identity_of(record, draft);
    draft.random_bytes = &identity.payload;
    const std::int64_t gap = book_.started ? record.time_ns - book_.now_ns : 0;
    if (!say(draft, {Item::gap, gap_bucket(std::max<std::int64_t>(gap, 0))})) return false;
    if (!say_transport(draft, record, identity) || !say_options(draft, record, identity) ||
        !say_network(draft, record, identity) || !say_payload(draft, record, identity))
        return false;
    if (!same(resolve(book_, draft, identity), record)) return false;

    identities_.packets.push_back(identity);
    int place = live ? known->second.place : 0;
    if (!live) {
        for (const std::size_t i : {0, 1}) fresh.hosts[i] = book_.meet(fresh.ends[i].address);
        place = book_.open(std::move(fresh));
        places_[flow] = {place, book_.generation(place), seen_.size()};
        seen_.emplace_back();
    }
    book_.update(place, record, direction);
    FlowPlan& seen = seen_[places_[flow].flow];
    ++seen.packets;
    seen.ending = book_.flow(place).ending();
    return true;
}

bool FieldsWriter::say_transport(Draft& draft, const Record& actual, const PacketIdentity& identity) {
    const PacketFields& f = actual.fields;
    const Sender &me = draft.flow->own(draft.direction), &peer = draft.flow->peer(draft.direction);
    if (actual.tcp()) {
        const int usual = index_in(usual_flags(), f.tcp_flags),
                  count = static_cast<int>(usual_flags().size());
        const bool payload = f.payload_length > 0;
        if (usual < count) {
            say(draft, {Item::flags, usual + (payload ? count : 0)});
        } else {
            say(draft, {Item::flags, 2 * count},
                std::vector<std::uint8_t>{f.tcp_flags, static_cast<std::uint8_t>(payload)});
        }
    } else if (!actual.udp()) {
        const auto type = static_cast<std::uint16_t>(f.icmp_type << 8 | f.icmp_code);
        const int usual = index_in(usual_icmp(), type);
        say(draft, {Item::icmp, usual},
            usual < static_cast<int>(usual_icmp().size()) ? std::vector<std::uint8_t>{} : bytes16(type));
    }
    if (!actual.tcp() || f.payload_length > 0) {
        const std::uint32_t segment =
            actual.tcp() ? draft.flow->segment_size(draft.direction, expected_options(book_, draft)) : 0;
        if (f.payload_length == me.last_length && (me.last_length > 0 || me.seen) &&
            !(actual.tcp() && me.last_length == 0)) {
            if (!say(draft, {Item::length, code::length_same})) return false;
        } else if (segment > 0 && f.payload_length % segment == 0 &&
                   f.payload_length / segment <= code::segments) {
            if (!say(draft, {Item::length, static_cast<int>(f.payload_length / segment)})) return false;
        } else if (f.payload_length < code::exact_lengths) {
            if (!say(draft, {Item::length, code::length_exact + static_cast<int>(f.payload_length)}))
                return false;
        } else {
            const int bucket = bucket_of_length(f.payload_length);
            const auto [start, width] = length_bucket(bucket);
            const ItemHead head{Item::length, code::length_bucket + bucket};
            auto inside = bytes16(f.payload_length - start);
            if (Vocabulary::bytes_after(head) == 1) inside.erase(inside.begin());
            if (!say(draft, head, inside)) return false;
        }
    }
    if (!actual.tcp()) return true;

    if (f.sequence != expected_sequence(draft, identity)) {
        if (const auto rank = me.starts.find(f.sequence)) {
            if (!say(draft, {Item::sequence, *rank})) return false;
        } else {
            const Distance d =
                write_distance(sequence_distance(f.sequence, sequence_base(draft).value_or(0)));
            if (!say(draft, {Item::sequence, code::sequence_distance + d.value}, d.bytes)) return false;
        }
    }
    if (f.acknowledgement != expected_acknowledgement(draft, identity)) {
        const TcpSide &mine = draft.flow->rules.own(draft.direction),
                      &theirs = draft.flow->rules.peer(draft.direction);
        if (mine.acknowledged && f.acknowledgement == mine.acknowledgement) {
            if (!say(draft, {Item::acknowledgement, code::acknowledgement_same})) return false;
        } else if (const auto rank = peer.ends.find(f.acknowledgement)) {
            if (!say(draft, {Item::acknowledgement, code::acknowledgement_lag + *rank})) return false;
        } else {
            const Distance d =
                write_distance(sequence_distance(f.acknowledgement, theirs.seen ? theirs.contiguous : 0));
            if (!say(draft, {Item::acknowledgement, code::acknowledgement_distance + d.value}, d.bytes))
                return false;
        }
    }
    if (const std::uint16_t expected = resolve(book_, draft, identity).fields.window; f.window != expected) {
        const int step = me.windows.count() > 0 ? f.window - me.windows.at(0) : code::window_steps + 1;
        if (const auto rank = me.windows.find(f.window)) {
            if (!say(draft, {Item::window, *rank})) return false;
        } else if (std::abs(step) <= code::window_steps) {
            if (!say(draft, {Item::window, code::window_step + code::window_steps + step})) return false;
        } else if (!say(draft, {Item::window, code::window_absolute}, bytes16(f.window))) {
            return false;
        }
    }
    if (f.urgent_pointer != 0 && !say(draft, {Item::urgent, code::urgent_pointer}, bytes16(f.urgent_pointer)))
        return false;
    return f.tcp_reserved == 0 ||
           say(draft, {Item::urgent, code::reserved_bits}, std::vector<std::uint8_t>{f.tcp_reserved});
}

bool FieldsWriter::say_options(Draft& draft, const Record& actual, const PacketIdentity& identity) {
    if (!actual.tcp()) return true;
    if (actual.options != expected_options(book_, draft)) {
        if (actual.options.count == 0 && !say(draft, {Item::option, code::no_options})) return false;
        std::size_t other = 0;
        for (std::size_t i = 0; i < actual.options.count; ++i) {
            const int option = actual.options.codes[i];
            std::vector<std::uint8_t> bytes;
            if (option >= code::other) {
                const auto size = static_cast<std::size_t>(option - code::other + 1);
                bytes.assign(actual.options.others.begin() + static_cast<std::ptrdiff_t>(other),
                             actual.options.others.begin() + static_cast<std::ptrdiff_t>(other + size));
                other += size;
            }
            if (!say(draft, {Item::option, option}, bytes)) return false;
        }
    }
    if (actual.options.count == 0) return true;
    const OptionValues expected = resolve(book_, draft, identity).option_values;
    const OptionValues& values = actual.option_values;
    if ((values.mss != expected.mss || owed_item(book_, draft) == Item::mss) &&
        !say(draft, {Item::mss, 0}, bytes16(values.mss)))
        return false;
    if ((values.window_scale != expected.window_scale || owed_item(book_, draft) == Item::window_scale) &&
        !say(draft, {Item::window_scale, 0}, std::vector<std::uint8_t>{values.window_scale}))
        return false;
    if (values.timestamp != expected.timestamp) {
        const std::int32_t ahead =
            sequence_distance(values.timestamp, expected_timestamp(draft, identity, actual.time_ns));
        if (std::abs(ahead) <= code::timestamp_exact) {
            if (!say(draft, {Item::timestamp, code::timestamp_exact + ahead})) return false;
        } else {
            const Distance d = write_distance(ahead);
            if (!say(draft, {Item::timestamp, code::timestamp_distance + d.value}, d.bytes)) return false;
        }
    }
    if (values.echo != expected.echo) {
        const auto rank = draft.flow->peer(draft.direction).clock_values.find(values.echo);
        const bool zero = values.echo == 0;
        if (!say(draft,
                 {Item::timestamp_echo, zero   ? code::echo_zero
                                        : rank ? *rank
                                               : code::echo_raw},
                 zero || rank ? std::vector<std::uint8_t>{} : bytes32(values.echo)))
            return false;
    }
    if (values.edges != expected.edges) {
        const Sender& peer = draft.flow->peer(draft.direction);
        for (std::size_t i = 0; i < 2 * static_cast<std::size_t>(actual.options.sack_blocks()); ++i) {
            const auto end = peer.ends.find(values.edges[i]), start = peer.starts.find(values.edges[i]);
            const int value = end ? *end : start ? code::ring + *start : code::edge_raw;
            if (!say(draft, {Item::sack_edge, value},
                     end || start ? std::vector<std::uint8_t>{} : bytes32(values.edges[i])))
                return false;
        }
    }
    return true;
}

bool FieldsWriter::say_network(Draft& draft, const Record& actual, const PacketIdentity& identity) {
    const Record expected = resolve(book_, draft, identity);
    const PacketFields &f = actual.fields, &e = expected.fields;
    if ((f.ttl != e.ttl || owed_item(book_, draft) == Item::ttl) &&
        !say(draft, {Item::ttl, 0}, std::vector<std::uint8_t>{f.ttl}))
        return false;
    if (f.tos != e.tos && !say(draft, {Item::tos, 0}, std::vector<std::uint8_t>{f.tos})) return false;
    if (actual.version() == 4) {
        if (f.dont_fragment != e.dont_fragment && !say(draft, {Item::fragment_bits, f.dont_fragment ? 1 : 0}))
            return false;
        if (f.ip_id != e.ip_id) {
            const int step = static_cast<std::int16_t>(f.ip_id - expected_ip_id(book_, draft));
            const int index = draft.flow->hosts[static_cast<int>(draft.direction)];
            const bool host_known = index >= 0 && book_.host(index).ip_id_known;
            const int host_step =
                host_known ? static_cast<std::uint16_t>(f.ip_id - book_.host(index).ip_id - 1) : -1;
            int value = code::id_random;
            if (f.ip_id == 0)
                value = code::id_zero;
            else if (host_step >= 0 && host_step < code::id_host_ahead)
                value = code::id_host + host_step;
            else if (step >= -code::id_back && step <= code::id_ahead)
                value = code::id_back + step;
            if (!say(draft, {Item::ip_id, value})) return false;
        }
    } else if (f.flow_label != e.flow_label &&
               !say(draft, {Item::flow_label, f.flow_label == 0 ? code::label_zero : code::label_random})) {
        return false;
    }
    if (actual.trailer != expected.trailer) {
        const std::uint32_t bare = actual.wire_bytes() - actual.trailer;
        if (bare < 60 && actual.trailer == 60 - bare) {
            if (!say(draft, {Item::trailer, code::padded})) return false;
        } else if (actual.trailer == 0) {
            if (!say(draft, {Item::trailer, code::not_padded})) return false;
        } else if (!say(draft, {Item::trailer, code::trailer_literal}, bytes16(actual.trailer))) {
            return false;
        }
    }
    if (f.src_mac != e.src_mac || f.dst_mac != e.dst_mac) return say(draft, {Item::macs, 0});
    return true;
}

bool FieldsWriter::say_payload(Draft& draft, const Record& actual, const PacketIdentity& identity) {
    const PacketFields& f = actual.fields;
    if (actual.tcp()) return true;
    if (!actual.udp()) {
        const Record expected = resolve(book_, draft, identity);
        return f.icmp_rest == expected.fields.icmp_rest ||
               say(draft, {Item::icmp_rest, 0}, bytes32(f.icmp_rest));
    }
    const std::vector<std::uint8_t> before = expected_payload(book_, draft);
    const std::vector<std::uint8_t>& peer = draft.flow->peer(draft.direction).payload;
    const auto run = [&](const std::vector<std::uint8_t>& source, std::size_t at) {
        std::size_t length = 0;
        while (at + length < f.payload.size() && at + length < source.size() &&
               source[at + length] == f.payload[at + length])
            ++length;
        return length;
    };
    // What is expected to the end need not be said.
    std::size_t end = f.payload.size();
    const auto expected = [&](std::size_t i) { return i < before.size() ? before[i] : std::uint8_t{0}; };
    while (end > 0 && f.payload[end - 1] == expected(end - 1)) --end;
    const std::uint32_t step = draft.flow->own(draft.direction).payload_step;
    for (std::size_t at = 0; at < end;) {
        const std::size_t as_before = std::min(run(before, at), end - at),
                          as_peer = std::min(run(peer, at), end - at);
        const auto is_plus_one = [&](std::size_t i) {
            return i < before.size() && f.payload[i] == static_cast<std::uint8_t>(before[i] + 1);
        };
        if (as_peer > as_before && as_peer >= 2) {
            if (!say(draft, {Item::payload, code::run_peer + static_cast<int>(as_peer) - 1})) return false;
        } else if (as_before > 0) {
            if (!say(draft, {Item::payload, code::run_same + static_cast<int>(as_before) - 1})) return false;
        } else if (at == 4 && step != 0 && before.size() >= 8 && f.payload.size() >= 8 &&
                   load32(&f.payload[4]) == load32(&before[4]) + step) {
            if (!say(draft, {Item::payload, code::word_step})) return false;
        } else if (is_plus_one(at)) {
            if (!say(draft, {Item::payload, code::plus_one})) return false;
        } else {
            std::size_t length = 1;
            while (at + length < end && run(before, at + length) == 0 && run(peer, at + length) < 2 &&
                   !is_plus_one(at + length))
                ++length;
            const bool one = length == 1;
            if (!say(draft,
                     {Item::payload,
                      one ? code::literal_byte : code::run_random + static_cast<int>(length) - 1},
                     one ? std::span(&f.payload[at], 1) : std::span<const std::uint8_t>()))
                return false;
        }
        at = draft.payload.size();
    }
    return true;
}

std::vector<Token> FieldsWriter::finish() {
    put({Item::end, 0});
    return std::move(tokens_);
}

}  // namespace tracebench::ssm
