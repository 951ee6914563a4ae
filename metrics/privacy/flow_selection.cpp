#include "metrics/privacy/flow_selection.h"

#include <algorithm>
#include <map>

namespace tracebench {

Flows all_flows(const PrivacyView& view) {
    Flows flows;
    for (const FlowRecord& flow : view.flows) flows.push_back(&flow);
    return flows;
}

Flows sequence_flows(const PrivacyView& view) {
    Flows flows;
    for (const FlowRecord& flow : view.flows)
        if (flow.is_sequence()) flows.push_back(&flow);
    return flows;
}

Flows thinned(const Flows& flows, std::size_t most, Random& random) {
    if (flows.size() <= most) return flows;
    std::vector<std::size_t> order(flows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    random.shuffle(order);
    order.resize(most);
    std::sort(order.begin(), order.end());
    Flows chosen;
    for (const std::size_t i : order) chosen.push_back(flows[i]);
    return chosen;
}

std::vector<std::uint8_t> random_halves(const std::vector<std::string>& labels, Random& random) {
    std::vector<std::size_t> order(labels.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    random.shuffle(order);
    std::map<std::string, std::uint8_t> next;
    std::vector<std::uint8_t> halves(labels.size());
    std::uint8_t first = 0;  // labels begin in turn, so that odd ones do not all add to one half
    for (const std::size_t i : order) {
        const auto [half, is_new] = next.try_emplace(labels[i], first);
        if (is_new) first ^= 1;
        halves[i] = half->second;
        half->second ^= 1;
    }
    return halves;
}

}  // namespace tracebench
