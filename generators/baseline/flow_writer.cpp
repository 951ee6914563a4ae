#include "generators/baseline/flow_writer.h"

#include <algorithm>

#include "generators/baseline/option_layout.h"
#include "traffic/bytes.h"

namespace tracebench {
namespace {

constexpr std::uint32_t largest_payload = 65535 - 40 - 60;

/// Where no SYN of this end was seen: maximum segment size 1460, room for timestamps where it uses them.
std::vector<std::uint8_t> default_syn_options(bool timestamps) {
    std::vector<std::uint8_t> options = {tcp_option::mss, 4, 0x05, 0xB4};
    if (timestamps) options.insert(options.end(), {1, 1, tcp_option::timestamps, 10, 0, 0, 0, 0, 0, 0, 0, 0});
    return options;
}

}  // namespace

FlowWriter::FlowWriter(const FlowKind& kind, const FlowEnds& ends, Random& random)
    : kind_(kind), ends_(ends), random_(random) {
    for (const std::size_t i : {0, 1}) {
        End& end = state_[i];
        end.initial = end.next = static_cast<std::uint32_t>(random.bits());
        end.clock = static_cast<std::uint32_t>(random.bits());
        end.ip_id = static_cast<std::uint16_t>(random.bits());
        const auto& windows = kind.sides[i].windows;
        end.window = windows.empty() ? kind.sides[i].syn_window : windows.front();
    }
    echo_id_ = static_cast<std::uint16_t>(random.bits());
}

std::uint32_t FlowWriter::sequence_of(End& end, const ChainPacket& packet) {
    if (packet.flags & tcp_flag::syn) {
        if (!end.syn_sent) end.next = end.initial + 1 + packet.payload;
        end.syn_sent = true;
        return end.initial;
    }
    if (packet.flags & tcp_flag::rst) return end.next;
    if (end.fin_sent) {  // nothing new may follow: a retransmission, or an acknowledgement after the FIN
        if (packet.flags & tcp_flag::fin) return end.fin;
        return packet.payload == 0 ? end.next : end.next - 1 - packet.payload;
    }
    const std::uint32_t sequence = end.next;
    end.next += packet.payload;
    if (packet.flags & tcp_flag::fin) {
        end.fin = sequence;
        end.fin_sent = true;
        ++end.next;
    }
    return sequence;
}

std::uint16_t FlowWriter::window_of(End& end, const FlowSide& side, const ChainPacket& packet) {
    if (packet.flags & tcp_flag::rst) return 0;
    if (packet.flags & tcp_flag::syn) return side.syn_window;
    if (!side.windows.empty() && random_.chance(side.window_change))
        end.window = random_.choose(std::span<const std::uint16_t>(side.windows));
    return end.window;
}

void FlowWriter::write_tcp(PacketFields& fields, const ChainPacket& packet) {
    const auto from = static_cast<std::size_t>(packet.direction);
    End &own = state_[from], &other = state_[1 - from];
    const FlowSide& side = kind_.sides[from];
    const bool syn = packet.flags & tcp_flag::syn;
    fields.tcp_flags = static_cast<std::uint8_t>(packet.flags);
    fields.sequence = sequence_of(own, packet);
    fields.acknowledgement = packet.flags & tcp_flag::ack ? other.next : 0;
    fields.window = window_of(own, side, packet);
    if (syn) {
        fields.tcp_options =
            side.syn_options.empty() ? default_syn_options(side.timestamps) : side.syn_options;
    } else if (side.timestamps && !(packet.flags & tcp_flag::rst)) {
        fields.tcp_options = {
            tcp_option::nop, tcp_option::nop, tcp_option::timestamps, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    }
    const std::uint32_t clock = own.clock + static_cast<std::uint32_t>(packet.time_ns / 1'000'000);
    visit_tcp_options(std::span(fields.tcp_options), [&](std::uint8_t kind, std::span<std::uint8_t> value) {
        if (kind != tcp_option::timestamps || value.size() != 8) return;
        store32(&value[0], clock);
        store32(&value[4], packet.flags & tcp_flag::ack ? own.heard : 0);
        other.heard = clock;
    });
}

void FlowWriter::write_icmp(PacketFields& fields, const ChainPacket& packet) {
    fields.icmp_type = static_cast<std::uint8_t>(packet.flags >> 8);
    fields.icmp_code = static_cast<std::uint8_t>(packet.flags);
    const bool v4 = kind_.ip_version == 4;
    const std::uint8_t request = v4 ? 8 : 128, reply = v4 ? 0 : 129;
    if (fields.icmp_type == request) ++echo_sequence_;
    const bool echo = fields.icmp_type == request || fields.icmp_type == reply;
    fields.icmp_rest = echo ? static_cast<std::uint32_t>(echo_id_) << 16 | echo_sequence_ : 0;
}

PacketFields FlowWriter::next(const ChainPacket& packet) {
    const auto from = static_cast<std::size_t>(packet.direction);
    const FlowSide& side = kind_.sides[from];
    const bool forward = packet.direction == Direction::forward;
    PacketFields fields;
    fields.src = forward ? ends_.src : ends_.dst;
    fields.dst = forward ? ends_.dst : ends_.src;
    fields.src_mac = forward ? ends_.src_mac : ends_.dst_mac;
    fields.dst_mac = multicast_mac(fields.dst.address, forward ? ends_.dst_mac : ends_.src_mac);
    fields.protocol = kind_.protocol;
    fields.ttl = side.ttl;
    fields.tos = side.tos;
    fields.dont_fragment = side.dont_fragment;
    fields.payload_length = std::min(packet.payload, largest_payload);
    End& end = state_[from];
    if (side.ip_id == IpIdHabit::counter) fields.ip_id = end.ip_id++;
    if (side.ip_id == IpIdHabit::random) fields.ip_id = static_cast<std::uint16_t>(random_.bits());
    if (kind_.protocol == ip_protocol::tcp) write_tcp(fields, packet);
    if (kind_.protocol == ip_protocol::icmp || kind_.protocol == ip_protocol::icmpv6)
        write_icmp(fields, packet);
    return fields;
}

}  // namespace tracebench
