#pragma once
/// Which flow a packet belongs to, said by how recently the flow was heard of among those of its kind.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {

/// IP version and what follows the IP header, both by which columns are present: what the rows of one flow
/// have in common.
struct RowKind {
    bool ipv6 = false;
    std::uint8_t protocol = 0;  ///< of the transport columns; by the IPv4 protocol field where there are none
    bool has_transport = false;

    auto operator<=>(const RowKind&) const = default;
};
/// `ipv6` is told by the caller: in model rows IPv6 packets have IPv4 columns too.
RowKind row_kind(BitsView row, bool ipv6);

/// Flows by number, those of each kind in order of their last packets.
class FlowRecency {
  public:
    /// How many flows of the kind were used since; nothing where the flow is not among them.
    std::optional<std::uint32_t> rank(const RowKind& kind, std::uint32_t flow) const {
        const auto found = flows_.find(kind);
        if (found == flows_.end()) return std::nullopt;
        const auto place = std::find(found->second.rbegin(), found->second.rend(), flow);
        if (place == found->second.rend()) return std::nullopt;
        return static_cast<std::uint32_t>(place - found->second.rbegin());
    }
    /// The flow of this rank, the oldest where there are not so many; nothing where there is none of the
    /// kind.
    std::optional<std::uint32_t> flow(const RowKind& kind, std::uint32_t rank) const {
        const auto found = flows_.find(kind);
        if (found == flows_.end()) return std::nullopt;
        const auto& flows = found->second;
        return flows[flows.size() - 1 - std::min<std::size_t>(rank, flows.size() - 1)];
    }
    /// The latest one of the kind that is wanted; nothing where there is none.
    template <typename Wanted>
    std::optional<std::uint32_t> latest(const RowKind& kind, const Wanted& wanted) const {
        const auto found = flows_.find(kind);
        if (found == flows_.end()) return std::nullopt;
        const auto place = std::find_if(found->second.rbegin(), found->second.rend(), wanted);
        if (place == found->second.rend()) return std::nullopt;
        return *place;
    }
    /// A packet of the flow, new or not.
    void use(const RowKind& kind, std::uint32_t flow) {
        std::vector<std::uint32_t>& flows = flows_[kind];
        std::erase(flows, flow);
        flows.push_back(flow);
    }

  private:
    std::map<RowKind, std::vector<std::uint32_t>> flows_;  ///< never empty vectors; latest last
};

}  // namespace tracebench::diffusion
