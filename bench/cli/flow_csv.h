#pragma once
/// Flow features as CSV, for the verb `flows`.

#include <cstdint>
#include <memory>
#include <string>

#include "traffic/flow_table.h"

namespace tracebench::cli {

/// Gathers the features of live flows; memory is constant a flow.
class FlowCsv {
  public:
    virtual ~FlowCsv() = default;
    /// Without a line end.
    virtual std::string header() const = 0;
    /// A packet with an IP header, of the flow with this number.
    virtual void add(std::uint64_t flow, const PacketView& packet, const Headers& headers,
                     Direction direction) = 0;
    /// The row of a flow that has ended, which is then forgotten. Nothing in it needs quoting.
    virtual std::string finish(const Flow& flow) = 0;
};

/// `cic` (see metrics/flow/cic_features.h) or `ipfix` (metrics/flow/ipfix_record.h). Throws
/// std::invalid_argument for another name.
std::unique_ptr<FlowCsv> make_flow_csv(const std::string& features);

}  // namespace tracebench::cli
