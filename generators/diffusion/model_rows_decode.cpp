#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "generators/diffusion/counters.h"
#include "generators/diffusion/flow_recency.h"
#include "generators/diffusion/host_recency.h"
#include "generators/diffusion/model_rows.h"
#include "generators/diffusion/ports.h"
#include "generators/diffusion/row_fields.h"
#include "generators/diffusion/tcp_option_numbers.h"

namespace tracebench::diffusion {
namespace {

bool is_ipv6(BitsView bits) {
    const std::uint32_t present = count_present(bits, field::header_words.first, 4) +
                                  count_present(bits, field::ip_id.first, 16) +
                                  count_present(bits, field::fragment_offset.first, 13);
    return present <= 16;  // of 33
}

/// A number that more rows have than any other, the least of several; 0 without rows.
std::uint16_t most_frequent(const std::map<std::uint16_t, std::uint32_t>& counts) {
    std::uint16_t best = 0;
    std::uint32_t most = 0;
    for (const auto& [value, count] : counts)
        if (count > most) {
            best = value;
            most = count;
        }
    return best;
}

class Decoder {
  public:
    Decoder(const ModelRows& rows, Random& random, std::optional<std::size_t> most_hosts)
        : rows_(rows), random_(random), fresh_(random), hosts_(most_hosts) {}

    PacketImage run() {
        std::int64_t time_ns = 0;
        for (std::size_t i = 0; i < rows_.rows(); ++i) {
            if (rows_.row(i)[model_column::there] <= 0) continue;
            if (!image_.rows.empty()) time_ns += gap_ns(rows_.log_gap[i]);
            add(rows_.row(i), time_ns);
        }
        choose_ports();
        counters_.resize(image_.flows.size());
        for (ImageRow& row : image_.rows) restore(row);
        return std::move(image_);
    }

  private:
    using Ports = std::pair<std::uint32_t, std::uint32_t>;  ///< source, destination; 0: ephemeral
    struct FlowCounters {
        SenderCounters senders[2];
    };

    void add(std::span<const std::int8_t, kTernary> in, std::int64_t time_ns) {
        ImageRow row;
        std::copy_n(in.begin(), kNprintColumns, row.bits.begin());
        row.time_ns = time_ns;
        const bool ipv6 = is_ipv6(row.bits);
        const RowKind kind = row_kind(row.bits, ipv6);
        std::uint32_t rank = 0;
        for (std::size_t bit = 0; bit < model_column::flow_rank_bits; ++bit)
            rank = rank << 1 | (in[model_column::flow_rank + bit] > 0 ? 1U : 0U);
        const std::optional<Ports> ports = ports_of(row.bits, kind);
        const auto known = known_flow(kind, rank, ports);
        const bool begins = in[model_column::new_flow] > 0 || !known;
        row.flow = begins ? begin_flow(row.bits, kind, ports) : *known;
        if (!begins) row.direction = direction_of(row.flow, ports, in[model_column::direction] > 0);
        recency_.use(kind, row.flow);
        if (ipv6) move_ipv6(row);
        image_.rows.push_back(row);
    }

    static std::optional<Ports> ports_of(BitsView bits, const RowKind& kind) {
        if (!kind.has_transport || !has_ports(kind.protocol)) return std::nullopt;
        const PortFields fields = port_fields(kind.protocol);
        return Ports{get(bits, fields.source), get(bits, fields.destination)};
    }

    /// The flow of this rank; where that one goes between other ports, the latest that goes between these, if
    /// there is one. Ports are 32 bits that have to agree, the rank is a handful that may be wrong.
    std::optional<std::uint32_t> known_flow(const RowKind& kind, std::uint32_t rank,
                                            const std::optional<Ports>& ports) const {
        const auto known = recency_.flow(kind, rank);
        const auto goes_between = [&](std::uint32_t flow) {
            return first_ports_[flow] == ports || first_ports_[flow] == turned(ports);
        };
        if (!known || goes_between(*known)) return known;
        const auto other = recency_.latest(kind, goes_between);
        return other ? other : known;
    }
    /// By the ports where only one way round fits them.
    Direction direction_of(std::uint32_t flow, const std::optional<Ports>& ports, bool said_reverse) const {
        const bool forward = first_ports_[flow] == ports, reverse = first_ports_[flow] == turned(ports);
        return (forward != reverse ? reverse : said_reverse) ? Direction::reverse : Direction::forward;
    }
    static std::optional<Ports> turned(const std::optional<Ports>& ports) {
        if (!ports) return std::nullopt;
        return Ports{ports->second, ports->first};
    }

    std::uint32_t begin_flow(BitsView bits, const RowKind& kind, const std::optional<Ports>& ports) {
        const std::uint8_t version = kind.ipv6 ? 6 : 4;
        ImageFlow flow;
        flow.protocol = kind.protocol;
        flow.source.address = hosts_.decode(get(bits, field::source), version, IpAddress{}, fresh_);
        flow.destination.address =
            hosts_.decode(get(bits, field::destination), version, flow.source.address, fresh_);
        image_.flows.push_back(flow);
        first_ports_.push_back(ports);
        return static_cast<std::uint32_t>(image_.flows.size() - 1);
    }

    /// From the IPv4 columns to where an image keeps them.
    static void move_ipv6(ImageRow& row) {
        constexpr std::uint32_t header = 40;
        const BitsView bits = row.bits;
        row.ipv6.traffic_class = static_cast<std::uint8_t>(get(bits, field::tos));
        row.ipv6.hop_limit = static_cast<std::uint8_t>(get(bits, field::ttl));
        const std::uint32_t total = get(bits, field::total_length);
        if (is_present(bits, field::total_length) && total >= header)
            row.ipv6.length = static_cast<std::uint16_t>(total - header);
        std::fill_n(row.bits.begin(), field::tcp, std::int8_t{-1});
    }

    /// Service ports by the flow's rows, ephemeral ones drawn so that no two flows have the same ends.
    void choose_ports() {
        std::vector<std::map<std::uint16_t, std::uint32_t>> counts[2];
        for (auto& of_end : counts) of_end.resize(image_.flows.size());
        for (const ImageRow& row : image_.rows) {
            if (!first_ports_[row.flow]) continue;
            const PortFields ports = port_fields(image_.flows[row.flow].protocol);
            const auto sender = static_cast<std::size_t>(row.direction);
            ++counts[sender][row.flow][static_cast<std::uint16_t>(get(row.bits, ports.source))];
            ++counts[1 - sender][row.flow][static_cast<std::uint16_t>(get(row.bits, ports.destination))];
        }
        std::set<std::pair<std::uint8_t, std::pair<Endpoint, Endpoint>>> taken;
        for (std::size_t f = 0; f < image_.flows.size(); ++f) {
            ImageFlow& flow = image_.flows[f];
            if (!first_ports_[f]) continue;
            const std::uint16_t source = most_frequent(counts[0][f]),
                                destination = most_frequent(counts[1][f]);
            constexpr int draws = 64;  // until two flows may be one
            for (int draw = 0; draw < draws; ++draw) {
                flow.source.port = source != 0 ? source : ephemeral();
                flow.destination.port = destination != 0 ? destination : ephemeral();
                const auto ends = std::minmax(flow.source, flow.destination);
                if (taken.insert({flow.protocol, ends}).second) break;
            }
        }
    }

    std::uint16_t ephemeral() {
        return static_cast<std::uint16_t>(first_ephemeral_port + random_.below(ephemeral_ports));
    }

    void restore(ImageRow& row) {
        const ImageFlow& flow = image_.flows[row.flow];
        const bool forward = row.direction == Direction::forward;
        const Endpoint& from = forward ? flow.source : flow.destination;
        const Endpoint& to = forward ? flow.destination : flow.source;
        const Bits bits = row.bits;
        const bool ipv6 = from.address.version == 6;
        if (!ipv6) {
            put_where_present(bits, field::source, first_four(from.address));
            put_where_present(bits, field::destination, first_four(to.address));
            restore_id(row);
        }
        if (first_ports_[row.flow]) {
            const PortFields ports = port_fields(flow.protocol);
            restore_port(bits, ports.source, from.port);
            restore_port(bits, ports.destination, to.port);
        }
        if (is_present(bits, field::sequence)) restore_tcp(row, ipv6);
        if (get(bits, field::udp_checksum) != 0) put_where_present(bits, field::udp_checksum, 0xFFFF);
    }

    static std::uint32_t first_four(const IpAddress& address) {
        const auto& b = address.bytes;
        return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
    }

    /// The marker stands for a port that was drawn; where the flow has a service port it is a wrong bit like
    /// any.
    static void restore_port(Bits bits, Field port, std::uint16_t value) {
        if (value >= first_ephemeral_port && get(bits, port) == 0) put_where_present(bits, port, value);
    }

    void restore_id(ImageRow& row) {
        const Bits bits = row.bits;
        SenderCounters& sender = counters_[row.flow].senders[static_cast<int>(row.direction)];
        const auto code = static_cast<std::uint16_t>(get(bits, field::ip_id));
        std::uint16_t last = get(bits, field::fragment_offset) != 0 ? fragmented_id_ : sender.last_id;
        if (last == 0) last = static_cast<std::uint16_t>(1 + random_.below(65535));
        const std::uint16_t id = ip_id_of(code, last);
        put_where_present(bits, field::ip_id, id);
        if (id != 0) sender.last_id = id;
        if (get(bits, field::more_fragments) != 0) fragmented_id_ = id;
    }

    void restore_tcp(ImageRow& row, bool ipv6) {
        FlowCounters& flow = counters_[row.flow];
        SenderCounters& sender = flow.senders[static_cast<int>(row.direction)];
        const SenderCounters& peer = flow.senders[1 - static_cast<int>(row.direction)];
        const Bits bits = row.bits;
        // What the peer has acknowledged before, in a flow that has begun before the image, exists.
        std::uint32_t sequence = peer.acknowledged ? peer.last_acknowledgement : random32();
        if (sender.seen) sequence = sender.next + unfold(get(bits, field::sequence));
        row.sequence_follows = sender.seen && sequence == sender.next;
        std::uint32_t acknowledgement = 0;
        const bool acknowledges = get(bits, field::ack_flag) != 0;
        if (acknowledges) {
            acknowledgement = sender.acknowledged ? sender.last_acknowledgement : random32();
            if (peer.seen) acknowledgement = peer.next + unfold(get(bits, field::acknowledgement));
            row.acknowledges_all = peer.seen && acknowledgement == peer.next;
            sender.acknowledged = true;
            sender.last_acknowledgement = acknowledgement;
        }
        put_where_present(bits, field::sequence, sequence);
        put_where_present(bits, field::acknowledgement, acknowledgement);
        note_segment(sender, bits, tcp_payload(bits, ipv6, row.ipv6));
        OptionNumbers numbers;
        if (has_timestamps(bits)) {
            if (!sender.timestamped) sender.clock = random32();
            sender.timestamped = true;
            sender.last_timestamp = sender.clock + static_cast<std::uint32_t>(row.time_ns / 1'000'000);
            numbers.timestamp = sender.last_timestamp;
            numbers.echo = acknowledges ? peer.last_timestamp : 0;
        }
        restore_options(bits, acknowledgement, numbers);
    }

    std::uint32_t random32() { return static_cast<std::uint32_t>(random_.bits() >> 32); }

    const ModelRows& rows_;
    Random& random_;
    FreshAddresses fresh_;
    PacketImage image_;
    /// As image_.flows: what its first row has in its port fields. Fragments after the first have none.
    std::vector<std::optional<Ports>> first_ports_;
    FlowRecency recency_;
    HostRecency hosts_;
    std::vector<FlowCounters> counters_;  ///< as image_.flows
    std::uint16_t fragmented_id_ = 0;     ///< identification of the last row with More Fragments
};

}  // namespace

PacketImage packet_image(const ModelRows& rows, Random& random, std::optional<std::size_t> most_hosts) {
    return Decoder(rows, random, most_hosts).run();
}

}  // namespace tracebench::diffusion
