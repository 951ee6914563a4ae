#pragma once
/// One sample taken apart, as the extractors of all scopes see it, and where they write to.

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/observations.h"
#include "traffic/flow_split.h"
#include "traffic/headers.h"

namespace tracebench {

struct ObservedSample {
    const Trace& trace;
    std::vector<Headers> headers;    ///< one a packet
    std::vector<FlowPackets> flows;  ///< in order of first packets

    explicit ObservedSample(const Trace& observed);
};

/// Writes one sample's values into the columns of one scope.
class FieldWriter {
  public:
    FieldWriter(std::span<Column> columns, std::uint32_t session) : columns_(columns), session_(session) {}
    /// `field` is the place in that scope's list of fields.
    void add(std::size_t field, double value) {
        columns_[field].values.push_back(value);
        columns_[field].session.push_back(session_);
    }

  private:
    std::span<Column> columns_;
    std::uint32_t session_;
};

const std::vector<FieldInfo>& packet_fields();
const std::vector<FieldInfo>& flow_fields();
const std::vector<FieldInfo>& session_fields();

void observe_packets(const ObservedSample& sample, FieldWriter writer);
void observe_flows(const ObservedSample& sample, FieldWriter writer);
/// One flow's values in flow_fields() order; NaN where one is not defined.
std::vector<double> flow_values(const ObservedSample& sample, const FlowPackets& flow);
void observe_session(const ObservedSample& sample, FieldWriter writer);

}  // namespace tracebench
