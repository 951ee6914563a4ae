#include "metrics/sample_observer.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/parallel.h"

namespace tracebench {

namespace {

/// With what is measured of it a live flow takes some 700 bytes. Past so many, those idle longest end early.
FlowOptions live_flows() {
    FlowOptions options;
    options.max_live = 250'000;
    return options;
}

constexpr std::size_t batch_packets = 2048;

struct ObservedPacket {
    PacketView view;
    Headers headers;
    std::optional<FlowTable::Placed> placed;
};

struct EndedFlow {
    std::size_t before;  ///< place in the batch of the packet that had not been added yet
    Flow flow;
};

/// Some packets in a row on their way through the observers.
struct Batch {
    std::vector<ObservedPacket> packets;
    std::vector<EndedFlow> ended;
    std::size_t placed = 0;  ///< packets whose flows are known
};

}  // namespace

struct SampleObserver::State {
    PacketObserver packets;
    FlowObserver flows;
    FieldWriter session;
    SessionLog log;
    FlowTable::Sink on_end;
    std::optional<FlowTable> table;

    State(std::span<Column> columns, std::uint32_t number)
        : packets({columns.first(packet_fields().size()), number}),
          flows({columns.subspan(packet_fields().size(), flow_fields().size()), number}),
          session(columns.subspan(packet_fields().size() + flow_fields().size()), number),
          table(std::in_place, live_flows(), [this](const Flow& flow) { on_end(flow); }) {}

    void place(Batch& batch);
    void observe_flows(const Batch& batch);
};

/// Finds the packets' flows and keeps what their session needs.
void SampleObserver::State::place(Batch& batch) {
    batch.ended.clear();
    on_end = [&](const Flow& flow) {
        batch.ended.push_back({batch.placed, flow});
        log.end(flow);
    };
    batch.placed = 0;
    for (ObservedPacket& packet : batch.packets) {
        packet.placed = table->add(packet.view, packet.headers);
        log.add(packet.view, packet.headers, packet.placed);
        ++batch.placed;
    }
}

void SampleObserver::State::observe_flows(const Batch& batch) {
    auto ended = batch.ended.begin();
    for (std::size_t i = 0; i < batch.packets.size(); ++i) {
        for (; ended != batch.ended.end() && ended->before == i; ++ended) flows.end(ended->flow);
        const ObservedPacket& packet = batch.packets[i];
        if (packet.placed) flows.add(packet.view, packet.headers, *packet.placed);
    }
}

PacketSource packets_of(const Trace& trace) {
    return [&trace, at = std::size_t{0}](PacketView& packet) mutable {
        if (at == trace.size()) return false;
        packet = trace.packets[at++];
        return true;
    };
}

SampleObserver::SampleObserver(std::span<Column> columns, std::uint32_t session)
    : state_(std::make_unique<State>(columns, session)) {}

SampleObserver::~SampleObserver() = default;

void SampleObserver::add(const PacketSource& next) {
    State& state = *state_;
    std::vector<Batch> batches(batches_wanted());
    const auto read = [&](std::size_t b) {
        std::vector<ObservedPacket>& packets = batches[b].packets;
        packets.clear();
        for (PacketView view; packets.size() < batch_packets && next(view);)
            packets.push_back({view, {}, {}});
        return !packets.empty();
    };
    const auto take_apart = [&](std::size_t b) {
        for (ObservedPacket& packet : batches[b].packets) packet.headers = dissect(packet.view);
    };
    const auto place = [&](std::size_t b) { state.place(batches[b]); };
    const auto observe_packets = [&](std::size_t b) {
        for (const ObservedPacket& packet : batches[b].packets)
            state.packets.add(packet.view, packet.headers, packet.placed);
    };
    const auto observe_flows = [&](std::size_t b) { state.observe_flows(batches[b]); };
    run_stages(batches.size(), read, {{take_apart, false}, {place}, {observe_packets}, {observe_flows}});
}

const SessionLog& SampleObserver::finish() {
    State& state = *state_;
    state.on_end = [&state](const Flow& flow) {
        state.flows.end(flow);
        state.log.end(flow);
    };
    state.table->finish();
    state.table.reset();  // room for what the session needs
    state.packets.finish();
    state.flows.finish();
    observe_session(state.log, state.session);
    return state.log;
}

}  // namespace tracebench
