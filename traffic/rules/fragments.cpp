#include "traffic/rules/fragments.h"

#include <algorithm>

#include "traffic/rules/fact_hash.h"
#include "traffic/rules/ipv6_chain.h"

namespace tracebench {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

bool is_same(const Fragment& a, const Fragment& b) {
    return a.begin == b.begin && a.end == b.end;
}

bool is_of(const Fragment& f, const OpenDatagram& datagram) {
    return datagram.key == f.datagram && f.time_ns - datagram.first_ns <= f.patience_ns;
}

}  // namespace

std::optional<Fragment> read_fragment(const RulePacket& p) {
    if (p.network_state != LayerState::readable || p.network_layer == RuleLayer::arp ||
        !p.headers.is_fragment())
        return std::nullopt;
    Fragment fragment;
    fragment.begin = p.headers.fragment_offset;
    fragment.last = !p.headers.more_fragments;
    fragment.time_ns = p.packet.time_ns;
    FactHash hash;
    std::uint32_t data = 0;
    if (p.network_layer == RuleLayer::ipv4) {
        data = p.network + p.headers.ip_header_length;
        hash.bytes(p.net() + 12, 8).bytes(p.net() + 4, 2).byte(p.headers.protocol);
        fragment.patience_ns = 15 * second_ns;
    } else {
        const auto header = find_fragment_header(p);
        if (!header) return std::nullopt;
        data = *header + 8;
        hash.bytes(p.net() + 8, 32).bytes(p.at(*header + 4), 4);
        fragment.patience_ns = 60 * second_ns;
    }
    fragment.end = fragment.begin + (p.end > data ? p.end - data : 0);
    fragment.datagram = hash.value();
    return fragment;
}

const OpenDatagram* OpenDatagrams::find(const Fragment& f) const {
    const auto found =
        std::find_if(open_.rbegin(), open_.rend(), [&](const OpenDatagram& d) { return is_of(f, d); });
    return found == open_.rend() ? nullptr : &*found;
}

void OpenDatagrams::add(const Fragment& f) {
    // Reversed, so that the latest of a reused identification is found.
    auto datagram =
        std::find_if(open_.rbegin(), open_.rend(), [&](const OpenDatagram& d) { return is_of(f, d); });
    if (datagram == open_.rend()) {
        if (open_.size() == most) open_.pop_front();
        open_.push_back({f.datagram, f.time_ns, 0, 0, {}});
        datagram = open_.rbegin();
    }
    if (overlaps(f, *datagram) || contradicts_end(f, *datagram)) return;
    if (f.last) datagram->end = f.end;
    datagram->highest = std::max(datagram->highest, f.end);
    std::vector<Fragment>& seen = datagram->fragments;
    const bool again =
        std::any_of(seen.begin(), seen.end(), [&](const Fragment& s) { return is_same(f, s); });
    if (!again && seen.size() < most_fragments) seen.push_back(f);
    std::uint32_t received = 0;
    for (const Fragment& s : seen) received += s.end - s.begin;
    // Whole: its identification may be used again.
    if (datagram->end != 0 && received == datagram->end) open_.erase(std::next(datagram).base());
}

bool overlaps(const Fragment& f, const OpenDatagram& datagram) {
    return std::any_of(datagram.fragments.begin(), datagram.fragments.end(), [&](const Fragment& seen) {
        return f.begin < seen.end && seen.begin < f.end && !is_same(f, seen);
    });
}

bool contradicts_end(const Fragment& f, const OpenDatagram& datagram) {
    if (f.last) return f.end < datagram.highest || (datagram.end != 0 && f.end != datagram.end);
    return datagram.end != 0 && f.end >= datagram.end;
}

}  // namespace tracebench
