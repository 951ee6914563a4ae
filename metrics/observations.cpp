#include "metrics/observations.h"

#include <algorithm>
#include <numeric>

#include "metrics/observed_sample.h"
#include "metrics/value_counts.h"

namespace tracebench {

ObservedSample::ObservedSample(const Trace& observed) : trace(observed), flows(split_flows(observed)) {
    headers.reserve(observed.size());
    for (const PacketView& packet : observed.packets) headers.push_back(dissect(packet));
}

FieldWriter::FieldWriter(std::span<Column> columns, std::uint32_t session)
    : columns_(columns), session_(session) {
    for (const Column& column : columns)
        places_.push_back({column.values.size(), column.values.size() + most_uncounted});
}

/// As many values again may come as there are different ones: sorting costs O(log n) a value in all.
void FieldWriter::count(std::size_t field) {
    Column& column = columns_[field];
    Place& place = places_[field];
    merge_equal(column, place.first);
    place.full = column.values.size() + std::max(most_uncounted, column.values.size() - place.first);
}

std::uint64_t Column::total() const {
    return counts.empty() ? values.size() : std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

const std::vector<FieldInfo>& all_fields() {
    static const std::vector<FieldInfo> fields = [] {
        std::vector<FieldInfo> all = packet_fields();
        all.insert(all.end(), flow_fields().begin(), flow_fields().end());
        all.insert(all.end(), session_fields().begin(), session_fields().end());
        return all;
    }();
    return fields;
}

Observations observe(const std::vector<LabelledTrace>& samples) {
    Observations result;
    for (const FieldInfo& info : all_fields()) result.columns.push_back({info, {}, {}});
    const std::span<Column> columns(result.columns);
    const std::size_t packet_columns = packet_fields().size(), flow_columns = flow_fields().size();
    for (const LabelledTrace& labelled : samples) {
        const auto session = static_cast<std::uint32_t>(result.session_labels.size());
        const ObservedSample sample(labelled.trace);
        observe_packets(sample, {columns.first(packet_columns), session});
        observe_flows(sample, {columns.subspan(packet_columns, flow_columns), session});
        observe_session(sample, {columns.subspan(packet_columns + flow_columns), session});
        result.session_labels.push_back(labelled.label);
        result.session_ids.push_back(labelled.id);
        result.packets += labelled.trace.size();
        result.flows += sample.flows.size();
        for (const PacketView& packet : labelled.trace.packets) result.bytes += packet.original_length;
    }
    return result;
}

const Column* Observations::find(const std::string& field) const {
    for (const Column& column : columns)
        if (column.info.name == field) return &column;
    return nullptr;
}

const char* scope_name(FieldScope scope) {
    switch (scope) {
        case FieldScope::packet:
            return "packet";
        case FieldScope::flow:
            return "flow";
        case FieldScope::session:
            return "session";
    }
    return "";
}

const char* kind_name(FieldKind kind) {
    return kind == FieldKind::categorical ? "categorical" : "continuous";
}

}  // namespace tracebench
