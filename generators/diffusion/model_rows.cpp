#include "generators/diffusion/model_rows.h"

#include <algorithm>
#include <cmath>

#include "generators/diffusion/counters.h"
#include "generators/diffusion/flow_recency.h"
#include "generators/diffusion/host_recency.h"
#include "generators/diffusion/ports.h"
#include "generators/diffusion/row_fields.h"
#include "generators/diffusion/tcp_option_numbers.h"

namespace tracebench::diffusion {
namespace {

constexpr double gap_scale = 9;
constexpr std::uint32_t ranks = 1U << model_column::flow_rank_bits;

/// A flow as the rows say it: `forward` is the way of its first row, which in a flow begun anew may be
/// either.
struct EncodedFlow {
    std::uint32_t number = 0;
    bool begun = false;
    Direction forward = Direction::forward;
    SenderCounters senders[2];  ///< by Direction of the image
};

class Encoder {
  public:
    explicit Encoder(const PacketImage& image) : image_(image), flows_(image.flows.size()) {}

    ModelRows run() {
        rows_.ternary.assign(image_.rows.size() * kTernary, 0);
        std::int64_t before = image_.rows.empty() ? 0 : image_.rows.front().time_ns;
        for (std::size_t i = 0; i < image_.rows.size(); ++i) {
            const ImageRow& row = image_.rows[i];
            rows_.log_gap.push_back(scaled_gap(row.time_ns - before));
            before = row.time_ns;
            encode(row, rows_.row(i));
        }
        return std::move(rows_);
    }

  private:
    void encode(const ImageRow& row, std::span<std::int8_t, kTernary> out) {
        std::copy(row.bits.begin(), row.bits.end(), out.begin());
        const Bits bits = out.first<kNprintColumns>();
        const bool ipv6 = count_present(bits, 0, field::tcp) == 0;
        if (ipv6) put_ipv6(row, bits);
        const bool begins = encode_flow(row, row_kind(row.bits, ipv6), out);
        encode_addresses(row, begins, ipv6, bits);
        encode_id(row, bits);
        encode_ports(row, bits);
        if (is_present(bits, field::sequence)) encode_tcp(row, ipv6, bits);
        if (get(bits, field::udp_checksum) != 0) put_where_present(bits, field::udp_checksum, 1);
        for (const Field checksum : {field::ip_checksum, field::tcp_checksum, field::icmp_checksum})
            put_where_present(bits, checksum, 0);
        out[model_column::there] = 1;
    }

    static void put_ipv6(const ImageRow& row, Bits bits) {
        constexpr std::uint32_t header = 40, longest = 65535;
        put(bits, field::version, 6);
        put(bits, field::tos, row.ipv6.traffic_class);
        if (row.ipv6.length) put(bits, field::total_length, std::min(header + *row.ipv6.length, longest));
        put(bits, field::ttl, row.ipv6.hop_limit);
        put(bits, field::protocol, row_kind(row.bits, true).protocol);
        put(bits, field::source, 0);
        put(bits, field::destination, 0);
    }

    /// True where the row begins a flow.
    bool encode_flow(const ImageRow& row, const RowKind& kind, std::span<std::int8_t, kTernary> out) {
        EncodedFlow& flow = flows_[row.flow];
        std::optional<std::uint32_t> rank;
        if (flow.begun) rank = recency_.rank(kind, flow.number);
        const bool begins = !rank || *rank >= ranks;
        if (begins) {
            rows_.reopened += flow.begun;
            flow = EncodedFlow{next_number_++, true, row.direction, {}};
        }
        recency_.use(kind, flow.number);
        const std::uint32_t value = begins ? 0 : *rank;
        for (std::size_t bit = 0; bit < model_column::flow_rank_bits; ++bit)
            out[model_column::flow_rank + bit] =
                static_cast<std::int8_t>(value >> (model_column::flow_rank_bits - 1 - bit) & 1);
        out[model_column::new_flow] = begins;
        out[model_column::direction] = row.direction != flow.forward;
        return begins;
    }

    void encode_addresses(const ImageRow& row, bool begins, bool ipv6, Bits bits) {
        std::uint32_t source = 0, destination = 0;
        if (begins) {
            const ImageFlow& flow = image_.flows[row.flow];
            const bool as_flow = row.direction == Direction::forward;
            source = hosts_.encode((as_flow ? flow.source : flow.destination).address);
            destination = hosts_.encode((as_flow ? flow.destination : flow.source).address);
        }
        const auto place = ipv6 ? put : put_where_present;
        place(bits, field::source, source);
        place(bits, field::destination, destination);
    }

    void encode_id(const ImageRow& row, Bits bits) {
        if (!is_present(bits, field::ip_id)) return;
        SenderCounters& sender = flows_[row.flow].senders[static_cast<int>(row.direction)];
        const auto id = static_cast<std::uint16_t>(get(bits, field::ip_id));
        const bool later_fragment = get(bits, field::fragment_offset) != 0;
        const std::uint16_t last = later_fragment ? fragmented_id_ : sender.last_id;
        put_where_present(bits, field::ip_id, ip_id_code(id, last));
        if (id != 0) sender.last_id = id;
        if (get(bits, field::more_fragments) != 0) fragmented_id_ = id;
    }

    void encode_ports(const ImageRow& row, Bits bits) {
        const ImageFlow& flow = image_.flows[row.flow];
        if (!has_ports(flow.protocol)) return;
        const PortFields ports = port_fields(flow.protocol);
        const bool begins_forward = flows_[row.flow].forward == Direction::forward;
        const bool source_hidden = is_ephemeral(flow.source.port, flow.destination.port, begins_forward);
        const bool destination_hidden =
            is_ephemeral(flow.destination.port, flow.source.port, !begins_forward);
        const bool as_flow = row.direction == Direction::forward;
        if (as_flow ? source_hidden : destination_hidden) put_where_present(bits, ports.source, 0);
        if (as_flow ? destination_hidden : source_hidden) put_where_present(bits, ports.destination, 0);
    }

    void encode_tcp(const ImageRow& row, bool ipv6, Bits bits) {
        EncodedFlow& flow = flows_[row.flow];
        SenderCounters& sender = flow.senders[static_cast<int>(row.direction)];
        const SenderCounters& peer = flow.senders[1 - static_cast<int>(row.direction)];
        relate_options(bits);
        const std::uint32_t sequence = get(bits, field::sequence);
        const std::uint32_t acknowledgement = get(bits, field::acknowledgement);
        const bool expected = sender.seen;
        const std::uint32_t next = sender.next;
        note_segment(sender, bits, tcp_payload(bits, ipv6, row.ipv6));
        put_where_present(bits, field::sequence, expected ? fold(sequence - next) : 0);
        const bool acknowledges = get(bits, field::ack_flag) != 0 && peer.seen;
        put_where_present(bits, field::acknowledgement, acknowledges ? fold(acknowledgement - peer.next) : 0);
    }

    const PacketImage& image_;
    ModelRows rows_;
    std::vector<EncodedFlow> flows_;  ///< as image_.flows
    FlowRecency recency_;
    HostRecency hosts_;
    std::uint32_t next_number_ = 0;
    std::uint16_t fragmented_id_ = 0;  ///< identification of the last row with More Fragments
};

}  // namespace

void ModelRows::pad(std::size_t count) {
    const std::size_t from = rows();
    if (count <= from) return;
    ternary.resize(count * kTernary, -1);
    log_gap.resize(count, kPaddingGap);
    for (std::size_t i = from; i < count; ++i) row(i)[model_column::there] = 0;
}

float scaled_gap(std::int64_t gap_ns) {
    const double microseconds = static_cast<double>(std::max<std::int64_t>(gap_ns, 0)) * 1e-3;
    return static_cast<float>(std::log1p(microseconds) / gap_scale - 1);
}

std::int64_t gap_ns(float scaled) {
    constexpr double day_ns = 86400e9;
    if (!std::isfinite(scaled)) return 0;
    const double nanoseconds = std::expm1((static_cast<double>(scaled) + 1) * gap_scale) * 1e3;
    return static_cast<std::int64_t>(std::llround(std::clamp(nanoseconds, 0.0, day_ns)));
}

ModelRows model_rows(const PacketImage& image) {
    return Encoder(image).run();
}

std::size_t count_hosts(const ModelRows& rows) {
    std::size_t hosts = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        if (rows.row(i)[model_column::new_flow] <= 0) continue;
        const BitsView bits = rows.row(i).first<kNprintColumns>();
        hosts += HostRecency::is_new(get(bits, field::source));
        hosts += HostRecency::is_new(get(bits, field::destination));
    }
    return hosts;
}

std::vector<std::int8_t> column_emphasis() {
    constexpr std::int8_t structural = 8;
    std::vector<std::int8_t> emphasis(kTernary, 1);
    std::fill_n(emphasis.begin() + field::tcp_flags.first, field::tcp_flags.width, structural);
    std::fill(emphasis.begin() + static_cast<std::ptrdiff_t>(model_column::direction), emphasis.end(),
              structural);
    return emphasis;
}

}  // namespace tracebench::diffusion
