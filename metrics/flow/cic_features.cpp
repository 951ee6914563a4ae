#include "metrics/flow/cic_features.h"

namespace tracebench {
namespace {

constexpr std::array<CicFeature, cic_feature_count> features = {{
    {"Flow Duration", "us"},
    {"Total Fwd Packet", "packets"},
    {"Total Bwd packets", "packets"},
    {"Total Length of Fwd Packet", "bytes"},
    {"Total Length of Bwd Packet", "bytes"},
    {"Fwd Packet Length Max", "bytes"},
    {"Fwd Packet Length Min", "bytes"},
    {"Fwd Packet Length Mean", "bytes"},
    {"Fwd Packet Length Std", "bytes"},
    {"Bwd Packet Length Max", "bytes"},
    {"Bwd Packet Length Min", "bytes"},
    {"Bwd Packet Length Mean", "bytes"},
    {"Bwd Packet Length Std", "bytes"},
    {"Flow Bytes/s", "bytes/s"},
    {"Flow Packets/s", "packets/s"},
    {"Flow IAT Mean", "us"},
    {"Flow IAT Std", "us"},
    {"Flow IAT Max", "us"},
    {"Flow IAT Min", "us"},
    {"Fwd IAT Total", "us"},
    {"Fwd IAT Mean", "us"},
    {"Fwd IAT Std", "us"},
    {"Fwd IAT Max", "us"},
    {"Fwd IAT Min", "us"},
    {"Bwd IAT Total", "us"},
    {"Bwd IAT Mean", "us"},
    {"Bwd IAT Std", "us"},
    {"Bwd IAT Max", "us"},
    {"Bwd IAT Min", "us"},
    {"Fwd PSH Flags", "packets"},
    {"Bwd PSH Flags", "packets"},
    {"Fwd URG Flags", "packets"},
    {"Bwd URG Flags", "packets"},
    {"Fwd Header Length", "bytes"},
    {"Bwd Header Length", "bytes"},
    {"Fwd Packets/s", "packets/s"},
    {"Bwd Packets/s", "packets/s"},
    {"Packet Length Min", "bytes"},
    {"Packet Length Max", "bytes"},
    {"Packet Length Mean", "bytes"},
    {"Packet Length Std", "bytes"},
    {"Packet Length Variance", "bytes^2"},
    {"FIN Flag Count", "packets"},
    {"SYN Flag Count", "packets"},
    {"RST Flag Count", "packets"},
    {"PSH Flag Count", "packets"},
    {"ACK Flag Count", "packets"},
    {"URG Flag Count", "packets"},
    {"CWR Flag Count", "packets"},
    {"ECE Flag Count", "packets"},
    {"Down/Up Ratio", "1"},
    {"Average Packet Size", "bytes"},
    {"Fwd Segment Size Avg", "bytes"},
    {"Bwd Segment Size Avg", "bytes"},
    {"Fwd Bytes/Bulk Avg", "bytes"},
    {"Fwd Packet/Bulk Avg", "packets"},
    {"Fwd Bulk Rate Avg", "bytes/s"},
    {"Bwd Bytes/Bulk Avg", "bytes"},
    {"Bwd Packet/Bulk Avg", "packets"},
    {"Bwd Bulk Rate Avg", "bytes/s"},
    {"Subflow Fwd Packets", "packets"},
    {"Subflow Fwd Bytes", "bytes"},
    {"Subflow Bwd Packets", "packets"},
    {"Subflow Bwd Bytes", "bytes"},
    {"FWD Init Win Bytes", "bytes"},
    {"Bwd Init Win Bytes", "bytes"},
    {"Fwd Act Data Pkts", "packets"},
    {"Fwd Seg Size Min", "bytes"},
    {"Active Mean", "us"},
    {"Active Std", "us"},
    {"Active Max", "us"},
    {"Active Min", "us"},
    {"Idle Mean", "us"},
    {"Idle Std", "us"},
    {"Idle Max", "us"},
    {"Idle Min", "us"},
}};

constexpr std::int64_t ns(double seconds) {
    return static_cast<std::int64_t>(seconds * 1e9);
}
double microseconds(std::int64_t nanoseconds) {
    return static_cast<double>(nanoseconds) * 1e-3;
}
double ratio(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

/// Writes values one after the other.
class Row {
  public:
    void put(double value) { values_[next_++] = value; }
    void put_count(std::uint64_t value) { put(static_cast<double>(value)); }
    void put_lengths(const Moments& m) {
        for (const double value : {m.max(), m.min(), m.mean(), m.deviation()}) put(value);
    }
    void put_times(const Moments& m) {
        for (const double value : {m.mean(), m.deviation(), m.max(), m.min()}) put(value);
    }
    const std::array<double, cic_feature_count>& values() const { return values_; }

  private:
    std::array<double, cic_feature_count> values_{};
    std::size_t next_ = 0;
};

}  // namespace

std::span<const CicFeature> cic_features() {
    return features;
}

CicPacket cic_packet(const PacketView& packet, const Headers& headers, Direction direction) {
    CicPacket result;
    result.time_ns = packet.time_ns;
    result.direction = direction;
    if (headers.has_tcp()) {
        result.flags = headers.tcp()[13];
        result.window = static_cast<std::uint16_t>(headers.tcp()[14] << 8 | headers.tcp()[15]);
    }
    if (headers.transport_offset != Headers::none && headers.payload_offset != Headers::none) {
        result.payload = headers.payload_length();
        result.header = headers.payload_offset - headers.transport_offset;
    } else {
        const std::uint32_t begin = headers.ip_offset + headers.ip_header_length;
        result.payload = headers.ip_end > begin ? headers.ip_end - begin : 0;
    }
    return result;
}

void CicFlow::Bulk::add(const CicPacket& packet, const Bulk& other) {
    if (packet.payload == 0) return;
    const bool interrupted = other.last_ns > start_ns && other.run_packets > 0;
    if (run_packets == 0 || interrupted || packet.time_ns - last_ns > ns(subflow_gap_s)) {
        start_ns = packet.time_ns;
        run_packets = run_bytes = 0;
    }
    ++run_packets;
    run_bytes += packet.payload;
    if (run_packets == bulk_packets) {
        ++bulks;
        packets += run_packets;
        bytes += run_bytes;
        duration_ns += packet.time_ns - start_ns;
    } else if (run_packets > bulk_packets) {
        ++packets;
        bytes += packet.payload;
        duration_ns += packet.time_ns - last_ns;
    }
    last_ns = packet.time_ns;
}

void CicFlow::track_activity(std::int64_t now_ns) {
    if (now_ns - last_ns_ > ns(subflow_gap_s)) ++subflows_;
    if (now_ns - last_ns_ <= ns(activity_timeout_s)) return;
    if (last_ns_ > active_since_ns_) active_us_.add(microseconds(last_ns_ - active_since_ns_));
    idle_us_.add(microseconds(now_ns - last_ns_));
    active_since_ns_ = now_ns;
}

void CicFlow::add(const CicPacket& seen) {
    CicPacket packet = seen;
    const bool first = lengths_.n() == 0;
    if (first) {
        first_ns_ = last_ns_ = active_since_ns_ = packet.time_ns;
        subflows_ = 1;
    }
    packet.time_ns = std::max(packet.time_ns, last_ns_);
    track_activity(packet.time_ns);

    Side& side = sides_[static_cast<std::size_t>(packet.direction)];
    const Side& other = sides_[1 - static_cast<std::size_t>(packet.direction)];
    if (!first) gaps_us_.add(microseconds(packet.time_ns - last_ns_));
    if (side.lengths.n() > 0) {
        side.gaps_us.add(microseconds(packet.time_ns - side.last_ns));
        side.shortest_header = std::min(side.shortest_header, packet.header);
    } else {
        side.shortest_header = packet.header;
        side.first_window = packet.window;
    }
    lengths_.add(packet.payload);
    side.lengths.add(packet.payload);
    side.header_bytes += packet.header;
    side.with_data += packet.payload > 0;
    side.psh += (packet.flags & tcp_flag::psh) != 0;
    side.urg += (packet.flags & tcp_flag::urg) != 0;
    for (unsigned bit = 0; bit < 8; ++bit) flags_[bit] += packet.flags >> bit & 1U;
    side.bulk.add(packet, other.bulk);
    side.last_ns = last_ns_ = packet.time_ns;
}

std::array<double, cic_feature_count> CicFlow::values() const {
    const auto& [fwd, bwd] = sides_;
    const double seconds = static_cast<double>(last_ns_ - first_ns_) * 1e-9;
    const auto packets = static_cast<double>(lengths_.n());
    const auto fwd_packets = static_cast<double>(fwd.lengths.n()), bwd_packets = packets - fwd_packets;
    const auto subflows = static_cast<double>(subflows_);
    Row row;
    row.put(microseconds(last_ns_ - first_ns_));
    for (const double value : {fwd_packets, bwd_packets, fwd.lengths.sum(), bwd.lengths.sum()})
        row.put(value);
    row.put_lengths(fwd.lengths);
    row.put_lengths(bwd.lengths);
    row.put(ratio(lengths_.sum(), seconds));
    row.put(ratio(packets, seconds));
    row.put_times(gaps_us_);
    for (const Side* side : {&fwd, &bwd}) {
        row.put(side->gaps_us.sum());
        row.put_times(side->gaps_us);
    }
    for (const std::uint64_t count : {fwd.psh, bwd.psh, fwd.urg, bwd.urg}) row.put_count(count);
    for (const Side* side : {&fwd, &bwd}) row.put_count(side->header_bytes);
    row.put(ratio(fwd_packets, seconds));
    row.put(ratio(bwd_packets, seconds));
    for (const double value :
         {lengths_.min(), lengths_.max(), lengths_.mean(), lengths_.deviation(), lengths_.variance()})
        row.put(value);
    // FIN, SYN, RST, PSH, ACK, URG by their bits; then CWR before ECE.
    for (const unsigned bit : {0U, 1U, 2U, 3U, 4U, 5U, 7U, 6U}) row.put_count(flags_[bit]);
    row.put(ratio(bwd_packets, fwd_packets));
    for (const Moments* lengths : {&lengths_, &fwd.lengths, &bwd.lengths}) row.put(lengths->mean());
    for (const Side* side : {&fwd, &bwd}) {
        const auto bulks = static_cast<double>(side->bulk.bulks),
                   bytes = static_cast<double>(side->bulk.bytes);
        row.put(ratio(bytes, bulks));
        row.put(ratio(static_cast<double>(side->bulk.packets), bulks));
        row.put(ratio(bytes, static_cast<double>(side->bulk.duration_ns) * 1e-9));
    }
    for (const Side* side : {&fwd, &bwd}) {
        row.put(ratio(static_cast<double>(side->lengths.n()), subflows));
        row.put(ratio(side->lengths.sum(), subflows));
    }
    row.put(fwd.first_window);
    row.put(bwd.first_window);
    row.put_count(fwd.with_data);
    row.put(fwd.shortest_header);
    row.put_times(active_us_);
    row.put_times(idle_us_);
    return row.values();
}

}  // namespace tracebench
