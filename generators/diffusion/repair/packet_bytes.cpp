#include "generators/diffusion/repair/packet_bytes.h"

#include <algorithm>
#include <map>

#include "generators/ethernet.h"
#include "traffic/bytes.h"
#include "traffic/checksum.h"
#include "traffic/headers.h"

namespace tracebench::diffusion {
namespace {

constexpr std::uint32_t ipv6_header = 40;
using Bytes = std::vector<std::uint8_t>;

void append_bits(Bytes& bytes, BitsView row, std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        bytes.push_back(static_cast<std::uint8_t>(get(row, {static_cast<std::uint16_t>(first + 8 * i), 8})));
}

/// Flow label 0: nothing is known of it (RFC 6437 allows it).
void append_ipv6(Bytes& bytes, const DraftFlow& flow, const DraftRow& row) {
    const bool forward = row.direction == Direction::forward;
    const std::uint8_t traffic_class = row.ipv6.traffic_class;
    const std::uint16_t length = row.ipv6.length.value_or(0);
    bytes.assign({static_cast<std::uint8_t>(0x60 | traffic_class >> 4),
                  static_cast<std::uint8_t>(traffic_class << 4), 0, 0, static_cast<std::uint8_t>(length >> 8),
                  static_cast<std::uint8_t>(length), flow.protocol, row.ipv6.hop_limit});
    for (const int end : {forward ? 0 : 1, forward ? 1 : 0}) {
        const auto& address = flow.ends[end].address.bytes;
        bytes.insert(bytes.end(), address.begin(), address.end());
    }
}

/// The checksum of the whole datagram whose first fragment this is, its payload zeros.
std::uint16_t fragmented_udp_checksum(const Bytes& packet, std::size_t ip_header) {
    const std::uint32_t length = load16(&packet[ip_header + 4]);
    std::uint32_t sum = ones_complement_sum({&packet[12], 8});
    sum += length + ip_protocol::udp;
    const std::uint16_t result =
        static_cast<std::uint16_t>(~ones_complement_sum({&packet[ip_header], 8}, sum));
    return result == 0 ? 0xFFFF : result;
}

/// Of a whole packet.
void compute_checksums(const DraftFlow& flow, const DraftRow& row, Bytes& packet) {
    const bool udp = flow.protocol == ip_protocol::udp;
    const std::size_t ip_header = flow.ipv6 ? ipv6_header : 4 * (packet[0] & 0x0FU);
    if (row.has_transport) {
        const std::size_t field = ip_header + (flow.protocol == ip_protocol::tcp ? 16 : udp ? 6 : 2);
        const bool left_out = udp && !flow.ipv6 && load16(&packet[field]) == 0;
        store16(&packet[field], 0);
        const Headers headers =
            dissect({0, static_cast<std::uint32_t>(packet.size()), link_type::raw_ip, 0, packet});
        if (left_out) {
            // None: RFC 768.
        } else if (can_check_transport(headers)) {
            store16(&packet[field], transport_checksum(headers));
        } else if (udp && row.fragment) {
            store16(&packet[field], fragmented_udp_checksum(packet, ip_header));
        }
    }
    if (!flow.ipv6) store16(&packet[10], ipv4_header_checksum({packet.data(), ip_header}));
}

bool is_dns_over_tcp(const DraftFlow& flow, const DraftRow& row) {
    constexpr std::uint16_t dns = 53;
    return row.has_transport && flow.protocol == ip_protocol::tcp &&
           (flow.ends[0].port == dns || flow.ends[1].port == dns);
}
/// Zeros are a message of no length there, which no analyser takes for DNS: each segment is one message of
/// zeros, behind its length (RFC 1035 section 4.2.2), or the begin of a long one where it is too short for a
/// message.
void frame_dns_message(Bytes& packet, std::size_t payload) {
    constexpr std::size_t least = 2 + 12;
    const std::size_t size = packet.size() - payload;
    const std::uint16_t length = size >= least ? static_cast<std::uint16_t>(size - 2) : 0xFFFF;
    if (size >= 1) packet[payload] = static_cast<std::uint8_t>(length >> 8);
    if (size >= 2) packet[payload + 1] = static_cast<std::uint8_t>(length);
}

bool is_icmp_error(std::uint8_t type) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

class FrameMaker {
  public:
    explicit FrameMaker(const Draft& draft) : draft_(draft) {}

    Trace run() {
        Trace packets;
        for (const DraftRow& row : draft_.rows) {
            const DraftFlow& flow = draft_.flows[row.flow];
            Bytes bytes = header_bytes_of(flow, row);
            const std::size_t headers = bytes.size();
            const std::uint32_t whole = length_of(flow, row) + (flow.ipv6 ? ipv6_header : 0);
            bytes.resize(std::max<std::size_t>(headers, whole));
            const bool icmp = row.has_transport && flow.protocol == ip_protocol::icmp;
            if (is_dns_over_tcp(flow, row)) frame_dns_message(bytes, headers);
            if (icmp && is_icmp_error(bytes[headers - 8])) quote(flow, row, bytes, headers);
            compute_checksums(flow, row, bytes);
            packets.append(draft_.settings.start_ns + row.time_ns, bytes, 0, link_type::raw_ip);
            if (!icmp && !flow.ipv6) last_sent_[from(flow, row)] = std::move(bytes);
        }
        return to_ethernet(packets).trace;
    }

  private:
    static const IpAddress& from(const DraftFlow& flow, const DraftRow& row) {
        return flow.ends[row.direction == Direction::forward ? 0 : 1].address;
    }
    static const IpAddress& to(const DraftFlow& flow, const DraftRow& row) {
        return flow.ends[row.direction == Direction::forward ? 1 : 0].address;
    }

    /// RFC 1122 section 3.2.2: the IP header and at least 8 bytes of what it carries.
    void quote(const DraftFlow& flow, const DraftRow& row, Bytes& bytes, std::size_t at) const {
        const auto sent = last_sent_.find(to(flow, row));
        Bytes quoted;
        if (sent != last_sent_.end()) quoted = sent->second;
        const std::size_t enough = quoted.empty() ? 0 : 4 * (quoted[0] & 0x0FU) + 8;
        if (quoted.size() < enough || bytes.size() - at < enough || enough == 0) quoted = invented(flow, row);
        const std::size_t count = std::min(bytes.size() - at, quoted.size());
        std::copy_n(quoted.begin(), count, bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
    /// A UDP datagram without payload from the error's receiver to its sender, to traceroute's port.
    static Bytes invented(const DraftFlow& flow, const DraftRow& row) {
        Bytes bytes{0x45, 0, 0, 28, 0, 0, 0, 0, 64, ip_protocol::udp, 0, 0};
        for (const IpAddress* address : {&to(flow, row), &from(flow, row)})
            bytes.insert(bytes.end(), address->bytes.begin(), address->bytes.begin() + 4);
        store16(&bytes[10], ipv4_header_checksum(bytes));
        bytes.insert(bytes.end(), {0x80, 0x00, 0x82, 0x9A, 0, 8, 0, 0});  // from 32768 to 33434, no checksum
        return bytes;
    }

    const Draft& draft_;
    std::map<IpAddress, Bytes> last_sent_;
};

}  // namespace

std::vector<std::uint8_t> header_bytes_of(const DraftFlow& flow, const DraftRow& row) {
    Bytes bytes;
    if (flow.ipv6) {
        append_ipv6(bytes, flow, row);
    } else {
        append_bits(bytes, row.bits, 0, 4 * get(row.bits, field::header_words));
    }
    if (!row.has_transport) return bytes;
    if (flow.protocol == ip_protocol::tcp) {
        append_bits(bytes, row.bits, field::tcp, 4 * get(row.bits, field::data_offset));
    } else {
        append_bits(bytes, row.bits, flow.protocol == ip_protocol::udp ? field::udp : field::icmp, 8);
    }
    return bytes;
}

Trace make_frames(const Draft& draft) {
    return FrameMaker(draft).run();
}

}  // namespace tracebench::diffusion
