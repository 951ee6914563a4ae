#pragma once
/// Observes one sample in one pass, packet by packet, so that captures of any length can be measured: what is
/// kept are 24 bytes a packet and 208 a flow (SessionLog), the state of live flows (at most 250,000: past
/// them those idle longest end early), and values that differ (FieldWriter).

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "metrics/field_writer.h"
#include "metrics/fields.h"
#include "metrics/session/session_log.h"
#include "traffic/flow_table.h"

namespace tracebench {

/// Gives the next packet; false where there is none.
using PacketSource = std::function<bool(PacketView&)>;
/// The packets of `trace`, which must outlive it.
PacketSource packets_of(const Trace& trace);

/// Packet scope: one value a packet that has the field.
class PacketObserver {
  public:
    explicit PacketObserver(FieldWriter writer);
    ~PacketObserver();
    void add(const PacketView& packet, const Headers& headers,
             const std::optional<FlowTable::Placed>& placed);
    void finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Flow scope: one value a flow where it is defined, as flows end.
class FlowObserver {
  public:
    explicit FlowObserver(FieldWriter writer);
    ~FlowObserver();
    void add(const PacketView& packet, const Headers& headers, const FlowTable::Placed& placed);
    void end(const Flow& flow);
    void finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Session scope: one value a sample (flow starts and segments: one a pair of neighbours).
void observe_session(const SessionLog& log, FieldWriter writer);

/// All scopes.
class SampleObserver {
  public:
    /// `columns` in all_fields() order.
    SampleObserver(std::span<Column> columns, std::uint32_t session);
    ~SampleObserver();
    /// All packets of the sample in time order, until `next` says false. It is called by one thread at a
    /// time, of compute_threads(); views have to stay valid until this returns.
    void add(const PacketSource& next);
    /// Writes what is only known at the end. The log stays until the observer goes.
    const SessionLog& finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tracebench
