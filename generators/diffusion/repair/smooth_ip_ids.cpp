#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {

void smooth_ip_ids(Draft& draft) {
    for (const DraftFlow& flow : draft.flows) {
        if (flow.ipv6) continue;
        for (const Direction direction : {Direction::forward, Direction::reverse}) {
            DraftRow *before = nullptr, *middle = nullptr;
            for (const std::uint32_t r : flow.rows) {
                DraftRow& row = draft.rows[r];
                if (row.direction != direction || row.fragment) continue;
                if (before != nullptr) {
                    const auto first = static_cast<std::uint16_t>(get(before->bits, field::ip_id)),
                               between = static_cast<std::uint16_t>(first + 1),
                               last = static_cast<std::uint16_t>(first + 2);
                    if (get(row.bits, field::ip_id) == last && get(middle->bits, field::ip_id) != between)
                        put(middle->bits, field::ip_id, between);
                }
                before = middle;
                middle = &row;
            }
        }
    }
}

}  // namespace tracebench::diffusion
