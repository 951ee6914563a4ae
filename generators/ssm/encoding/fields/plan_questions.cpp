#include "generators/ssm/encoding/fields/plan_questions.h"

#include <algorithm>

#include "generators/ssm/encoding/fields/opening.h"

namespace tracebench::ssm {
std::optional<Item> PlanQuestions::after(Item item) const {
    if (item == Item::label) return Item::begun;
    const std::span<const Item> items = opening_items(kind_);
    auto at = std::ranges::find(items, item);
    if (at == items.end()) return std::nullopt;
    at = std::find_if(at + 1, items.end(), [](Item next) { return next != Item::topic; });
    return at == items.end() ? std::nullopt : std::optional(*at);
}

void PlanQuestions::accept(Token token) {
    const ItemHead head = vocabulary_.head(token);
    if (head.item == Item::byte) {
        --bytes_;
        return;
    }
    bytes_ = Vocabulary::bytes_after(head);
    if (head.item == Item::topic) return;  // told between an opening's questions
    if (head.item == Item::label) {
        topic_ = head.value;
        kind_ = service_ = 0;
    }
    if (head.item == Item::kind) kind_ = head.value;
    const auto known = static_cast<int>(known_ports().size());
    if ((head.item == Item::source_port || head.item == Item::destination_port) && head.value < known)
        service_ = 1 + head.value;
    // A session's label is followed by the number of its flows, a flow's by what has begun.
    next_ = head.item == Item::flows ? std::nullopt : after(head.item);
}

std::int64_t PlanQuestions::next() const {
    if (!next_ || bytes_ > 0) return -1;
    const Item item = *next_ == Item::begun ? Item::flows : *next_;
    const auto services = static_cast<std::int64_t>(known_ports().size()) + 1;
    return ((static_cast<std::int64_t>(topic_) * code::kinds + kind_) * services + service_) *
               static_cast<std::int64_t>(item_kinds) +
           static_cast<std::int64_t>(item);
}

}  // namespace tracebench::ssm
