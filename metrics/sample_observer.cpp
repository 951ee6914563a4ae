#include "metrics/sample_observer.h"

#include <optional>
#include <utility>

namespace tracebench {

namespace {

/// With what is measured of it a live flow takes some 700 bytes. Past so many, those idle longest end early.
FlowOptions live_flows() {
    FlowOptions options;
    options.max_live = 250'000;
    return options;
}

}  // namespace

struct SampleObserver::State {
    PacketObserver packets;
    FlowObserver flows;
    FieldWriter session;
    SessionLog log;
    std::optional<FlowTable> table;

    State(std::span<Column> columns, std::uint32_t number)
        : packets({columns.first(packet_fields().size()), number}),
          flows({columns.subspan(packet_fields().size(), flow_fields().size()), number}),
          session(columns.subspan(packet_fields().size() + flow_fields().size()), number),
          table(std::in_place, live_flows(), [this](const Flow& flow) {
              flows.end(flow);
              log.end(flow);
          }) {}
};

SampleObserver::SampleObserver(std::span<Column> columns, std::uint32_t session)
    : state_(std::make_unique<State>(columns, session)) {}

SampleObserver::~SampleObserver() = default;

void SampleObserver::add(const PacketView& packet) {
    const Headers headers = dissect(packet);
    const auto placed = state_->table->add(packet, headers);
    state_->packets.add(packet, headers, placed);
    if (placed) state_->flows.add(packet, headers, *placed);
    state_->log.add(packet, headers, placed);
}

const SessionLog& SampleObserver::finish() {
    state_->table->finish();
    state_->table.reset();  // room for what the session needs
    observe_session(state_->log, state_->session);
    return state_->log;
}

}  // namespace tracebench
