#pragma once
/// A packet as the `fields` encoding knows it: what a model may say of it and what follows from the rest.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "generators/ssm/encoding/fields/tcp_option_list.h"
#include "generators/ssm/encoding/fields/vocabulary.h"
#include "traffic/packet_builder.h"

namespace tracebench::ssm {

struct Record {
    std::int64_t time_ns = 0;
    PacketFields fields;  ///< without tcp_options; `payload` at most code::payload_bytes, of UDP only
    OptionList options;   ///< of TCP
    OptionValues option_values;
    std::uint32_t trailer = 0;  ///< bytes of the frame behind the IP packet

    std::uint8_t version() const { return fields.src.address.version; }
    bool tcp() const { return fields.protocol == ip_protocol::tcp; }
    bool udp() const { return fields.protocol == ip_protocol::udp; }
    bool has(std::uint8_t flag) const { return tcp() && (fields.tcp_flags & flag) != 0; }
    /// Bytes from the Ethernet header to the end of the transport header.
    std::uint32_t header_bytes() const;
    /// Of the frame, trailer included.
    std::uint32_t wire_bytes() const { return header_bytes() + fields.payload_length + trailer; }
};

/// TCP, UDP, ICMP or ICMPv6 straight behind IPv4 without options or IPv6 without extension headers, on
/// untagged Ethernet, whose headers were captured whole. Nothing where the packet is something else, or where
/// its headers could not be made again byte for byte (checksums aside).
std::optional<Record> read_record(const PacketView& packet);

/// The frame, at most `snap` bytes of it (0: whole); payload behind the known bytes is zeros, but for the
/// target and options of neighbour discovery. Checksums are those of the whole packet.
std::vector<std::uint8_t> build_frame(const Record& record, std::uint32_t snap);

/// The headers alone with the lengths of the whole packet, as a capture cut behind them would hold: what
/// rules are asked about while a packet is being written.
std::vector<std::uint8_t> build_headers(const Record& record);

}  // namespace tracebench::ssm
