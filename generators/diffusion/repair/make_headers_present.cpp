#include <algorithm>
#include <array>

#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

/// For each column how many more rows of one direction have 1 there than 0.
using Votes = std::array<std::int32_t, kNprintColumns>;

void fill(DraftRow& row, const Votes& votes, Field columns) {
    for (std::size_t c = columns.first; c < std::size_t{columns.first} + columns.width; ++c)
        if (row.bits[c] < 0) row.bits[c] = votes[c] > 0 ? 1 : 0;
}

void clear(DraftRow& row, std::uint16_t from, std::size_t to) {
    std::fill(row.bits.begin() + from, row.bits.begin() + static_cast<std::ptrdiff_t>(to), std::int8_t{-1});
}

/// Options stay as they are: make_options_legal() decides how many there are.
void make_present(DraftRow& row, const DraftFlow& flow, const Votes& votes) {
    if (flow.ipv6) {
        clear(row, 0, field::tcp);
    } else {
        fill(row, votes, {0, field::ip_options});
        put(row.bits, field::protocol, flow.protocol);
    }
    const bool tcp = row.has_transport && flow.protocol == ip_protocol::tcp,
               udp = row.has_transport && flow.protocol == ip_protocol::udp,
               icmp = row.has_transport && flow.protocol == ip_protocol::icmp;
    if (tcp) {
        fill(row, votes, {field::tcp, 160});
    } else {
        clear(row, field::tcp, field::udp);
    }
    if (udp) {
        fill(row, votes, {field::udp, 64});
    } else {
        clear(row, field::udp, field::icmp);
    }
    if (icmp) {
        fill(row, votes, {field::icmp, 64});
    } else {
        clear(row, field::icmp, kNprintColumns);
    }
}

}  // namespace

void make_headers_present(Draft& draft) {
    for (const DraftFlow& flow : draft.flows) {
        std::array<Votes, 2> votes{};
        for (const std::uint32_t r : flow.rows) {
            const DraftRow& row = draft.rows[r];
            Votes& of_direction = votes[static_cast<std::size_t>(row.direction)];
            for (std::size_t c = 0; c < kNprintColumns; ++c)
                if (row.bits[c] >= 0) of_direction[c] += row.bits[c] > 0 ? 1 : -1;
        }
        for (const std::uint32_t r : flow.rows) {
            DraftRow& row = draft.rows[r];
            make_present(row, flow, votes[static_cast<std::size_t>(row.direction)]);
        }
    }
}

}  // namespace tracebench::diffusion
