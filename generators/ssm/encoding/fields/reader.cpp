#include "generators/ssm/encoding/fields/reader.h"

#include <algorithm>
#include <array>

#include "generators/ssm/encoding/fields/extent.h"
#include "generators/ssm/encoding/fields/gap.h"
#include "generators/ssm/encoding/fields/legality.h"

namespace tracebench::ssm {

namespace {

/// A FIN of each side and an acknowledgement.
constexpr std::uint64_t most_packets_to_end = 3;
/// Of a connection that does not manage to end as announced.
constexpr std::uint64_t most_packets_past_plan = 16;
/// What real captures have after the first reset or FIN, that one included: at most 7 and 9 in the lab set.
constexpr std::uint64_t most_packets_past_reset = 8, most_packets_past_fin = 16;

/// Where the connection stands for the sender (RFC 9293 section 3.3.2), beyond what rules may ask of
/// captures, which can miss packets: a connection begins with a SYN. A SYN in the middle, or one that answers
/// none, would begin another flow for whoever reads the capture.
bool may_send(const Draft& draft) {
    if (!draft.tcp()) return true;
    const bool syn = draft.has(tcp_flag::syn), ack = draft.has(tcp_flag::ack);
    if (draft.flow->rules.packets == 0) return syn && !ack;
    return !syn || (ack && draft.flow->phase() == Phase::opening);
}

}  // namespace

FieldsReader::FieldsReader(const Vocabulary& vocabulary, const ReaderOptions& options,
                           std::unique_ptr<Identities> identities)
    : vocabulary_(vocabulary), options_(options), identities_(std::move(identities)) {}

bool FieldsReader::is_legal(const Draft& draft) const {
    return !options_.constrained || passes_rules(resolve(book_, draft, identity_), draft);
}

bool FieldsReader::allowed(Token token) {
    if (ended_ || token < 0 || static_cast<std::size_t>(token) >= vocabulary_.size()) return false;
    const ItemHead head = vocabulary_.head(token);
    // Bytes are judged when their item is complete: see take().
    return pending_ ? head.item == Item::byte : head.item != Item::byte && allowed_head(head);
}

bool FieldsReader::allowed_head(ItemHead head) {
    const bool starts = head.item == Item::flow || head.item == Item::label || head.item == Item::end;
    switch (place_) {
        case Place::plan:
            return head.item == Item::flows;
        case Place::topic:
        case Place::service:
        case Place::state:
        case Place::left:
            return vocabulary_.token(head.item, head.value) == *forced();
        case Place::opening:
            if (const auto told = forced()) return vocabulary_.token(head.item, head.value) == *told;
            return head.item == opening_->next() && opening_->allowed(head.value, {}, options_.constrained);
        case Place::packet:
            if (!starts) return allowed_in_packet(head);
            if (required_item(draft_) || owed_item(book_, draft_)) return false;
            break;
        case Place::start:
            break;
    }
    if (head.item == Item::label)
        return vocabulary_.token(head.item, head.value) == options_.label && may_begin_flow();
    if (head.item == Item::end) return begun_ >= flows_ && is_complete();
    if (head.item != Item::flow) return false;
    return allowed_flow(head.value);
}

bool FieldsReader::may_begin_flow() const {
    if (begun_ < flows_) return true;
    // A model cannot count to a hundred: at the end of its plan it would as soon begin another flow as stop.
    const bool nothing_yet = begun_ == 0;
    return (options_.continuous || nothing_yet) && is_complete();
}

std::int64_t FieldsReader::time_ns() const {
    return place_ == Place::packet ? resolve(book_, draft_, identity_).time_ns : book_.now_ns;
}

const Conversation* FieldsReader::flow_at(int rank) const {
    // The flow of the packet that ends with this token is the most recent one then. If it begins, another may
    // have made room for it.
    if (place_ == Place::packet) {
        if (rank == 0) return draft_.flow;
        if (rank <= gone_rank_) --rank;
    }
    return rank < book_.flow_count() ? &book_.flow(book_.flow_at(rank)) : nullptr;
}

bool FieldsReader::goes_on(const Conversation& flow, std::int64_t now_ns) const {
    const bool current = place_ == Place::packet && &flow == draft_.flow;
    const bool has_left = flow.left() > (current ? 1 : 0);
    if (!options_.constrained) return has_left;
    if (current ? closes(flow) : flow.is_over(now_ns) || flow.is_closed()) return false;
    if (has_left || !flow.tcp()) return has_left;
    if (flow.packets >= flow.plan.packets + most_packets_past_plan) return false;
    return (current ? after_draft(flow) : flow).packets_to_end() > 0;
}

bool FieldsReader::is_turn(const Conversation& flow, Direction direction) const {
    if (direction == Direction::reverse && !flow.is_between_hosts()) return false;
    if (!flow.tcp()) return true;
    const bool current = place_ == Place::packet && &flow == draft_.flow;
    const bool syn = current && draft_.has(tcp_flag::syn), ack = current && draft_.has(tcp_flag::ack);
    if (syn ? !ack : flow.phase() == Phase::opening) return direction == Direction::reverse;
    if (syn) return direction == Direction::forward;
    if (flow.phase() != Phase::answered && flow.left() > (current ? 1 : 0) + most_packets_to_end) return true;
    const Conversation next = current ? after_draft(flow) : flow;
    if (next.phase() == Phase::answered) return direction == Direction::forward;
    return next.left() > static_cast<std::uint64_t>(next.packets_to_end()) || next.may_end(direction);
}

bool FieldsReader::closes(const Conversation& flow) const {
    if (flow.tcp() && draft_.has(tcp_flag::rst)) return true;
    if (!flow.tcp() || !flow.rules.side[0].fin || !flow.rules.side[1].fin) return false;
    return after_draft(flow).is_closed();
}

Conversation FieldsReader::after_draft(const Conversation& flow) const {
    Conversation after = flow;
    after.update(resolve(book_, draft_, identity_), draft_.direction);
    return after;
}

bool FieldsReader::keeps_ending(const Draft& draft) const {
    const Conversation& flow = *draft.flow;
    if (!draft.tcp() || draft.has(tcp_flag::syn)) return true;
    const Ending ending = flow.plan.ending;
    const bool fin = draft.has(tcp_flag::fin), rst = draft.has(tcp_flag::rst);
    if (rst) return ending == Ending::reset && flow.left() <= most_packets_past_reset;
    if (fin && (ending == Ending::open || flow.left() > most_packets_past_fin ||
                (ending == Ending::half_closed && flow.rules.peer(draft.direction).fin)))
        return false;
    if (!flow.rules.established) return true;  // the handshake comes first
    const bool ends = fin || flow.rules.own(draft.direction).fin;
    if (flow.left() > static_cast<std::uint64_t>(flow.packets_to_end()) || flow.packets_to_end() == 0 ||
        (ends && ending != Ending::reset))
        return true;
    // Now or never.
    Draft other = draft;
    const std::uint8_t needed = ending == Ending::reset ? tcp_flag::rst : tcp_flag::fin;
    other.flags = static_cast<std::uint8_t>(needed | tcp_flag::ack);
    return !passes_rules(resolve(book_, other, identity_), other);
}

bool FieldsReader::is_complete() const {
    const std::int64_t now_ns = time_ns();
    for (int rank = 0;; ++rank) {
        const Conversation* const flow = flow_at(rank);
        if (flow == nullptr || goes_on(*flow, now_ns)) return flow == nullptr;
    }
}

bool FieldsReader::allowed_flow(int value) const {
    const std::int64_t now_ns = time_ns();
    if (value != code::far_flow) {
        const Conversation* const flow = flow_at(value / 2);
        return flow != nullptr && goes_on(*flow, now_ns) &&
               (!options_.constrained ||
                is_turn(*flow, value % 2 == 0 ? Direction::forward : Direction::reverse));
    }
    for (int rank = code::near_flows;; ++rank) {
        const Conversation* const flow = flow_at(rank);
        if (flow == nullptr || goes_on(*flow, now_ns)) return flow != nullptr;
    }
}

bool FieldsReader::allowed_in_packet(ItemHead head) {
    if (const auto required = required_item(draft_)) {
        if (head.item != *required) return false;
    } else if (!may_follow(book_, draft_, head.item)) {
        return false;
    }
    Draft trial = draft_;
    if (head.item != Item::option && head.item != Item::sack_edge) settle_options(trial);
    const std::vector<std::uint8_t> some(static_cast<std::size_t>(Vocabulary::bytes_after(head)), 2);
    if (!apply(book_, trial, head, some)) return false;
    if (!options_.constrained || !some.empty()) return true;
    switch (head.item) {
        case Item::gap:
            return !draft_.flow->is_over(book_.now_ns + gap_start_ns(head.value) +
                                         gap_width_ns(head.value)) ||
                   head.value == 0;
        case Item::option:
            return option_may_be(head.value, draft_);
        case Item::flags:
            // Never a dead end: the combination in bytes stays, and take() sees to it that it is legal.
            return may_have_flags(trial);
        case Item::icmp:
        case Item::length:
        case Item::sequence:
        case Item::acknowledgement:
        case Item::window:
        case Item::timestamp:
        case Item::timestamp_echo:
        case Item::fragment_bits:
            return is_legal(trial);
        default:
            return true;  // no rule speaks of it, or only of the finished list
    }
}

bool FieldsReader::may_have_flags(const Draft& draft) const {
    if (!options_.constrained) return true;
    const Record record = resolve(book_, draft, identity_);
    return may_send(draft) && has_reason(record, draft) && keeps_ending(draft) && passes_rules(record, draft);
}

std::optional<std::uint8_t> FieldsReader::legal_flags() const {
    Draft draft = draft_;
    for (const std::uint8_t flags : usual_flags()) {
        draft.flags = flags;
        if (may_have_flags(draft)) return flags;
    }
    return std::nullopt;
}

std::optional<Token> FieldsReader::forced() {
    if (place_ == Place::opening && opening_->next() == Item::begun)
        return vocabulary_.token(Item::begun, begun_code(begun_, book_.last_version()));
    if (place_ == Place::topic || (place_ == Place::opening && opening_->next() == Item::topic))
        return vocabulary_.token(Item::topic, vocabulary_.head(options_.label).value);
    if (place_ == Place::service) {
        const int unknown = static_cast<int>(known_ports().size());
        return vocabulary_.token(Item::service,
                                 known_port(service_port(book_.flow(live_))).value_or(unknown));
    }
    if (place_ == Place::state) return vocabulary_.token(Item::state, book_.flow(live_).state(picked_));
    if (place_ == Place::left) return vocabulary_.token(Item::left, book_.flow(live_).told_left());
    return std::nullopt;
}

void FieldsReader::accept(Token token) {
    const ItemHead head = vocabulary_.head(token);
    if (pending_) {
        bytes_.push_back(static_cast<std::uint8_t>(head.value));
        if (static_cast<int>(bytes_.size()) < Vocabulary::bytes_after(*pending_)) return;
        const ItemHead complete = *pending_;
        pending_.reset();
        take(complete, bytes_);
        bytes_.clear();
        return;
    }
    if (Vocabulary::bytes_after(head) > 0) {
        pending_ = head;
        return;
    }
    take(head, {});
}

void FieldsReader::begin_packet(const Conversation& flow, Direction direction) {
    draft_ = {};
    draft_.flow = &flow;
    draft_.direction = direction;
    const int gone = live_ < 0 ? book_.replaced_by(fresh_) : live_;
    gone_rank_ = gone < 0 ? book_.flow_count() : book_.flow_rank(gone);
    place_ = Place::packet;
}

void FieldsReader::take_flow(int value) {
    int rank = std::min(value / 2, book_.flow_count() - 1);
    picked_ = value % 2 == 0 ? Direction::forward : Direction::reverse;
    // What was picked by its bytes may not go on: then the next more recent far flow that does, or a later
    // one.
    const auto fits = [&](int at) { return goes_on(book_.flow(book_.flow_at(at)), book_.now_ns); };
    while (rank > code::near_flows && !fits(rank)) --rank;
    while (!fits(rank) && rank + 1 < book_.flow_count()) ++rank;
    live_ = book_.flow_at(rank);
    // Of a far flow the side was named in bytes, too, before anybody could say whose turn it is.
    if (options_.constrained && !is_turn(book_.flow(live_), picked_)) picked_ = opposite(picked_);
    elsewhere_ = rank > 0;
    place_ = Place::topic;
    if (!elsewhere_) tell_left();
}

void FieldsReader::tell_left() {
    const Conversation& flow = book_.flow(live_);
    place_ = Place::left;
    if (!flow.tells_left(elsewhere_)) begin_packet(flow, picked_);
}

void FieldsReader::take(ItemHead head, std::span<const std::uint8_t> bytes) {
    if (head.item == Item::flow || head.item == Item::label || head.item == Item::end) {
        finish_packet();
        if (head.item == Item::end) {
            ended_ = true;
        } else if (head.item == Item::label) {
            opening_.emplace(book_);
            place_ = Place::opening;
        } else {
            take_flow(head.value == code::far_flow ? bytes[0] << 8 | bytes[1] : head.value);
        }
        return;
    }
    if (place_ == Place::plan) {
        flows_ = identities_->extent(head.value);
        place_ = Place::start;
    } else if (place_ == Place::topic) {
        place_ = Place::service;
    } else if (place_ == Place::service) {
        place_ = Place::state;
    } else if (place_ == Place::state) {
        tell_left();
    } else if (place_ == Place::left) {
        begin_packet(book_.flow(live_), picked_);
    } else if (place_ == Place::opening) {
        if (opening_->allowed(head.value, bytes, options_.constrained)) {
            opening_->accept(head.value, bytes, *identities_);
        } else {
            opening_->accept_other(*identities_);
            ++corrections_;
        }
        if (opening_->next()) return;
        fresh_ = opening_->flow();
        fresh_.rules.both_directions = options_.constrained;  // nobody else writes this trace
        ++begun_;
        live_ = -1;
        begin_packet(fresh_, Direction::forward);
    } else {
        if (head.item != Item::option && head.item != Item::sack_edge)
            corrections_ += static_cast<std::uint64_t>(settle_options(draft_));
        Draft trial = draft_;
        const bool applied = apply(book_, trial, head, bytes);
        if (head.item == Item::gap && applied) {
            identity_ = identities_->packet(book_.started ? head.value : -1);
            const auto macs =
                identities_->macs(trial.flow->ends[static_cast<int>(trial.direction)].address,
                                  trial.flow->ends[1 - static_cast<int>(trial.direction)].address);
            identity_.src_mac = macs.first;
            identity_.dst_mac = macs.second;
            trial.random_bytes = &identity_.payload;
        }
        const bool judged = !bytes.empty() && head.item != Item::option && head.item != Item::sack_edge;
        const bool legal = !judged || (head.item == Item::flags ? may_have_flags(trial) : is_legal(trial));
        if (applied && legal) {
            draft_ = std::move(trial);
            return;
        }
        ++corrections_;
        draft_.last = head.item;  // the grammar goes on behind what was dropped
        if (head.item == Item::length) draft_.length = draft_.tcp() ? 1U : 0U;
        if (head.item == Item::flags) draft_.flags = legal_flags().value_or(tcp_flag::ack);
        if (head.item == Item::icmp)
            draft_.icmp = std::uint16_t(draft_.flow->version() == 4 ? 8 << 8 : 128 << 8);
    }
}

int FieldsReader::settle_options(Draft& draft) const {
    if ((draft.last != Item::option && draft.last != Item::sack_edge) || is_legal(draft)) return 0;
    draft.edges.clear();
    if (is_legal(draft)) return 1;
    draft.options.reset();
    return 1;
}

void FieldsReader::finish_packet() {
    if (place_ != Place::packet) return;
    corrections_ += static_cast<std::uint64_t>(settle_options(draft_));
    Record record = resolve(book_, draft_, identity_);
    const FlowState& rules = draft_.flow->rules;
    if (options_.constrained && make_payload_legal(record, rules, draft_.direction)) ++corrections_;
    DecodedPacket packet;
    packet.time_ns = record.time_ns;
    packet.bytes = build_frame(record, options_.snap);
    packet.original_length = record.wire_bytes();
    done_.push_back(std::move(packet));
    if (packets_++ == 0) first_ns_ = record.time_ns;
    const Direction direction = draft_.direction;
    int place = live_;
    if (place < 0) {
        for (const std::size_t i : {0, 1}) fresh_.hosts[i] = book_.meet(fresh_.ends[i].address);
        place = book_.open(std::move(fresh_));
    }
    book_.update(place, record, direction);
    place_ = Place::start;
}

std::optional<DecodedPacket> FieldsReader::next_packet() {
    if (done_.empty()) return std::nullopt;
    DecodedPacket packet = std::move(done_.front());
    done_.pop_front();
    return packet;
}

}  // namespace tracebench::ssm
