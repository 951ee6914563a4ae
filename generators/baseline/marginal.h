#pragma once
/// `marginal`: every header field drawn by itself: right one by one, wrong together. The ceiling of badness.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "generators/checked_json.h"
#include "generators/generator.h"
#include "generators/histogram.h"
#include "traffic/packet_builder.h"

namespace tracebench {

/// What one label's packets look like, field by field, with nothing about which values occur together.
class FieldMarginals {
  public:
    /// TCP, UDP, ICMP and ICMPv6 packets are learned, others skipped.
    void add(const Trace& session);
    bool empty() const;
    /// One packet of independent fields. Which fields there are follows from IP version and protocol, which
    /// are drawn first (an ICMP of the other IP version becomes the fitting one).
    PacketFields draw_packet(Random& random);
    std::uint64_t draw_packet_count(Random& random);
    std::uint64_t draw_gap_ns(Random& random);
    std::uint32_t snap_length() const { return snap_length_; }

    nlohmann::json to_json() const;
    /// Throws InputError.
    static FieldMarginals from_json(const CheckedJson& json);

    enum Number : std::size_t {
        session_packets,
        gap_ns,
        ip_version,
        ip_protocol_number,
        ipv4_tos,
        ipv4_id,
        ipv4_dont_fragment,
        ipv4_ttl,
        ipv4_length,
        ipv6_traffic_class,
        ipv6_hop_limit,
        ipv6_length,
        tcp_src_port,
        tcp_dst_port,
        tcp_sequence,
        tcp_acknowledgement,
        tcp_flags,
        tcp_window,
        tcp_mss,
        tcp_window_scale,
        tcp_timestamp,
        tcp_timestamp_echo,
        tcp_sack_edge,
        udp_src_port,
        udp_dst_port,
        icmp_type,
        icmp_code,
        icmp_rest,
        icmpv6_type,
        icmpv6_code,
        icmpv6_rest,
        number_count
    };
    enum Bytes : std::size_t {
        ethernet_src,
        ethernet_dst,
        ipv4_src,
        ipv4_dst,
        ipv6_src,
        ipv6_dst,
        tcp_options,
        bytes_count
    };
    const Histogram& field(Number number) const { return numbers_[number]; }

    FieldMarginals();

  private:
    void add_packet(const PacketFields& fields, std::uint32_t ip_length);
    void draw_tcp_options(PacketFields& fields, Random& random);

    std::array<Histogram, number_count> numbers_;
    std::array<ByteHistogram, bytes_count> bytes_;
    std::uint32_t snap_length_ = 0;  // 0: whole packets
};

/// Takes no settings. Number of packets, inter-arrival times and each header field are drawn independently
/// from the label's training histogram: flows fall apart into single packets and TCP state means nothing,
/// while each field's own distribution fits. Exceptions, all needed for a frame that parses: header lengths,
/// checksums and UDP length are computed, and a total length shorter than the headers becomes theirs. Times
/// between packets and sequence numbers are kept to 6 and 8 leading bits. Payloads are zeros, cut off where
/// the training captures cut packets. With `constrained`, rules of packet scope are repaired, never those of
/// flows: what is broken about flows is the point.
class MarginalGenerator : public Generator {
  public:
    static std::unique_ptr<Generator> make(const CheckedJson& settings);

    std::string kind() const override { return "marginal"; }
    void fit(const Samples& samples, const FitContext& context) override;
    void sample(const SampleRequest& request, Progress& progress, const Sink& sink) override;
    void save(const std::filesystem::path& folder) const override;
    void load(const std::filesystem::path& folder) override;
    nlohmann::json describe() const override;
    std::vector<std::string> labels() const override;

  private:
    std::map<std::string, FieldMarginals> models_;
};

}  // namespace tracebench
