#include "generators/ssm/encoding/fields/session_book.h"

#include <algorithm>

namespace tracebench::ssm {
namespace {

void to_front(std::vector<int>& recent, std::size_t rank) {
    std::rotate(recent.begin(), recent.begin() + static_cast<std::ptrdiff_t>(rank),
                recent.begin() + static_cast<std::ptrdiff_t>(rank) + 1);
}

std::optional<int> rank_of(const std::vector<int>& recent, int value) {
    const auto found = std::find(recent.begin(), recent.end(), value);
    if (found == recent.end()) return std::nullopt;
    return static_cast<int>(found - recent.begin());
}

}  // namespace

SessionBook::SessionBook() {
    for (std::size_t i = 0; i < habits_.size(); ++i) {
        const bool tcp = i / 8 == 0, v6 = i / 4 % 2 != 0, syn = i % 2 != 0;
        Habit& habit = habits_[i];
        if (!tcp || !syn) continue;
        for (const int option :
             {code::mss_option, code::sack_permitted, code::timestamps, code::nop, code::scale_option})
            habit.options.add(option);
        habit.mss = v6 ? 1440 : 1460;
        habit.window_scale = 7;
    }
}

SessionBook::LiveKey SessionBook::key_of(std::uint8_t protocol, const Endpoint& a, const Endpoint& b) {
    return a < b ? LiveKey{protocol, a, b} : LiveKey{protocol, b, a};
}

int SessionBook::flow_rank(int place) const {
    return rank_of(recent_flows_, place).value_or(-1);
}

bool SessionBook::is_live(std::uint8_t protocol, const Endpoint& a, const Endpoint& b) const {
    const auto found = live_.find(key_of(protocol, a, b));
    return found != live_.end() && !flow(found->second).has_ended(now_ns);
}

int SessionBook::replaced_by(const Conversation& conversation) const {
    const auto same = live_.find(key_of(conversation.protocol, conversation.ends[0], conversation.ends[1]));
    if (same != live_.end()) return same->second;
    return flows_.size() == most_flows ? recent_flows_.back() : -1;
}

int SessionBook::open(Conversation conversation) {
    const LiveKey key = key_of(conversation.protocol, conversation.ends[0], conversation.ends[1]);
    int place = replaced_by(conversation);
    if (place >= 0) {
        const Conversation& old = flow(place);
        live_.erase(key_of(old.protocol, old.ends[0], old.ends[1]));
        to_front(recent_flows_, static_cast<std::size_t>(flow_rank(place)));
    } else {
        place = static_cast<int>(flows_.size());
        flows_.emplace_back();
        generations_.push_back(0);
        recent_flows_.insert(recent_flows_.begin(), place);
    }
    live_[key] = place;
    last_version_ = conversation.version();
    ++generations_[static_cast<std::size_t>(place)];
    note_port(conversation.hosts[0], conversation.ends[0].port);
    note_port(conversation.hosts[1], conversation.ends[1].port);
    flow(place) = std::move(conversation);
    return place;
}

std::optional<int> SessionBook::host_rank(const IpAddress& address) const {
    const auto found = host_index_.find(address);
    if (found == host_index_.end()) return std::nullopt;
    return rank_of(recent_hosts_, found->second);
}

int SessionBook::meet(const IpAddress& address) {
    if (const auto rank = host_rank(address)) {
        to_front(recent_hosts_, static_cast<std::size_t>(*rank));
        return recent_hosts_.front();
    }
    int index = static_cast<int>(hosts_.size());
    if (hosts_.size() == most_hosts) {
        index = recent_hosts_.back();
        host_index_.erase(host(index).address);
        recent_hosts_.pop_back();
    } else {
        hosts_.emplace_back();
    }
    hosts_[static_cast<std::size_t>(index)] = {};
    hosts_[static_cast<std::size_t>(index)].address = address;
    host_index_[address] = index;
    recent_hosts_.insert(recent_hosts_.begin(), index);
    return index;
}

std::size_t SessionBook::habit_index(const Conversation& flow, Direction d, bool syn) {
    const std::size_t protocol = flow.tcp() ? 0 : flow.protocol == ip_protocol::udp ? 1 : 2;
    return ((protocol * 2 + (flow.version() == 6 ? 1 : 0)) * 2 + static_cast<std::size_t>(d)) * 2 +
           (syn ? 1 : 0);
}

const Habit& SessionBook::habit(const Conversation& flow, Direction d, bool syn) const {
    return habits_[habit_index(flow, d, syn)];
}

const std::vector<std::uint8_t>& SessionBook::usual_payload(const Conversation& flow, Direction d) const {
    static const std::vector<std::uint8_t> none;
    const auto found = payloads_.find(service_port(flow) * 2U + static_cast<std::uint32_t>(d));
    return found == payloads_.end() ? none : found->second;
}

void SessionBook::update(int place, const Record& record, Direction d) {
    Conversation& conversation = flow(place);
    const PacketFields& f = record.fields;
    const bool syn = record.has(tcp_flag::syn), rst = record.has(tcp_flag::rst);
    const bool first_of_kind = record.tcp() && !syn && !rst && conversation.own(d).last_was_syn;
    conversation.update(record, d);
    if (!rst) {
        Habit& habit = habits_[habit_index(conversation, d, syn)];
        habit.known = true;
        habit.ttl = f.ttl;
        habit.tos = f.tos;
        habit.dont_fragment = f.dont_fragment;
        habit.pads = conversation.own(d).pads;
        habit.labelled = f.flow_label != 0;
        if (syn || first_of_kind) habit.window = f.window;
        if (record.options.sack_blocks() == 0) habit.options = record.options;
        if (record.options.has(code::mss_option)) habit.mss = record.option_values.mss;
        if (record.options.has(code::scale_option)) habit.window_scale = record.option_values.window_scale;
    }
    Host& sender = hosts_[static_cast<std::size_t>(conversation.hosts[static_cast<int>(d)])];
    sender.ttl = f.ttl;
    if (record.version() == 4) {
        sender.ip_id = f.ip_id;
        sender.ip_id_known = true;
    }
    if (record.udp()) {
        const std::uint32_t key = service_port(conversation) * 2U + static_cast<std::uint32_t>(d);
        if (payloads_.size() >= most_services && !payloads_.contains(key)) payloads_.clear();
        payloads_[key] = f.payload;
    }
    to_front(recent_flows_, static_cast<std::size_t>(flow_rank(place)));
    now_ns = record.time_ns;
    started = true;
}

std::uint16_t service_port(const Conversation& flow) {
    const std::uint16_t a = flow.ends[0].port, b = flow.ends[1].port;
    const bool a_known = known_port(a).has_value(), b_known = known_port(b).has_value();
    if (a_known != b_known) return a_known ? a : b;
    return std::min(a, b);
}

}  // namespace tracebench::ssm
