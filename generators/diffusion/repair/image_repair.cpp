#include "generators/diffusion/repair/image_repair.h"

#include <algorithm>

#include "generators/diffusion/repair/packet_bytes.h"
#include "generators/diffusion/repair/steps.h"
#include "traffic/rules/repair.h"

namespace tracebench::diffusion {
namespace {

/// Whether at least half of some header's fixed columns are present: fewer are noise where no packet is.
bool is_packet(BitsView row) {
    for (const Field header :
         {Field{0, 160}, Field{field::tcp, 160}, Field{field::udp, 64}, Field{field::icmp, 64}})
        if (2 * count_present(row, header.first, header.width) >= header.width) return true;
    return false;
}

/// Makes the way of its first packet the forward one.
void turn(Draft& draft, DraftFlow& flow) {
    std::swap(flow.ends[0], flow.ends[1]);
    for (const std::uint32_t r : flow.rows) {
        Direction& direction = draft.rows[r].direction;
        direction = direction == Direction::forward ? Direction::reverse : Direction::forward;
    }
}

Draft make_draft(const PacketImage& image, const RepairSettings& settings, Random& random) {
    Draft draft{image, settings, random, {}, std::vector<DraftFlow>(image.flows.size())};
    for (std::size_t f = 0; f < image.flows.size(); ++f) {
        draft.flows[f].ends[0] = image.flows[f].source;
        draft.flows[f].ends[1] = image.flows[f].destination;
    }
    for (std::size_t i = 0; i < image.rows.size(); ++i) {
        const ImageRow& from = image.rows[i];
        if (!is_packet(from.bits)) continue;
        DraftRow row;
        row.bits = from.bits;
        row.image_row = i;
        row.flow = from.flow;
        row.direction = from.direction;
        row.time_ns = from.time_ns;
        row.ipv6 = from.ipv6;
        draft.flows[row.flow].rows.push_back(static_cast<std::uint32_t>(draft.rows.size()));
        draft.rows.push_back(row);
    }
    for (DraftFlow& flow : draft.flows)
        if (!flow.rows.empty() && draft.rows[flow.rows.front()].direction == Direction::reverse)
            turn(draft, flow);
    return draft;
}

/// Bytes up to the end of the transport header, options included.
std::uint32_t header_end(const PacketView& packet) {
    const Headers headers = dissect(packet);
    if (headers.payload_offset != Headers::none) return headers.payload_offset;
    return headers.transport_offset != Headers::none ? headers.captured
                                                     : headers.ip_offset + headers.ip_header_length;
}

class Counter {
  public:
    Counter(const PacketImage& image, ImageRepairReport& report) : image_(image), report_(report) {
        if (report.fields.empty()) report.fields.resize(nprint_fields().size());
    }

    void add(const NprintRow& before, const NprintRow& after) {
        bool altered_any = false;
        for (std::size_t f = 0; f < report_.fields.size(); ++f) {
            const NprintField& field = nprint_fields()[f];
            FieldChange& change = report_.fields[f];
            for (std::size_t c = field.first; c < std::size_t{field.first} + field.width; ++c) {
                if (!image_.known[c] || (before[c] < 0 && after[c] < 0)) continue;
                ++change.bits;
                if (before[c] == after[c]) continue;
                ++change.altered;
                altered_any |= !field.checksum;
            }
        }
        report_.packets_altered += altered_any;
    }

  private:
    const PacketImage& image_;
    ImageRepairReport& report_;
};

}  // namespace

double ImageRepairReport::altered_share() const {
    std::uint64_t bits = 0, altered = 0;
    for (std::size_t f = 0; f < fields.size(); ++f) {
        if (nprint_fields()[f].checksum) continue;
        bits += fields[f].bits;
        altered += fields[f].altered;
    }
    return bits == 0 ? 0 : static_cast<double>(altered) / static_cast<double>(bits);
}

void ImageRepairReport::merge(const ImageRepairReport& other) {
    rows += other.rows;
    empty_rows += other.empty_rows;
    packets += other.packets;
    packets_altered += other.packets_altered;
    if (fields.size() < other.fields.size()) fields.resize(other.fields.size());
    for (std::size_t f = 0; f < other.fields.size(); ++f) {
        fields[f].bits += other.fields[f].bits;
        fields[f].altered += other.fields[f].altered;
    }
    for (const auto& [rule, count] : other.rules) rules[rule] += count;
}

Trace repair_image(const PacketImage& image, const RepairSettings& settings, Random& random,
                   ImageRepairReport& report) {
    Draft draft = make_draft(image, settings, random);
    choose_protocols(draft);
    keep_fragments(draft);
    make_headers_present(draft);
    choose_tcp_flags(draft);
    make_options_legal(draft);
    choose_lengths(draft);
    choose_ends(draft);
    smooth_ip_ids(draft);
    choose_tcp_numbers(draft);
    finish_fields(draft);

    RepairReport by_rules;
    const Trace whole = repair_trace(make_frames(draft), by_rules);
    for (const auto& [rule, count] : by_rules.repaired) report.rules[rule] += count;
    report.rows += image.rows.size();
    report.empty_rows += image.rows.size() - draft.rows.size();
    report.packets += whole.size();
    Counter counter(image, report);
    Trace result;
    NprintRow after;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        const PacketView& packet = whole.packets[i];
        nprint_row(packet, dissect(packet), after);
        counter.add(image.rows[draft.rows[i].image_row].bits, after);
        if (settings.whole_frames) continue;
        const std::uint32_t end =
            std::min<std::uint32_t>(header_end(packet), static_cast<std::uint32_t>(packet.bytes.size()));
        result.append(packet.time_ns, packet.bytes.first(end), packet.original_length, packet.link);
    }
    return settings.whole_frames ? whole : result;
}

}  // namespace tracebench::diffusion
