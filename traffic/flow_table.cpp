#include "traffic/flow_table.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "traffic/bytes.h"
#include "traffic/tcp_analysis.h"

namespace tracebench {
namespace {

constexpr std::uint32_t no_entry = UINT32_MAX;

/// A FlowKey in five words: compared and hashed for every packet. Addresses and ports stand as on the wire;
/// `low` and `high` are ordered as in FlowKey.
struct PackedKey {
    std::uint64_t low[2], high[2];
    std::uint64_t rest;  ///< port of low, port of high, VLAN, protocol, IP version

    bool operator==(const PackedKey& o) const {
        return ((low[0] ^ o.low[0]) | (low[1] ^ o.low[1]) | (high[0] ^ o.high[0]) | (high[1] ^ o.high[1]) |
                (rest ^ o.rest)) == 0;
    }
};

std::uint64_t load64(const std::uint8_t* p) { return std::uint64_t{load32(p)} << 32 | load32(p + 4); }

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
    const std::uint64_t low_port = from_high ? dst_port : src_port, high_port = from_high ? src_port : dst_port;
    key.rest = low_port << 48 | high_port << 32 | std::uint64_t{h.vlan} << 16 | std::uint64_t{h.protocol} << 8 |
               h.ip_version;
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
    result.protocol = static_cast<std::uint8_t>(key.rest >> 8);
    result.vlan = static_cast<std::uint16_t>(key.rest >> 16);
    return result;
}

struct Entry {
    PackedKey key;
    std::uint64_t number;
    std::int64_t first_ns, last_ns;
    std::uint64_t packets[2], bytes[2];
    std::uint32_t hash;
    std::uint32_t older, newer;  ///< neighbours in the order of last use
    std::uint32_t tcp;           ///< index of its TcpAnalysis, or no_entry
    std::uint8_t tcp_flags[2];
    bool from_high;  ///< the first packet went from high to low
};

/// Elements with stable small indices; freed ones are used again.
template <typename T>
class Pool {
  public:
    std::uint32_t make() {
        if (free_.empty()) {
            items_.emplace_back();
            return static_cast<std::uint32_t>(items_.size() - 1);
        }
        const std::uint32_t index = free_.back();
        free_.pop_back();
        items_[index] = T{};
        return index;
    }
    void release(std::uint32_t index) { free_.push_back(index); }
    T& operator[](std::uint32_t index) { return items_[index]; }

  private:
    std::vector<T> items_;
    std::vector<std::uint32_t> free_;
};

}  // namespace

struct FlowTable::State {
    FlowOptions options;
    Sink sink;
    Pool<Entry> entries;
    Pool<TcpAnalysis> connections;
    std::vector<std::uint32_t> slots;  ///< open addressing, a power of two, at most half full
    std::size_t live = 0;
    std::uint32_t oldest = no_entry, newest = no_entry;
    std::uint64_t next_number = 0, evicted = 0;
    std::uint64_t seed = 0;
    std::int64_t tcp_idle_ns = 0, other_idle_ns = 0;

    std::uint32_t hash(const PackedKey& key) const {
        std::uint64_t h = seed;
        for (const std::uint64_t word : {key.low[0], key.low[1], key.high[0], key.high[1], key.rest}) {
            h = (h ^ word) * 0x9E3779B97F4A7C15;
            h ^= h >> 32;
        }
        return static_cast<std::uint32_t>(h);
    }

    std::uint32_t find(const PackedKey& key, std::uint32_t hashed) {
        const std::size_t mask = slots.size() - 1;
        for (std::size_t slot = hashed & mask; slots[slot] != no_entry; slot = (slot + 1) & mask) {
            Entry& entry = entries[slots[slot]];
            if (entry.hash == hashed && entry.key == key) return slots[slot];
        }
        return no_entry;
    }

    void place(std::uint32_t index) {
        const std::size_t mask = slots.size() - 1;
        std::size_t slot = entries[index].hash & mask;
        while (slots[slot] != no_entry) slot = (slot + 1) & mask;
        slots[slot] = index;
    }

    void grow() {
        std::vector<std::uint32_t> old(slots.size() * 2, no_entry);
        old.swap(slots);
        for (const std::uint32_t index : old)
            if (index != no_entry) place(index);
    }

    /// Removes by shifting back what would no longer be found (Knuth, volume 3, algorithm 6.4R).
    void erase(std::uint32_t index) {
        const std::size_t mask = slots.size() - 1;
        std::size_t hole = entries[index].hash & mask;
        while (slots[hole] != index) hole = (hole + 1) & mask;
        for (std::size_t next = (hole + 1) & mask; slots[next] != no_entry; next = (next + 1) & mask) {
            const std::size_t home = entries[slots[next]].hash & mask;
            if (((next - home) & mask) < ((next - hole) & mask)) continue;
            slots[hole] = slots[next];
            hole = next;
        }
        slots[hole] = no_entry;
    }

    void unlink(const Entry& entry) {
        (entry.older == no_entry ? oldest : entries[entry.older].newer) = entry.newer;
        (entry.newer == no_entry ? newest : entries[entry.newer].older) = entry.older;
    }

    void link_newest(std::uint32_t index) {
        Entry& entry = entries[index];
        entry.older = newest;
        entry.newer = no_entry;
        (newest == no_entry ? oldest : entries[newest].newer) = index;
        newest = index;
    }

    void report(const Entry& entry) {
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
        if (entry.tcp != no_entry) {
            const TcpAnalysis& tcp = connections[entry.tcp];
            flow.handshake = tcp.handshake();
            flow.closed = tcp.closed();
            flow.retransmissions = tcp.retransmissions();
            flow.out_of_order = tcp.out_of_order();
            flow.rtt_ms = tcp.rtt_ms();
        }
        if (sink) sink(flow);
    }

    void end(std::uint32_t index) {
        Entry& entry = entries[index];
        report(entry);
        erase(index);
        unlink(entry);
        if (entry.tcp != no_entry) connections.release(entry.tcp);
        entries.release(index);
        --live;
    }

    bool idle(const Entry& entry, std::int64_t now) const {
        const std::int64_t limit = entry.tcp != no_entry ? tcp_idle_ns : other_idle_ns;
        return now - entry.last_ns > limit;
    }

    std::uint32_t begin(const PackedKey& key, std::uint32_t hashed, bool from_high, std::int64_t now) {
        if (live >= options.max_live) {
            if (!idle(entries[oldest], now)) ++evicted;
            end(oldest);
        }
        if ((live + 1) * 2 > slots.size()) grow();
        const std::uint32_t index = entries.make();
        Entry& entry = entries[index];
        entry = Entry{};
        entry.key = key;
        entry.hash = hashed;
        entry.number = next_number++;
        entry.first_ns = entry.last_ns = now;
        entry.from_high = from_high;
        const bool tcp = static_cast<std::uint8_t>(key.rest >> 8) == ip_protocol::tcp;
        entry.tcp = tcp ? connections.make() : no_entry;
        place(index);
        link_newest(index);
        ++live;
        return index;
    }
};

FlowTable::FlowTable(FlowOptions options, Sink on_end) : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.options = options;
    s.options.max_live = std::clamp<std::size_t>(options.max_live, 1, no_entry / 4);
    s.sink = std::move(on_end);
    s.slots.assign(1024, no_entry);
    s.tcp_idle_ns = static_cast<std::int64_t>(std::clamp(options.tcp_idle_s, 0.0, 1e9) * 1e9);
    s.other_idle_ns = static_cast<std::int64_t>(std::clamp(options.udp_idle_s, 0.0, 1e9) * 1e9);
    // Unpredictable, so that no capture can be made whose flows all collide. It never shows in a result.
    if (::getrandom(&s.seed, sizeof s.seed, 0) != sizeof s.seed) s.seed = reinterpret_cast<std::uintptr_t>(&s);
}

FlowTable::~FlowTable() = default;

std::optional<FlowTable::Placed> FlowTable::add(const PacketView& packet, const Headers& headers) {
    if (!headers.has_ip()) return std::nullopt;
    State& s = *state_;
    PackedKey key;
    const bool from_high = pack(headers, key);
    const std::uint32_t hashed = s.hash(key);
    const bool tcp = headers.has_tcp();
    TcpSegment segment;
    if (tcp) segment = tcp_segment(headers, packet.time_ns, packet.original_length);

    std::uint32_t index = s.find(key, hashed);
    if (index != no_entry) {
        const Entry& entry = s.entries[index];
        const unsigned direction = from_high != entry.from_high;
        if (s.idle(entry, packet.time_ns) ||
            (tcp && s.connections[entry.tcp].restarted_by(direction, segment))) {
            s.end(index);
            index = no_entry;
        }
    }
    Placed placed;
    placed.first = index == no_entry;
    if (placed.first) index = s.begin(key, hashed, from_high, packet.time_ns);

    Entry& entry = s.entries[index];
    const unsigned direction = from_high != entry.from_high;
    placed.flow = entry.number;
    placed.direction = static_cast<Direction>(direction);
    entry.last_ns = std::max(entry.last_ns, packet.time_ns);
    entry.packets[direction] += 1;
    entry.bytes[direction] += packet.original_length;
    if (tcp) {
        entry.tcp_flags[direction] |= segment.flags;
        s.connections[entry.tcp].add(direction, segment);
    }
    if (s.newest != index) {
        s.unlink(entry);
        s.link_newest(index);
    }
    return placed;
}

void FlowTable::finish() {
    State& s = *state_;
    std::vector<std::uint32_t> order;
    for (std::uint32_t index = s.oldest; index != no_entry; index = s.entries[index].newer) order.push_back(index);
    std::sort(order.begin(), order.end(),
              [&s](std::uint32_t a, std::uint32_t b) { return s.entries[a].number < s.entries[b].number; });
    for (const std::uint32_t index : order) s.end(index);
}

std::uint64_t FlowTable::evicted() const { return state_->evicted; }

}  // namespace tracebench
