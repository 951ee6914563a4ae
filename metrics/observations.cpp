#include "metrics/observations.h"

#include <algorithm>
#include <numeric>

#include "metrics/observed_sample.h"
#include "metrics/sample_observer.h"
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

void Observations::add(const std::string& id, const std::string& label,
                       const std::function<void(SampleObserver&)>& give) {
    if (columns.empty())
        for (const FieldInfo& info : all_fields()) columns.push_back({info, {}, {}});
    SampleObserver observer(columns, static_cast<std::uint32_t>(sessions()));
    give(observer);
    const SessionLog& log = observer.finish();
    session_labels.push_back(label);
    session_ids.push_back(id);
    packets += log.packets.size();
    flows += log.flows.size();
    for (const PacketRecord& packet : log.packets) bytes += packet.wire_bytes;
}

Observations observe(const std::vector<LabelledTrace>& samples) {
    Observations result;
    for (const FieldInfo& info : all_fields()) result.columns.push_back({info, {}, {}});
    for (const LabelledTrace& sample : samples)
        result.add(sample.id, sample.label, [&sample](SampleObserver& observer) {
            for (const PacketView& packet : sample.trace.packets) observer.add(packet);
        });
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
