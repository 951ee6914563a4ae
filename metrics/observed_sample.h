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

/// Writes one sample's values into the columns of one scope. What repeats in long samples is counted, so that
/// memory grows with the different values and not with the packets.
class FieldWriter {
  public:
    static constexpr std::size_t most_uncounted = 1 << 16;

    FieldWriter(std::span<Column> columns, std::uint32_t session);
    /// `field` is the place in that scope's list of fields.
    void add(std::size_t field, double value) {
        Column& column = columns_[field];
        column.values.push_back(value);
        column.session.push_back(session_);
        if (!column.counts.empty()) column.counts.push_back(1);
        if (column.values.size() >= places_[field].full) count(field);
    }

  private:
    /// Where this sample's values begin, and how many values are too many.
    struct Place {
        std::size_t first, full;
    };
    void count(std::size_t field);

    std::span<Column> columns_;
    std::uint32_t session_;
    std::vector<Place> places_;
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
