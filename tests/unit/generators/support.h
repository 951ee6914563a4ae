#pragma once
/// Small made-up traffic that generator tests learn from, and questions they ask of what comes out.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "datasets/dataset.h"
#include "generators/fresh_identifiers.h"
#include "generators/generator.h"
#include "traffic/bytes.h"
#include "traffic/checksum.h"
#include "traffic/headers.h"
#include "traffic/packet_builder.h"

namespace tracebench::testing {

constexpr std::int64_t millisecond = 1'000'000;

inline IpAddress ip4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {4, {a, b, c, d}};
}

/// One direction of one conversation, to be filled in packet by packet.
inline PacketFields tcp_fields(const Endpoint& src, const Endpoint& dst, std::uint8_t flags,
                               std::uint32_t payload = 0, std::uint32_t sequence = 0,
                               std::uint32_t acknowledgement = 0) {
    PacketFields fields;
    fields.src = src;
    fields.dst = dst;
    fields.tcp_flags = flags;
    fields.payload_length = payload;
    fields.payload.assign(payload, 0x5A);
    fields.sequence = sequence;
    fields.acknowledgement = acknowledgement;
    return fields;
}

inline void append(Trace& trace, std::int64_t time_ns, const PacketFields& fields,
                   std::size_t snap_length = 0) {
    std::vector<std::uint8_t> frame = build_packet(fields);
    const auto length = static_cast<std::uint32_t>(frame.size());
    if (snap_length != 0 && frame.size() > snap_length) frame.resize(snap_length);
    trace.append(time_ns, frame, length);
}

/// Handshake, a 100-byte request, a 1000-byte answer, FIN both ways: 8 packets, 10 ms apart.
inline void append_tcp_flow(Trace& trace, const Endpoint& client, const Endpoint& server,
                            std::int64_t start_ns, std::size_t snap_length = 0) {
    using namespace tcp_flag;
    const std::uint32_t c = 1000, s = 5000;
    std::vector<PacketFields> packets = {
        tcp_fields(client, server, syn, 0, c),
        tcp_fields(server, client, syn | ack, 0, s, c + 1),
        tcp_fields(client, server, ack, 0, c + 1, s + 1),
        tcp_fields(client, server, psh | ack, 100, c + 1, s + 1),
        tcp_fields(server, client, ack, 1000, s + 1, c + 101),
        tcp_fields(client, server, fin | ack, 0, c + 101, s + 1001),
        tcp_fields(server, client, fin | ack, 0, s + 1001, c + 102),
        tcp_fields(client, server, ack, 0, c + 102, s + 1002),
    };
    for (std::size_t i = 0; i < packets.size(); ++i) {
        PacketFields& fields = packets[i];
        const bool from_client = fields.src == client;
        fields.ttl = from_client ? 64 : 57;
        fields.ip_id = from_client ? static_cast<std::uint16_t>(100 + i) : 0;
        fields.window = from_client ? 502 : 8000;
        if (fields.tcp_flags & syn) fields.tcp_options = {2, 4, 0x05, 0xB4};
        if (!from_client) std::swap(fields.src_mac, fields.dst_mac);
        append(trace, start_ns + static_cast<std::int64_t>(i) * 10 * millisecond, fields, snap_length);
    }
}

/// A query and its answer, 20 ms later.
inline void append_dns_flow(Trace& trace, const Endpoint& client, const Endpoint& server,
                            std::int64_t start_ns) {
    PacketFields query;
    query.protocol = ip_protocol::udp;
    query.src = client;
    query.dst = server;
    query.payload_length = 40;
    PacketFields answer = query;
    std::swap(answer.src, answer.dst);
    std::swap(answer.src_mac, answer.dst_mac);
    answer.payload_length = 120;
    answer.ttl = 60;
    append(trace, start_ns, query);
    append(trace, start_ns + 20 * millisecond, answer);
}

inline constexpr std::int64_t recorded_ns = 1'500'000'000'000'000'000;

/// A session of one DNS flow and two TCP flows to one server; `number` varies the client's port.
inline Trace web_session(std::uint16_t number, std::size_t snap_length = 0) {
    const IpAddress client = ip4(192, 168, 1, 7), resolver = ip4(192, 168, 1, 1),
                    server = ip4(93, 184, 216, 34);
    Trace trace;
    append_dns_flow(trace, {client, 5353 + 40000}, {resolver, 53}, recorded_ns);
    for (std::uint16_t i = 0; i < 2; ++i)
        append_tcp_flow(trace, {client, static_cast<std::uint16_t>(50000 + 10 * number + i)}, {server, 443},
                        recorded_ns + (40 + 5 * i) * millisecond, snap_length);
    trace.sort_by_time();
    return trace;
}

inline std::vector<LabelledTrace> web_sessions(std::size_t count, const std::string& label = "web") {
    std::vector<LabelledTrace> samples;
    for (std::size_t i = 0; i < count; ++i)
        samples.push_back({label + std::to_string(i), label, web_session(static_cast<std::uint16_t>(i))});
    return samples;
}

inline std::vector<Trace> sample_all(Generator& generator, const SampleRequest& request) {
    std::vector<Trace> traces;
    Progress progress;
    generator.sample(request, progress, [&](Trace trace) { traces.push_back(std::move(trace)); });
    return traces;
}

inline SampleRequest request_for(const std::string& label, std::size_t count, std::uint64_t seed = 1) {
    SampleRequest request;
    request.label = label;
    request.count = count;
    request.seed = seed;
    return request;
}

/// Times, lengths and bytes of all packets, to compare whole outputs.
inline std::string content(const std::vector<Trace>& traces) {
    std::string text;
    for (const Trace& trace : traces) {
        for (const PacketView& packet : trace.packets) {
            text += std::to_string(packet.time_ns) + " " + std::to_string(packet.original_length) + " ";
            text.append(packet.bytes.begin(), packet.bytes.end());
        }
        text += "|";
    }
    return text;
}

/// IPv4 header and transport checksums, of packets captured whole.
inline void expect_right_checksums(const Trace& trace) {
    for (const PacketView& packet : trace.packets) {
        const Headers headers = dissect(packet);
        ASSERT_TRUE(headers.has_ip());
        if (headers.ip_version == 4) {
            EXPECT_EQ(load16(headers.ip() + 10),
                      ipv4_header_checksum({headers.ip(), headers.ip_header_length}));
        }
        if (!can_check_transport(headers)) continue;
        const std::size_t field = headers.has_tcp() ? 16 : headers.has_udp() ? 6 : 2;
        EXPECT_EQ(load16(headers.transport() + field), transport_checksum(headers));
    }
}

/// A folder for one test, removed with it.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "tracebench-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~ScratchFolder() { std::filesystem::remove_all(path_); }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// What `action` says as it throws InputError; fails the test when it does not.
template <typename Action>
std::string input_error(const Action& action) {
    try {
        action();
    } catch (const InputError& error) {
        return error.what();
    }
    ADD_FAILURE() << "no InputError";
    return {};
}

}  // namespace tracebench::testing
