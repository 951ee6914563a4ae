#include "traffic/flow_table.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "traffic/bytes.h"
#include "traffic/flow_index.h"
#include "traffic/tcp_analysis.h"

namespace tracebench {
namespace {

/// A FlowKey in five words: compared and hashed for every packet. An address is one number (IPv4) or two, so
/// that they order as in FlowKey.
struct PackedKey {
    std::uint64_t low[2] = {0, 0}, high[2] = {0, 0};
    std::uint64_t rest = 0;  ///< port of low, port of high, VLAN, protocol, IP version

    std::uint8_t protocol() const { return static_cast<std::uint8_t>(rest >> 8); }
    bool operator==(const PackedKey& o) const {
        return ((low[0] ^ o.low[0]) | (low[1] ^ o.low[1]) | (high[0] ^ o.high[0]) | (high[1] ^ o.high[1]) |
                (rest ^ o.rest)) == 0;
    }
};

std::uint64_t load64(const std::uint8_t* p) {
    return std::uint64_t{load32(p)} << 32 | load32(p + 4);
}

/// True where the packet goes from high to low.
bool pack(const Headers& h, PackedKey& key) {
    std::uint64_t src[2], dst[2];
    const std::uint8_t* const ip = h.ip();
    if (h.ip_version == 4) {
        src[0] = load32(ip + 12), dst[0] = load32(ip + 16);
        src[1] = dst[1] = 0;
    } else {
        src[0] = load64(ip + 8), src[1] = load64(ip + 16);
        dst[0] = load64(ip + 24), dst[1] = load64(ip + 32);
    }
    std::uint64_t src_port = 0, dst_port = 0;
    if (h.has_ports()) src_port = load16(h.transport()), dst_port = load16(h.transport() + 2);
    bool from_high = src_port > dst_port;
    if (src[1] != dst[1]) from_high = src[1] > dst[1];
    if (src[0] != dst[0]) from_high = src[0] > dst[0];
    const auto copy = [](std::uint64_t* to, const std::uint64_t* from) { to[0] = from[0], to[1] = from[1]; };
    copy(key.low, from_high ? dst : src);
    copy(key.high, from_high ? src : dst);
    const std::uint64_t low_port = from_high ? dst_port : src_port,
                        high_port = from_high ? src_port : dst_port;
    key.rest = low_port << 48 | high_port << 32 | std::uint64_t{h.vlan} << 16 |
               std::uint64_t{h.protocol} << 8 | h.ip_version;
    return from_high;
}

Endpoint endpoint(const std::uint64_t address[2], std::uint16_t port, std::uint8_t version) {
    Endpoint result;
    result.port = port;
    result.address.version = version;
    std::uint8_t* const bytes = result.address.bytes.data();
    if (version == 4) {
        store32(bytes, static_cast<std::uint32_t>(address[0]));
        return result;
    }
    for (int word = 0; word < 2; ++word) {
        store32(bytes + 8 * word, static_cast<std::uint32_t>(address[word] >> 32));
        store32(bytes + 8 * word + 4, static_cast<std::uint32_t>(address[word]));
    }
    return result;
}

FlowKey unpack(const PackedKey& key) {
    FlowKey result;
    const auto version = static_cast<std::uint8_t>(key.rest);
    result.low = endpoint(key.low, static_cast<std::uint16_t>(key.rest >> 48), version);
    result.high = endpoint(key.high, static_cast<std::uint16_t>(key.rest >> 32), version);
    result.protocol = key.protocol();
    result.vlan = static_cast<std::uint16_t>(key.rest >> 16);
    return result;
}

/// A live flow. What every packet touches stands first and in one piece.
struct alignas(64) Entry {
    PackedKey key;
    std::uint64_t number = 0;
    std::int64_t first_ns = 0, last_ns = 0;
    std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};
    std::uint32_t hash = 0;
    std::uint8_t tcp_flags[2] = {0, 0};
    bool from_high = false;  ///< the first packet went from high to low
    bool live = false;
    TcpAnalysis tcp;

    bool is_tcp() const { return key.protocol() == ip_protocol::tcp; }
};

}  // namespace

struct FlowTable::State {
    FlowOptions options;
    Sink sink;
    Pool<Entry> entries;
    HashIndex index;
    std::size_t live = 0;
    std::uint64_t next_number = 0, evicted = 0;
    std::uint64_t seed = 0;
    std::int64_t tcp_idle_ns = 0, other_idle_ns = 0;
    std::uint32_t last = no_entry;  ///< entry of the last packet: packets of a flow come in trains

    /// The flows idle longest, latest first, when there last were too many. One that had a packet since is
    /// no longer as old as it says here and is passed over.
    struct Oldest {
        std::int64_t last_ns;
        std::uint64_t number;
        std::uint32_t entry;
    };
    std::vector<Oldest> oldest;

    std::uint32_t hash(const PackedKey& key) const {
        std::uint64_t h = seed;
        for (const std::uint64_t word : {key.low[0], key.low[1], key.high[0], key.high[1], key.rest}) {
            h = (h ^ word) * 0x9E3779B97F4A7C15;
            h ^= h >> 32;
        }
        return static_cast<std::uint32_t>(h);
    }

    void report(const Entry& entry) const {
        Flow flow;
        flow.number = entry.number;
        flow.key = unpack(entry.key);
        flow.src = entry.from_high ? flow.key.high : flow.key.low;
        flow.dst = entry.from_high ? flow.key.low : flow.key.high;
        flow.first_ns = entry.first_ns;
        flow.last_ns = entry.last_ns;
        std::copy_n(entry.packets, 2, flow.packets);
        std::copy_n(entry.bytes, 2, flow.bytes);
        std::copy_n(entry.tcp_flags, 2, flow.tcp_flags);
        flow.handshake = entry.tcp.handshake();
        flow.closed = entry.tcp.closed();
        flow.retransmissions = entry.tcp.retransmissions();
        flow.out_of_order = entry.tcp.out_of_order();
        flow.duplicate_acks = entry.tcp.duplicate_acks();
        flow.zero_windows = entry.tcp.zero_windows();
        flow.keep_alives = entry.tcp.keep_alives();
        flow.rtt_ms = entry.tcp.rtt_ms();
        if (sink) sink(flow);
    }

    void end(std::uint32_t at) {
        const Entry& entry = entries[at];
        report(entry);
        index.erase(entry.hash, at);
        entries.release(at);
        --live;
        if (last == at) last = no_entry;
    }

    bool idle(const Entry& entry, std::int64_t now) const {
        return now - entry.last_ns > (entry.is_tcp() ? tcp_idle_ns : other_idle_ns);
    }

    void find_oldest() {
        oldest.clear();
        for (std::uint32_t at = 0; at < entries.size(); ++at)
            if (const Entry& entry = entries[at]; entry.live)
                oldest.push_back({entry.last_ns, entry.number, at});
        const auto later = [](const Oldest& a, const Oldest& b) {
            return a.last_ns != b.last_ns ? a.last_ns > b.last_ns : a.number > b.number;
        };
        const std::size_t keep = std::max<std::size_t>(1, oldest.size() / 16);
        const auto first = oldest.end() - static_cast<std::ptrdiff_t>(keep);
        std::nth_element(oldest.begin(), first, oldest.end(), later);
        oldest.erase(oldest.begin(), first);
        std::sort(oldest.begin(), oldest.end(), later);
    }

    void evict_oldest(std::int64_t now) {
        for (;;) {
            if (oldest.empty()) find_oldest();
            const Oldest candidate = oldest.back();
            oldest.pop_back();
            const Entry& entry = entries[candidate.entry];
            if (!entry.live || entry.number != candidate.number || entry.last_ns != candidate.last_ns)
                continue;
            if (!idle(entry, now)) ++evicted;
            return end(candidate.entry);
        }
    }

    std::uint32_t begin(const PackedKey& key, std::uint32_t hashed, bool from_high, std::int64_t now) {
        if (live >= options.max_live) evict_oldest(now);
        const std::uint32_t at = entries.make();
        Entry& entry = entries[at];
        entry.key = key;
        entry.hash = hashed;
        entry.number = next_number++;
        entry.first_ns = entry.last_ns = now;
        entry.from_high = from_high;
        entry.live = true;
        index.insert(hashed, at);
        ++live;
        return at;
    }
};

FlowTable::FlowTable(FlowOptions options, Sink on_end) : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.options = options;
    s.options.max_live = std::clamp<std::size_t>(options.max_live, 1, no_entry / 4);
    s.sink = std::move(on_end);
    s.tcp_idle_ns = static_cast<std::int64_t>(std::clamp(options.tcp_idle_s, 0.0, 1e9) * 1e9);
    s.other_idle_ns = static_cast<std::int64_t>(std::clamp(options.udp_idle_s, 0.0, 1e9) * 1e9);
    // Unpredictable, so that no capture can be made whose flows all collide. It never shows in a result.
    if (::getrandom(&s.seed, sizeof s.seed, 0) != sizeof s.seed)
        s.seed = reinterpret_cast<std::uintptr_t>(&s);
}

FlowTable::~FlowTable() = default;

std::optional<FlowTable::Placed> FlowTable::add(const PacketView& packet, const Headers& headers) {
    if (!headers.has_ip()) return std::nullopt;
    State& s = *state_;
    PackedKey key;
    const bool from_high = pack(headers, key);
    const bool tcp = headers.has_tcp();
    TcpSegment segment;
    if (tcp) segment = tcp_segment(headers, packet.time_ns, packet.original_length);

    std::uint32_t at = s.last;
    std::uint32_t hashed = 0;
    if (at == no_entry || !(s.entries[at].key == key)) {
        hashed = s.hash(key);
        at = s.index.find(hashed, [&](std::uint32_t candidate) { return s.entries[candidate].key == key; });
    }
    if (at != no_entry) {
        const Entry& entry = s.entries[at];
        const unsigned direction = from_high != entry.from_high;
        if (s.idle(entry, packet.time_ns) || (tcp && entry.tcp.restarted_by(direction, segment))) {
            hashed = entry.hash;
            s.end(at);
            at = no_entry;
        }
    }
    Placed placed;
    placed.first = at == no_entry;
    if (placed.first) at = s.begin(key, hashed, from_high, packet.time_ns);
    s.last = at;

    Entry& entry = s.entries[at];
    const unsigned direction = from_high != entry.from_high;
    placed.flow = entry.number;
    placed.direction = static_cast<Direction>(direction);
    entry.last_ns = std::max(entry.last_ns, packet.time_ns);
    entry.packets[direction] += 1;
    entry.bytes[direction] += packet.original_length;
    if (tcp) {
        entry.tcp_flags[direction] |= segment.flags;
        entry.tcp.add(direction, segment);
    }
    return placed;
}

void FlowTable::finish() {
    State& s = *state_;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    order.reserve(s.live);
    for (std::uint32_t at = 0; at < s.entries.size(); ++at)
        if (const Entry& entry = s.entries[at]; entry.live) order.emplace_back(entry.number, at);
    std::sort(order.begin(), order.end());
    for (const auto& [number, at] : order) s.end(at);
}

std::uint64_t FlowTable::evicted() const {
    return state_->evicted;
}

}  // namespace tracebench
