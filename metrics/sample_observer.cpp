#include "metrics/sample_observer.h"

namespace tracebench {

struct SampleObserver::State {
    PacketObserver packets;
    FlowObserver flows;
    FieldWriter session;
    SessionLog log;
    FlowTable table;

    State(std::span<Column> columns, std::uint32_t number)
        : packets({columns.first(packet_fields().size()), number}),
          flows({columns.subspan(packet_fields().size(), flow_fields().size()), number}),
          session(columns.subspan(packet_fields().size() + flow_fields().size()), number),
          table({}, [this](const Flow& flow) {
              flows.end(flow);
              log.end(flow);
          }) {}
};

SampleObserver::SampleObserver(std::span<Column> columns, std::uint32_t session)
    : state_(std::make_unique<State>(columns, session)) {}

SampleObserver::~SampleObserver() = default;

void SampleObserver::add(const PacketView& packet) {
    const Headers headers = dissect(packet);
    const auto placed = state_->table.add(packet, headers);
    state_->packets.add(packet, headers, placed);
    if (placed) state_->flows.add(packet, headers, *placed);
    state_->log.add(packet, headers, placed);
}

const SessionLog& SampleObserver::finish() {
    state_->table.finish();
    observe_session(state_->log, state_->session);
    return state_->log;
}

}  // namespace tracebench
