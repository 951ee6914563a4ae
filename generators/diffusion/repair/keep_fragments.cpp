#include <algorithm>

#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

bool transport_is_absent(BitsView row) {
    return count_present(row, field::tcp, kNprintColumns - field::tcp) == 0;
}

std::uint32_t fragment_bytes(BitsView row) {
    const std::uint32_t header = 4 * get(row, field::header_words), total = get(row, field::total_length);
    return total > header ? total - header : 0;
}

/// Finds whole datagrams: a first fragment with a UDP or ICMP header, then the others, in order, soon after
/// it.
class Trains {
  public:
    explicit Trains(Draft& draft) : draft_(draft) {}

    void keep_from(std::size_t first) {
        const DraftRow& row = draft_.rows[first];
        const DraftFlow& flow = draft_.flows[row.flow];
        const bool begins = !flow.ipv6 && flow.has_transport && flow.protocol != ip_protocol::tcp &&
                            !transport_is_absent(row.bits) && get(row.bits, field::more_fragments) != 0 &&
                            get(row.bits, field::fragment_offset) == 0;
        if (!begins) return;
        constexpr std::size_t soon = 64;
        const std::size_t last = std::min(draft_.rows.size(), first + soon);
        std::vector<std::size_t> train{first};
        std::uint32_t end = fragment_bytes(row.bits);
        if (end % 8 != 0 || end == 0) return;
        for (std::size_t i = first + 1; i < last; ++i) {
            if (!continues(row.bits, draft_.rows[i].bits, end)) continue;
            train.push_back(i);
            const std::uint32_t bytes = fragment_bytes(draft_.rows[i].bits);
            end += bytes;
            if (get(draft_.rows[i].bits, field::more_fragments) == 0) {
                if (end <= longest) mark(train, end);
                return;
            }
            if (bytes % 8 != 0 || bytes == 0) return;
        }
    }

  private:
    static constexpr std::uint32_t longest = 65515;  // what an IPv4 packet with a header of 20 bytes holds

    static bool continues(BitsView first, BitsView row, std::uint32_t end) {
        if (!transport_is_absent(row) || 8 * get(row, field::fragment_offset) != end) return false;
        for (const Field same : {field::ip_id, field::protocol, field::source, field::destination})
            if (get(first, same) != get(row, same)) return false;
        return true;
    }

    void mark(const std::vector<std::size_t>& train, std::uint32_t bytes) {
        for (const std::size_t i : train) draft_.rows[i].fragment = true;
        // Its own length field counts the whole datagram.
        DraftRow& first = draft_.rows[train.front()];
        if (draft_.flows[first.flow].protocol == ip_protocol::udp) put(first.bits, field::udp_length, bytes);
    }

    Draft& draft_;
};

}  // namespace

void keep_fragments(Draft& draft) {
    Trains trains(draft);
    for (std::size_t i = 0; i < draft.rows.size(); ++i) trains.keep_from(i);
    for (DraftRow& row : draft.rows) {
        DraftFlow& flow = draft.flows[row.flow];
        const bool columns_exist = flow.protocol == ip_protocol::tcp || flow.protocol == ip_protocol::udp ||
                                   flow.protocol == ip_protocol::icmp;
        const bool later_fragment = row.fragment && transport_is_absent(row.bits);
        row.has_transport = columns_exist && !later_fragment;
        if (row.fragment || flow.ipv6) continue;
        put_where_present(row.bits, field::more_fragments, 0);
        put_where_present(row.bits, field::fragment_offset, 0);
    }
}

}  // namespace tracebench::diffusion
