#pragma once
/// Hand-built sessions for feature tests: what happens, apart from who, when and how it was captured.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "traffic/packet_builder.h"
#include "traffic/trace.h"

namespace tracebench {

struct Event {
    double time_ms;
    std::size_t flow;  ///< 0, 1, ...: each has ports of its own
    bool up;
    std::uint8_t protocol;
    std::uint8_t flags;
    std::uint32_t payload;
};

/// Everything that features must not see.
struct Identity {
    std::uint8_t client[4] = {192, 168, 1, 10}, server[4] = {203, 0, 113, 5};
    std::uint16_t client_port = 50000, server_port = 443;
    std::uint8_t client_mac = 1, server_mac = 2;
    std::uint8_t client_ttl = 64, server_ttl = 57;
    std::uint16_t ip_id = 100;
    std::uint32_t sequence = 1000, clock = 123456;
    std::int64_t start_ns = 1'700'000'000'000'000'000;
    std::size_t snap_length = 65535;
    std::size_t minimum_frame = 0;  ///< shorter frames are padded with zeros, as Ethernet does
};

inline Endpoint ipv4_endpoint(const std::uint8_t (&octets)[4], std::uint16_t port) {
    Endpoint endpoint;
    endpoint.address.version = 4;
    std::copy(std::begin(octets), std::end(octets), endpoint.address.bytes.begin());
    endpoint.port = port;
    return endpoint;
}

/// TCP packets carry a timestamp option, and a SYN also MSS 1460 and SACK-permitted, unless `options` is off.
inline Trace build_session(const std::vector<Event>& events, const Identity& who = {}, bool options = true) {
    Trace trace;
    std::uint16_t count = 0;
    for (const Event& event : events) {
        const auto port = static_cast<std::uint16_t>(who.client_port + event.flow);
        const Endpoint client = ipv4_endpoint(who.client, port);
        const Endpoint server = ipv4_endpoint(who.server, who.server_port);
        PacketFields fields;
        fields.src = event.up ? client : server;
        fields.dst = event.up ? server : client;
        fields.protocol = event.protocol;
        fields.ttl = event.up ? who.client_ttl : who.server_ttl;
        fields.src_mac[5] = event.up ? who.client_mac : who.server_mac;
        fields.dst_mac[5] = event.up ? who.server_mac : who.client_mac;
        fields.ip_id = static_cast<std::uint16_t>(who.ip_id + count);
        fields.sequence = who.sequence + 1000U * count;
        fields.acknowledgement = who.sequence * 3 + 500U * count;
        fields.tcp_flags = event.flags;
        fields.window = event.up ? 1000 : 3000;
        fields.payload_length = event.payload;
        if (event.protocol == ip_protocol::tcp && options) {
            if ((event.flags & tcp_flag::syn) != 0) fields.tcp_options = {2, 4, 0x05, 0xB4, 4, 2};
            fields.tcp_options.insert(fields.tcp_options.end(), {8, 10});
            for (const std::uint32_t value : {who.clock + count, who.clock / 2 + count})
                for (int shift = 24; shift >= 0; shift -= 8)
                    fields.tcp_options.push_back(static_cast<std::uint8_t>(value >> shift));
        }
        ++count;
        std::vector<std::uint8_t> frame = build_packet(fields);
        frame.resize(std::max(frame.size(), who.minimum_frame));
        const auto length = static_cast<std::uint32_t>(frame.size());
        frame.resize(std::min(frame.size(), who.snap_length));
        trace.append(who.start_ns + static_cast<std::int64_t>(event.time_ms * 1e6), frame, length);
    }
    return trace;
}

/// A TCP exchange of six packets, then one UDP packet after two seconds of silence.
inline std::vector<Event> example_events() {
    using namespace ip_protocol;
    using namespace tcp_flag;
    return {
        {0, 0, true, tcp, syn, 0},          {10, 0, false, tcp, syn | ack, 0}, {20, 0, true, tcp, ack, 0},
        {25, 0, true, tcp, psh | ack, 100}, {50, 0, false, tcp, ack, 1000},    {51, 0, false, tcp, ack, 500},
        {2051, 1, true, udp, 0, 30},
    };
}

}  // namespace tracebench
