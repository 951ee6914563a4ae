#pragma once
/// Packets as NetSSM's text: a token a header byte (Chu et al., "NetSSM", 2025; its preprocessing/main.go and
/// generation/conversion.py).
///
///     <|label|> 2 0 0 0 0 2 ... 0 0 <|pkt|> 2 0 0 ...

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traffic/packet.h"

namespace tracebench {

inline constexpr std::size_t kTokenPacketBytes = 128;
inline constexpr std::size_t kTokenUdpPayload = 12;  ///< UDP payload bytes kept; TCP payload never is
inline constexpr std::string_view kPacketToken = "<|pkt|>";

using TokenPacket = std::array<std::uint8_t, kTokenPacketBytes>;

/// What NetSSM keeps of a packet, padded with zeros: TCP from the first byte of the frame to the end of the
/// TCP header; UDP the link and IP header (without VLAN tag or IPv6 extension headers), UDP header and 12
/// payload bytes, or all but the last where there are fewer. Nothing for packets it skips: neither TCP nor
/// UDP, or a fragment. Longer headers are cut at 128 bytes. IP in IP and GRE are looked into; of UDP-based
/// tunnels, the outer packet is kept.
std::optional<TokenPacket> token_packet(const PacketView& packet);

/// `<|label|> b b b <|pkt|> b b b`.
std::string token_text(std::string_view label, std::span<const TokenPacket> packets);

/// The same as one line of NetSSM's data set, line end included: {"Data","Hash","Filename","OrigLen"}.
/// NetSSM hashes the file's name, not its content. It leaves out samples of fewer than two packets.
std::string token_line(std::string_view label, std::span<const TokenPacket> packets,
                       std::string_view filename);

/// One packet of generated text as a frame: without what is padding by the headers' own lengths, and with the
/// length on the wire that the IP header claims (as far as it is longer).
struct TokenFrame {
    std::vector<std::uint8_t> bytes;
    std::uint32_t original_length = 0;
};
TokenFrame token_frame(std::span<const std::uint8_t> packet);

struct GeneratedPackets {
    std::vector<std::vector<std::uint8_t>> packets;  ///< as the model wrote them
    std::size_t dropped = 0;  ///< pieces that hold something other than numbers from 0 to 255
};

/// Generated text split at `<|pkt|>`. As NetSSM does, the first piece (label and an unfinished packet) and
/// the last are left out, and so are empty pieces.
GeneratedPackets parse_generated(std::string_view text);

}  // namespace tracebench
