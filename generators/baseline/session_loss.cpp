// SessionModel: how well it predicts a session.

#include <algorithm>
#include <limits>

#include "generators/baseline/markov.h"
#include "generators/baseline/session_flows.h"
#include "generators/baseline/surprise.h"

namespace tracebench {
namespace {

// How many different values there are of what was never seen.
constexpr double flow_counts = 1e6, services = 4 * 65536 * 2;  // protocol, service port, who began
constexpr double start_classes = 50 * 64;

}  // namespace

double SessionModel::loss(const Trace& session) const {
    constexpr double never = std::numeric_limits<double>::infinity();
    const std::vector<SessionFlow> flows = session_flows(session);
    if (flows.empty()) return std::numeric_limits<double>::quiet_NaN();
    double nats = surprise(flows_per_session_.count(flows.size()), flows_per_session_.total(), flow_counts);
    std::size_t packets = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const SessionFlow& flow = flows[i];
        if (i > 0)
            nats += surprise(start_gaps_ns_.count(start_gap(flows[i - 1], flow)), start_gaps_ns_.total(),
                             start_classes);
        const Service service{flow.kind.protocol, flow.kind.service_port()};
        const auto alike = std::count_if(kinds_.begin(), kinds_.end(), [&](const FlowKind& kind) {
            return kind.protocol == service.first && kind.service_port() == service.second &&
                   kind.from_client == flow.kind.from_client;
        });
        nats += surprise(static_cast<std::uint64_t>(alike), kinds_.size(), services);
        auto chain = chains_.find(service);
        if (chain == chains_.end()) chain = chains_.find({service.first, 0});
        if (chain == chains_.end()) {
            // Any chain of the protocol would do better than none; without one the model cannot make it.
            chain = chains_.lower_bound({service.first, 0});
            if (chain == chains_.end() || chain->first.first != service.first) return never;
        }
        nats += chain->second.loss(flow.packets, service.first == ip_protocol::tcp);
        packets += flow.packets.size();
    }
    return nats / static_cast<double>(packets);
}

}  // namespace tracebench
