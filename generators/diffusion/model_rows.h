#pragma once
/// The numbers that the diffusion model learns: a packet image without what no model can or should learn
/// (identities, starting points of counters, checksums), so that what is left is much the same in every
/// sample.
///
///     ModelRows rows = model_rows(image);      // for training
///     rows.pad(1024);
///     PacketImage made = packet_image(rows, random);   // with identities of its own

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"
#include "generators/diffusion/packet_image.h"

namespace tracebench::diffusion {

/// Ternary columns of a row: 1, 0 or -1 (absent).
namespace model_column {
inline constexpr std::size_t nprint = 0;                  ///< the 1088 of nPrint, changed as described below
inline constexpr std::size_t direction = kNprintColumns;  ///< 1: against the flow's first packet
inline constexpr std::size_t new_flow = direction + 1;    ///< 1: the first packet of a flow
inline constexpr std::size_t flow_rank = new_flow + 1;    ///< 5 bits, most significant first, see below
inline constexpr std::size_t flow_rank_bits = 5;
inline constexpr std::size_t there =
    flow_rank + flow_rank_bits;  ///< 1: a packet; 0: past the end of the sample
}  // namespace model_column
inline constexpr std::size_t kTernary = model_column::there + 1;  ///< 1096 = 137 bytes
static_assert(kTernary == 1096);

/// A sample as the model sees it. In a row that is a packet (`there` is 1) the four columns before are 0 or
/// 1; in one past the end `there` is 0, all other columns are -1 and the gap is kPaddingGap.
///
/// How the columns differ from nPrint's (widths and places stay):
///
/// - ipv4_id: 0 for 0; else 1 + the distance on the circle of 1..65535 from the last one of this flow and
///   direction that was not 0, and 1 where there was none. A fragment after the first goes on from the last
///   row with More Fragments.
/// - ipv4_src, ipv4_dst: on a flow's first row which host it is. First octet 10 (private) or 198 (global),
///   last octet 0 for a host not seen before, else its place (1 first) among the hosts of its IP version by
///   last use; multicast and broadcast as they are; 1.0.0.0 for 0.0.0.0. 0 in all other rows.
/// - tcp_seq: distance from the number after the highest that this direction has sent; 0 for its first.
/// - tcp_ackn: distance from the number after all that the peer has sent; 0 without the ACK flag, and as long
///   as the peer has sent nothing.
/// - ports: 0 for an ephemeral port (from 32768, or that of the flow's first sender if it is from 1024 and
///   larger than the other). Service ports stay.
/// - checksums: 0; but the last bit of udp_cksum is 1 where there is one.
/// - tcp_opt: left edges of SACK blocks as distances from the acknowledgement number, right edges from their
///   left ones; timestamps and their echoes 0.
///
/// Distances of 32 bits are folded, 0 -1 1 -2 2 to 0 1 2 3 4, so that small ones have few bits whatever their
/// sign. IPv6 packets use the IPv4 columns for what the headers have in common, so that the model learns it
/// once: version 6, traffic class as tos, 40 + length as total length, hop limit as ttl, protocol, addresses
/// as above (multicast: FF, scope, last two octets); the other IPv4 columns are -1. A packet is taken for
/// IPv6 where most bits of header length, identification and fragment offset are -1.
///
/// flow_rank: how many flows of the same IP version and protocol had a packet since this flow had its last; 0
/// for the one that had the latest. Flows with 32 or more are begun anew (ModelRows::reopened). 0 on first
/// rows.
struct ModelRows {
    std::vector<std::int8_t> ternary;  ///< rows x kTernary, row by row
    std::vector<float> log_gap;        ///< a value a row, see scaled_gap()
    std::uint64_t reopened = 0;        ///< rows that begin a flow only because its rank was out of range

    std::size_t rows() const { return log_gap.size(); }
    std::span<std::int8_t, kTernary> row(std::size_t i) {
        return std::span<std::int8_t, kTernary>(ternary.data() + i * kTernary, kTernary);
    }
    std::span<const std::int8_t, kTernary> row(std::size_t i) const {
        return std::span<const std::int8_t, kTernary>(ternary.data() + i * kTernary, kTernary);
    }
    /// Appends rows past the end until there are `count`; does nothing where there are as many or more.
    void pad(std::size_t count);
};

/// ln(1 + microseconds since the row before) / 9 - 1: from -1 (no time) through 0 (8.1 ms) to 1 (65.7 s); 0
/// time for the first row. Negative times count as none.
float scaled_gap(std::int64_t gap_ns);
/// The reverse, in whole nanoseconds from 0 to one day; what is not finite is 0.
std::int64_t gap_ns(float scaled);
inline constexpr float kPaddingGap = -1;

/// For each of the kTernary columns how many times it counts for the autoencoder: more where much hangs on a
/// bit that is nearly always the same (which flow a row belongs to, whether it begins one, TCP's flags), and
/// which an autoencoder would therefore drop first.
std::vector<std::int8_t> column_emphasis();

ModelRows model_rows(const PacketImage& image);

/// How many hosts are said to be new in these rows.
std::size_t count_hosts(const ModelRows& rows);

/// The reverse, for rows that a model made as for those of model_rows(): nothing is refused and nothing
/// repaired. Rows that are not `there` are left out. Addresses, ephemeral ports, initial sequence numbers,
/// first identifications and TCP timestamps (a clock of 1 kHz a host, echoes of the last received) are drawn
/// from `random`; checksums are 0 (udp_cksum all ones where there is to be one): repair computes them.
/// Lossless for all else, gaps to 2 nanoseconds or 2 parts in a million. Of more than `most_hosts` hosts not
/// seen before the rest are the latest that were.
PacketImage packet_image(const ModelRows& rows, Random& random, std::optional<std::size_t> most_hosts = {});

}  // namespace tracebench::diffusion
