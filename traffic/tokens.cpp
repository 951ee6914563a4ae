#include "traffic/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "traffic/bytes.h"
#include "traffic/headers.h"

namespace tracebench {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t udp_header = 8, ipv6_header = 40;

/// Link header bytes of the layers NetSSM's decoder calls link layers.
std::size_t link_header(std::uint16_t link, std::size_t ip_offset) {
    if (link == link_type::ethernet) return std::min<std::size_t>(14, ip_offset);
    return ip_offset;
}

class Collector {
  public:
    void add(Bytes bytes) {
        const std::size_t count = std::min(bytes.size(), packet_.size() - used_);
        std::copy_n(bytes.begin(), count, packet_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ += count;
    }
    const TokenPacket& packet() const { return packet_; }

  private:
    TokenPacket packet_{};
    std::size_t used_ = 0;
};

Bytes part(Bytes bytes, std::size_t begin, std::size_t end) {
    end = std::min(end, bytes.size());
    return begin < end ? bytes.subspan(begin, end - begin) : Bytes();
}

/// Without IPv6 extension headers.
Bytes ip_part(Bytes bytes, const Headers& h) {
    return part(bytes, h.ip_offset, h.ip_offset + (h.ip_version == 6 ? ipv6_header : h.ip_header_length));
}

std::size_t tcp_header_length(Bytes segment) {
    const std::size_t length = segment.size() >= 20 ? std::size_t{4} * (segment[12] >> 4) : 0;
    return length >= 20 ? length : 0;
}

}  // namespace

std::optional<TokenPacket> token_packet(const PacketView& packet) {
    const Headers inner = dissect(packet, Tunnels::innermost);
    if (!inner.has_ip() || inner.is_fragment() || inner.transport_offset == Headers::none)
        return std::nullopt;
    const Bytes bytes = packet.bytes.first(std::min<std::size_t>(packet.bytes.size(), inner.ip_end));
    const Bytes segment = part(bytes, inner.transport_offset, bytes.size());
    Collector out;
    if (inner.protocol == ip_protocol::tcp) {
        if (segment.empty()) return std::nullopt;
        out.add(part(bytes, 0, inner.transport_offset + tcp_header_length(segment)));
        return out.packet();
    }
    if (inner.protocol != ip_protocol::udp || segment.size() < udp_header) return std::nullopt;
    const Headers outer = dissect(packet);
    out.add(part(bytes, 0, link_header(packet.link, outer.ip_offset)));
    out.add(ip_part(bytes, outer));
    if (inner.ip_offset != outer.ip_offset) out.add(ip_part(bytes, inner));
    out.add(part(segment, 0, udp_header));
    const std::uint16_t length = load16(&segment[4]);
    const Bytes payload = part(segment, udp_header, length == 0 ? segment.size() : length);
    const std::size_t fewer = payload.empty() ? 0 : payload.size() - 1;
    out.add(payload.first(payload.size() >= kTokenUdpPayload ? kTokenUdpPayload : fewer));
    return out.packet();
}

std::string token_text(std::string_view label, std::span<const TokenPacket> packets) {
    std::string text = fmt::format("<|{}|> ", label);
    text.reserve(text.size() + packets.size() * (4 * kTokenPacketBytes + kPacketToken.size() + 1));
    for (std::size_t i = 0; i < packets.size(); ++i) {
        if (i > 0) text += fmt::format(" {} ", kPacketToken);
        fmt::format_to(std::back_inserter(text), "{}", fmt::join(packets[i], " "));
    }
    return text;
}

std::string token_line(std::string_view label, std::span<const TokenPacket> packets,
                       std::string_view filename) {
    nlohmann::ordered_json line;
    line["Data"] = token_text(label, packets);
    line["Hash"] = sha256(filename);
    line["Filename"] = filename;
    line["OrigLen"] = packets.size();
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

TokenFrame token_frame(std::span<const std::uint8_t> packet) {
    const auto size = static_cast<std::uint32_t>(packet.size());
    const Headers h = dissect({0, size, link_type::ethernet, 0, packet});
    std::size_t end = packet.size();
    if (h.has_tcp() && h.payload_offset != Headers::none) end = h.payload_offset;
    if (h.has_udp() && h.payload_offset != Headers::none) {
        const std::size_t payload = h.payload_length();
        end = h.payload_offset +
              (payload >= kTokenUdpPayload ? kTokenUdpPayload : payload - std::min<std::size_t>(payload, 1));
    }
    const Bytes bytes = packet.first(std::min(end, packet.size()));
    const auto captured = static_cast<std::uint32_t>(bytes.size());
    const bool shorter = captured < size;
    return {{bytes.begin(), bytes.end()}, shorter ? std::max(captured, h.ip_end) : captured};
}

GeneratedPackets parse_generated(std::string_view text) {
    GeneratedPackets result;
    std::size_t begin = text.find(kPacketToken);
    while (begin != std::string_view::npos) {
        begin += kPacketToken.size();
        const std::size_t end = text.find(kPacketToken, begin);
        if (end == std::string_view::npos) break;
        std::vector<std::uint8_t> packet;
        bool good = true;
        for (std::size_t i = begin; i < end && good;) {
            if (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
                ++i;
                continue;
            }
            std::uint8_t value = 0;
            const auto [stop, error] = std::from_chars(text.data() + i, text.data() + end, value);
            i = static_cast<std::size_t>(stop - text.data());
            const bool ends =
                i == end || text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t';
            good = error == std::errc() && ends;
            packet.push_back(value);
        }
        if (!good)
            ++result.dropped;
        else if (!packet.empty())
            result.packets.push_back(std::move(packet));
        begin = end;
    }
    return result;
}

}  // namespace tracebench
