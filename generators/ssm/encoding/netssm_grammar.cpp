#include "generators/ssm/encoding/netssm_grammar.h"

#include <algorithm>

#include "generators/ssm/encoding/netssm_segment.h"
#include "traffic/bytes.h"
#include "traffic/flow_key.h"
#include "traffic/link_layer.h"

namespace tracebench::ssm {
namespace {

constexpr std::size_t link_size = 14, shortest_tcp = 20, longest_tcp = 60, udp_size = 8;

ByteSet from(std::size_t lowest) {
    ByteSet bytes = all_bytes();
    for (std::size_t byte = 0; byte < lowest; ++byte) bytes.reset(byte);
    return bytes;
}

/// The first byte of an Ethernet group address that IP uses (RFC 1112 section 6.4, RFC 2464 section 7).
constexpr std::uint8_t multicast_v4 = 0x01, multicast_v6 = 0x33, broadcast = 0xFF;

}  // namespace

void PacketGrammar::begin(std::int64_t time_ns) {
    bytes_.fill(0);
    size_ = 0;
    allowed_.reset();
    network_ = 0;
    protocol_ = 0;
    length_ = 0;
    content_ = kTokenPacketBytes;
    candidates_.clear();
    end_ = new_flow();
    segment_ = SegmentFields{};
    segment_.time_ns = time_ns;
}

const ByteSet& PacketGrammar::allowed() {
    if (!allowed_) {
        allowed_ = next();
        if (allowed_->none()) allowed_ = all_bytes();
    }
    return *allowed_;
}

bool PacketGrammar::all_zero(std::size_t begin, std::size_t end) const {
    return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(begin),
                       bytes_.begin() + static_cast<std::ptrdiff_t>(end),
                       [](std::uint8_t byte) { return byte == 0; });
}

ByteSet PacketGrammar::next() const {
    const std::size_t at = size_;
    if (at >= content_) return one_byte(0);
    if (at < link_size) return link_byte();
    if (at == link_size) return version_byte();
    if (network_ == 0) return all_bytes();
    if (at >= tuple_begin() && protocol_ == 0) return all_bytes();
    if (at >= tuple_begin() && at < transport() + 4) return tuple_byte();
    if (at >= transport()) return tcp() ? tcp_byte(at - transport()) : udp_byte(at - transport());
    return is_v4() ? ipv4_byte() : ipv6_byte();
}

// --- link

ByteSet PacketGrammar::link_byte() const {
    const std::uint8_t first = bytes_[0];
    ByteSet bytes;
    switch (size_) {
        case 0:
            for (std::size_t byte = 0; byte < 256; byte += 2) bytes.set(byte);
            return bytes.set(multicast_v4).set(multicast_v6).set(broadcast);
        case 1:
            if (first == multicast_v4) return one_byte(0x00);
            if (first == multicast_v6) return one_byte(multicast_v6);
            [[fallthrough]];
        case 2:
            if (first == multicast_v4) return one_byte(0x5E);
            [[fallthrough]];
        case 3:
            if (first == multicast_v4) {
                for (std::size_t byte = 0; byte < 0x80; ++byte) bytes.set(byte);
                return bytes;
            }
            [[fallthrough]];
        case 4:
        case 5:
            return first == broadcast ? one_byte(broadcast) : all_bytes();
        case 6:
            for (std::size_t byte = 0; byte < 256; byte += 2) bytes.set(byte);
            return bytes;
        case 12:
            if (first != multicast_v6) bytes.set(ether_type::ipv4 >> 8);
            if (first != multicast_v4 && first != broadcast) bytes.set(ether_type::ipv6 >> 8);
            return bytes;
        case 13:
            return one_byte(bytes_[12] == ether_type::ipv4 >> 8 ? ether_type::ipv4 & 0xFF
                                                                : ether_type::ipv6 & 0xFF);
        default:
            return all_bytes();
    }
}

// --- network

ByteSet PacketGrammar::version_byte() const {
    if (load16(&bytes_[12]) == ether_type::ipv4) return one_byte(0x45);
    ByteSet bytes;
    for (std::size_t byte = 0x60; byte < 0x70; ++byte) bytes.set(byte);
    return bytes;
}

ByteSet PacketGrammar::ipv4_byte() const {
    constexpr std::size_t least_total = 20 + udp_size, dont_fragment = 0x40;
    switch (size_ - link_size) {
        case 3:
            return from(bytes_[size_ - 1] == 0 ? least_total : 0);
        case 6:
            return one_byte(0).set(dont_fragment);
        case 7:
            return one_byte(0);
        case 8:
            return from(1);
        case 9:
            return protocol_byte();
        default:
            return all_bytes();
    }
}

ByteSet PacketGrammar::ipv6_byte() const {
    switch (size_ - link_size) {
        case 5:
            return from(bytes_[size_ - 1] == 0 ? udp_size : 0);
        case 6:
            return protocol_byte();
        case 7:
            return from(1);
        default:
            return all_bytes();
    }
}

bool PacketGrammar::new_flow_fits() const {
    return length_ <= longest_tcp && length_ % 4 == 0 && can_send(new_flow(), length_);
}

ByteSet PacketGrammar::protocol_byte() const {
    ByteSet bytes = one_byte(ip_protocol::udp);
    if ((bytes_[0] & 1) != 0) return bytes;
    const bool live = std::any_of(candidates_.begin(), candidates_.end(),
                                  [](const Candidate& candidate) { return candidate.can_send; });
    if (live || new_flow_fits()) bytes.set(ip_protocol::tcp);
    return bytes;
}

/// Live senders of this IP version: before the protocol is known, which depends on whether there are any.
void PacketGrammar::find_candidates() {
    const std::size_t size = 2 * address_size() + 4;
    for (const LiveFlow& flow : flows_.flows()) {
        if (flow.forward.size() != size) continue;
        const FlowEnd forward{&flow, Direction::forward}, reverse{&flow, Direction::reverse};
        candidates_.push_back({forward, flow.forward, can_send(forward, length_)});
        if (flow.reverse != flow.forward)
            candidates_.push_back({reverse, flow.reverse, can_send(reverse, length_)});
    }
}

void PacketGrammar::keep_matching() {
    const std::size_t i = size_ - 1 - tuple_begin();
    const char byte = static_cast<char>(bytes_[size_ - 1]);
    std::erase_if(candidates_, [&](const Candidate& candidate) { return candidate.tuple[i] != byte; });
}

ByteSet PacketGrammar::tuple_byte() const {
    const std::size_t i = size_ - tuple_begin(), address = address_size();
    ByteSet legal;
    if (i < address) {
        legal = source_byte(i);
    } else if (i < 2 * address) {
        legal = is_v4() ? destination_v4(i - address) : destination_v6(i - address);
    } else {
        legal = port_byte(i - 2 * address);
    }
    if (!tcp()) return legal;
    const bool last = i + 1 == 2 * address + 4;
    if (!new_flow_fits()) legal.reset();
    for (const Candidate& candidate : candidates_) {
        const auto byte = static_cast<std::uint8_t>(candidate.tuple[i]);
        if (candidate.can_send || last) legal.set(byte, candidate.can_send);
    }
    return legal;
}

/// Whether byte `i` could complete ::ffff:0:0/96, which no packet has (RFC 6890 section 2.2.3).
bool PacketGrammar::may_be_mapped(std::size_t begin, std::size_t i) const {
    return i == 11 && all_zero(begin, begin + 10) && bytes_[begin + 10] == 0xFF;
}

ByteSet PacketGrammar::source_byte(std::size_t i) const {
    const std::size_t begin = tuple_begin();
    const bool host_only = all_zero(0, 12);  // as a loopback interface shows its packets
    ByteSet bytes = all_bytes();
    if (is_v4()) {
        if (i > 0) return bytes_[begin] == 0 ? one_byte(0) : bytes;
        for (std::size_t byte = 224; byte < 256; ++byte) bytes.reset(byte);
        return bytes.set(0, !tcp()).set(127, host_only);
    }
    if (i == 0 || may_be_mapped(begin, i)) bytes.reset(0xFF);
    if (i == 15 && all_zero(begin, begin + 15)) bytes.set(0, !tcp()).set(1, host_only);
    return bytes;
}

ByteSet PacketGrammar::destination_v4(std::size_t i) const {
    const std::uint8_t first = bytes_[tuple_begin() + 4];
    const bool multicast = bytes_[0] == multicast_v4;
    ByteSet bytes = all_bytes();
    if (i == 0) {
        for (std::size_t byte = 224; byte < 255; ++byte)
            if (byte >= 240 || tcp() || bytes_[0] == broadcast) bytes.reset(byte);
        if (multicast)
            for (std::size_t byte = 0; byte < 224; ++byte) bytes.reset(byte);
        if (tcp()) bytes.reset(255);
        return bytes.reset(0).set(127, all_zero(0, 12));
    }
    if (first == 255) return one_byte(255);
    if (!multicast || first < 224) return bytes;
    if (i == 1) return one_byte(bytes_[3]).set(bytes_[3] | 0x80U);
    return one_byte(bytes_[2 + i]);
}

ByteSet PacketGrammar::destination_v6(std::size_t i) const {
    const std::size_t begin = tuple_begin() + 16;
    const bool multicast = bytes_[0] == multicast_v6;
    ByteSet bytes = all_bytes();
    if (i == 0) {
        if (multicast) return one_byte(0xFF);
        return bytes.set(0xFF, !tcp());
    }
    if (i == 1 && bytes_[begin] == 0xFF) {
        for (unsigned octet = 0; octet < 256; ++octet) {
            const auto second = static_cast<std::uint8_t>(octet);
            bytes.set(octet, has_multicast6_scope(second) && has_multicast6_flags(second));
        }
        return bytes;
    }
    if (may_be_mapped(begin, i)) bytes.reset(0xFF);
    if (multicast && i >= 12) return one_byte(bytes_[i - 10]);
    if (i == 15 && all_zero(begin, begin + 15)) bytes.reset(0).set(1, all_zero(0, 12));
    return bytes;
}

ByteSet PacketGrammar::port_byte(std::size_t i) const {
    const bool may_be_zero = !tcp() && i < 2;  // a UDP source that expects no answer (RFC 768)
    return from(i % 2 == 1 && bytes_[size_ - 1] == 0 && !may_be_zero ? 1 : 0);
}

// --- transport

ByteSet PacketGrammar::udp_byte(std::size_t i) const {
    if (i == 4) return one_byte(static_cast<std::uint8_t>(length_ >> 8));
    if (i == 5) return one_byte(static_cast<std::uint8_t>(length_));
    if (i == 7 && !is_v4() && bytes_[size_ - 1] == 0) {
        // Computed where the whole payload is here, but never absent (RFC 8200 section 8.1).
        const bool whole = length_ == udp_size || length_ == udp_size + kTokenUdpPayload;
        return from(whole ? 0 : 1);
    }
    return all_bytes();
}

ByteSet PacketGrammar::tcp_byte(std::size_t i) const {
    const auto written = [&](std::size_t begin) {
        return std::span(bytes_).subspan(transport() + begin, i - begin);
    };
    if (i < 8) return sequence_numbers(end_, length_).next_byte(written(4));
    if (i < 12) return acknowledgement_numbers(end_, length_, segment_.sequence).next_byte(written(8));
    if (i == 12) return data_offsets(end_, length_, segment_.sequence);
    const auto header = static_cast<std::uint32_t>(content_ - transport());
    if (i == 13) return legal_flags(end_, segment_, header);
    if (i == 18 || i == 19) return segment_.has(tcp_flag::urg) ? all_bytes() : one_byte(0);
    return i < shortest_tcp ? all_bytes() : options_.allowed();
}

// --- reading what was written

void PacketGrammar::read_network() {
    const std::uint16_t type = load16(&bytes_[12]);
    if (type == ether_type::ipv4 && bytes_[link_size] == 0x45) network_ = 4;
    if (type == ether_type::ipv6 && bytes_[link_size] >> 4 == 6) network_ = 6;
}

void PacketGrammar::read_protocol() {
    const std::uint8_t protocol = bytes_[size_ - 1];
    if (protocol == ip_protocol::tcp && length_ >= shortest_tcp) protocol_ = protocol;
    if (protocol == ip_protocol::udp && length_ >= udp_size) protocol_ = protocol;
    if (protocol_ != ip_protocol::tcp) candidates_.clear();
    if (protocol_ != ip_protocol::udp) return;
    const std::size_t payload = length_ - udp_size;
    content_ = transport() + udp_size +
               (payload >= kTokenUdpPayload ? kTokenUdpPayload : payload - std::min<std::size_t>(payload, 1));
}

void PacketGrammar::read_segment_field(std::size_t i) {
    const std::uint8_t* const tcp = &bytes_[transport()];
    if (i == 7) segment_.sequence = load32(tcp + 4);
    if (i == 11) segment_.acknowledgement = load32(tcp + 8);
    if (i == 13) segment_.flags = tcp[13];
    if (i == 15) segment_.window = load16(tcp + 14);
    if (i == 12) {
        const std::size_t header = std::clamp<std::size_t>((tcp[12] >> 4) * 4U, shortest_tcp, longest_tcp);
        content_ = transport() + header;
        segment_.payload = length_ > header ? length_ - static_cast<std::uint32_t>(header) : 0;
    }
    if (i == 19)
        options_.begin(end_, segment_, static_cast<std::uint32_t>(content_ - transport() - shortest_tcp));
    if (i >= shortest_tcp) options_.accept(tcp[i]);
}

void PacketGrammar::accept(std::uint8_t byte) {
    allowed_.reset();
    bytes_[size_++] = byte;
    const std::size_t at = size_ - 1;
    if (at == link_size) read_network();
    if (network_ == 0) return;
    if (is_v4() && at == 17) {
        const std::uint16_t total = load16(&bytes_[16]);
        length_ = total > 20 ? total - 20U : 0;
    }
    if (!is_v4() && at == 19) length_ = load16(&bytes_[18]);
    if (at + 1 == (is_v4() ? 23U : 20U)) find_candidates();
    if (at == (is_v4() ? 23U : 20U)) read_protocol();
    if (!tcp() || at < tuple_begin() || at >= content_) return;
    if (at < transport() + 4) {
        keep_matching();
        if (at + 1 == transport() + 4 && !candidates_.empty()) end_ = candidates_.front().end;
        return;
    }
    read_segment_field(at - transport());
}

}  // namespace tracebench::ssm
