#pragma once
/// Small traces made of fields, and observations made of numbers, for the tests of this module.

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "metrics/metric.h"
#include "traffic/packet_builder.h"

namespace tracebench::testing_traces {

inline Endpoint endpoint(std::uint8_t host, std::uint16_t port) {
    Endpoint result;
    result.address.version = 4;
    result.address.bytes = {192, 0, 2, host};
    result.port = port;
    return result;
}

/// One packet from `src` to `dst`; flags 0 makes it UDP.
inline PacketFields packet(Endpoint src, Endpoint dst, std::uint8_t flags, std::uint32_t payload) {
    PacketFields fields;
    fields.src = src;
    fields.dst = dst;
    fields.protocol = flags == 0 ? ip_protocol::udp : ip_protocol::tcp;
    fields.tcp_flags = flags;
    fields.payload_length = payload;
    fields.window = 1000;
    return fields;
}

inline void append(Trace& trace, double time_s, const PacketFields& fields) {
    trace.append(static_cast<std::int64_t>(std::llround(time_s * 1e9)), build_packet(fields));
}

/// A TCP flow of `packets` data packets with random sizes and times, after its handshake.
inline void append_flow(Trace& trace, Random& random, std::uint8_t host, std::uint16_t port,
                        std::size_t packets) {
    const Endpoint client = endpoint(host, port), server = endpoint(200, 443);
    double time = random.uniform();
    std::uint32_t sent = 1000, received = 5000;  // next sequence numbers of client and server
    const auto send = [&](bool from_client, std::uint8_t flags, std::uint32_t size) {
        PacketFields fields =
            from_client ? packet(client, server, flags, size) : packet(server, client, flags, size);
        std::uint32_t& own = from_client ? sent : received;
        fields.sequence = own;
        if ((flags & tcp_flag::ack) != 0) fields.acknowledgement = from_client ? received : sent;
        fields.window = 65535;
        own += size + ((flags & tcp_flag::syn) != 0 ? 1 : 0);
        append(trace, time, fields);
    };
    send(true, tcp_flag::syn, 0);
    time += 0.01;
    send(false, tcp_flag::syn | tcp_flag::ack, 0);
    time += 0.01;
    send(true, tcp_flag::ack, 0);
    for (std::size_t i = 0; i < packets; ++i) {
        const auto size = static_cast<std::uint32_t>(random.below(1400));
        time += random.exponential(0.05);
        random.chance(0.4) ? send(true, tcp_flag::ack | tcp_flag::psh, size)
                           : send(false, tcp_flag::ack, size);
    }
    trace.sort_by_time();
}

/// `sessions` samples of two flows each, labels taken in turn.
inline std::vector<LabelledTrace> random_samples(std::uint64_t seed, std::size_t sessions,
                                                 const std::vector<std::string>& labels = {"a", "b"}) {
    Random random(seed);
    std::vector<LabelledTrace> samples;
    for (std::size_t s = 0; s < sessions; ++s) {
        Trace trace;
        for (int flow = 0; flow < 2; ++flow)
            append_flow(trace, random, static_cast<std::uint8_t>(1 + random.below(100)),
                        static_cast<std::uint16_t>(32768 + random.below(20000)), 6 + random.below(20));
        samples.push_back({"s" + std::to_string(s) + ".pcap", labels[s % labels.size()], std::move(trace)});
    }
    return samples;
}

inline SampleSet sample_set(const std::string& name, std::vector<LabelledTrace> samples) {
    SampleSet set;
    set.name = name;
    set.observations = observe(samples);
    set.samples = std::move(samples);
    return set;
}

}  // namespace tracebench::testing_traces
