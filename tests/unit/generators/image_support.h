#pragma once
/// Real captures as packet images, and what two images that differ in identities only have in common.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include "generators/diffusion/packet_image.h"
#include "generators/diffusion/ports.h"
#include "generators/diffusion/row_fields.h"
#include "traffic/bytes.h"
#include "traffic/capture_reader.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench::diffusion::image_testing {

inline std::vector<std::filesystem::path> lab_captures() {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(TRACEBENCH_SOURCE_DIR "/datasets/lab"))
        if (entry.path().extension() == ".pcap") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
}

inline Trace read_capture(const std::filesystem::path& path) {
    Trace trace;
    CaptureReader reader(path);
    PacketView packet;
    while (reader.next(packet))
        trace.append(packet.time_ns, packet.bytes, packet.original_length, packet.link);
    return trace;
}

/// The timestamps option's 8 value bytes in columns of a row; 0: none. SACK options' blocks likewise.
struct OptionColumns {
    std::size_t timestamps = 0;
    std::vector<std::size_t> edges;  ///< left, right, left, ...
};
inline OptionColumns option_columns(BitsView row) {
    std::vector<std::uint8_t> bytes;
    for (std::uint16_t i = 0; i < 40 && row[field::tcp_options + 8 * i] >= 0; ++i)
        bytes.push_back(
            static_cast<std::uint8_t>(get(row, {static_cast<std::uint16_t>(field::tcp_options + 8 * i), 8})));
    OptionColumns result;
    TcpOptions options(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    while (options.next()) {
        const std::size_t value = field::tcp_options + 8 * (options.offset() + 2);
        if (options.kind() == tcp_option::timestamps && options.length() == 10) result.timestamps = value;
        if (options.kind() == tcp_option::sack)
            for (std::uint32_t i = 0; i + 4 <= options.length() - 2; i += 4)
                result.edges.push_back(value + 8 * i);
    }
    return result;
}

/// Numbers of a flow relative to each other: sequence numbers to the first of their direction,
/// acknowledgements to the peer's first sequence number, identifications to the one before of their
/// direction.
class Relative {
  public:
    std::vector<std::int64_t> add(const ImageRow& row) {
        Flow& flow = flows_[row.flow];
        Side& me = flow.sides[static_cast<int>(row.direction)];
        Side& peer = flow.sides[1 - static_cast<int>(row.direction)];
        std::vector<std::int64_t> numbers;
        if (is_present(row.bits, field::ip_id) && get(row.bits, field::fragment_offset) == 0) {
            const auto id = static_cast<std::uint16_t>(get(row.bits, field::ip_id));
            numbers.push_back(id == 0);
            // On the circle of 65535 numbers that are not 0.
            if (id != 0 && me.id != 0) numbers.push_back((id + 65535 - me.id) % 65535);
            if (id != 0) me.id = id;
        }
        if (!is_present(row.bits, field::sequence)) return numbers;
        const std::uint32_t sequence = get(row.bits, field::sequence),
                            ackn = get(row.bits, field::acknowledgement);
        if (!me.seen) me.first = sequence;
        me.seen = true;
        numbers.push_back(std::uint32_t(sequence - me.first));
        const bool ack = get(row.bits, field::ack_flag) != 0;
        if (ack && peer.seen) numbers.push_back(std::uint32_t(ackn - peer.first));
        for (const std::size_t edge : option_columns(row.bits).edges)
            numbers.push_back(std::uint32_t(get(row.bits, {static_cast<std::uint16_t>(edge), 32}) - ackn));
        return numbers;
    }

  private:
    struct Side {
        bool seen = false;
        std::uint32_t first = 0;
        std::uint16_t id = 0;
    };
    struct Flow {
        Side sides[2];
    };
    std::map<std::uint32_t, Flow> flows_;
};

/// Columns that identities, starting points and checksums stand in.
inline std::vector<bool> identity_columns(BitsView row) {
    std::vector<bool> columns(kNprintColumns);
    for (const NprintField& f : nprint_fields())
        if (f.identifier || f.counter || f.checksum) std::fill_n(columns.begin() + f.first, f.width, true);
    const OptionColumns options = option_columns(row);
    if (options.timestamps != 0)
        std::fill_n(columns.begin() + static_cast<std::ptrdiff_t>(options.timestamps), 64, true);
    for (const std::size_t edge : options.edges)
        std::fill_n(columns.begin() + static_cast<std::ptrdiff_t>(edge), 32, true);
    return columns;
}

inline void expect_same_ends(const PacketImage& a, const PacketImage& b) {
    ASSERT_EQ(a.flows.size(), b.flows.size());
    std::map<IpAddress, IpAddress> hosts;
    for (std::size_t f = 0; f < a.flows.size(); ++f) {
        const ImageFlow &x = a.flows[f], &y = b.flows[f];
        EXPECT_EQ(x.protocol, y.protocol);
        for (const auto& [old, now] :
             {std::pair{x.source, y.source}, std::pair{x.destination, y.destination}}) {
            EXPECT_EQ(old.address.version, now.address.version);
            EXPECT_EQ(hosts.try_emplace(old.address, now.address).first->second, now.address)
                << "another host";
            if (old.port < 1024) {
                EXPECT_EQ(old.port, now.port);
            }
            if (old.port >= 32768) {
                EXPECT_GE(now.port, 32768);
            }
        }
    }
}

/// Expects all that model rows keep: flows, directions, times, every bit that is no identity, and how the
/// numbers that are relate to each other.
inline void expect_same_relations(const PacketImage& a, const PacketImage& b) {
    ASSERT_EQ(a.rows.size(), b.rows.size());
    Relative relative_a, relative_b;
    std::int64_t before_a = 0, before_b = 0;
    for (std::size_t i = 0; i < a.rows.size(); ++i) {
        SCOPED_TRACE(i);
        const ImageRow &x = a.rows[i], &y = b.rows[i];
        ASSERT_EQ(x.flow, y.flow);
        ASSERT_EQ(x.direction, y.direction);
        const auto gap = x.time_ns - before_a;
        EXPECT_NEAR(y.time_ns - before_b, gap, 1 + 2e-6 * static_cast<double>(gap));
        before_a = x.time_ns, before_b = y.time_ns;
        const std::vector<bool> identity = identity_columns(x.bits);
        for (std::size_t c = 0; c < kNprintColumns; ++c) {
            ASSERT_EQ(x.bits[c] >= 0, y.bits[c] >= 0) << nprint_column_name(c);
            if (!identity[c]) {
                ASSERT_EQ(x.bits[c], y.bits[c]) << nprint_column_name(c);
            }
        }
        ASSERT_EQ(relative_a.add(x), relative_b.add(y));
        EXPECT_EQ(get(x.bits, field::udp_checksum) != 0, get(y.bits, field::udp_checksum) != 0);
        if (count_present(x.bits, 0, field::tcp) > 0) continue;
        EXPECT_EQ(x.ipv6.traffic_class, y.ipv6.traffic_class);
        EXPECT_EQ(x.ipv6.hop_limit, y.ipv6.hop_limit);
        EXPECT_EQ(x.ipv6.length, y.ipv6.length);
    }
}

/// The same of what was captured, where hosts are as the flows of one session know them.
inline void expect_same_but_identities(const PacketImage& a, const PacketImage& b) {
    expect_same_ends(a, b);
    expect_same_relations(a, b);
}

}  // namespace tracebench::diffusion::image_testing
