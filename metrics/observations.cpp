#include "metrics/observations.h"

#include <numeric>

#include "metrics/observed_sample.h"
#include "metrics/sample_observer.h"

namespace tracebench {

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

namespace {

/// Where columns end, to go back to.
class ColumnEnds {
  public:
    explicit ColumnEnds(const std::vector<Column>& columns) {
        for (const Column& column : columns) ends_.push_back({column.values.size(), column.counts.empty()});
    }
    void restore(std::vector<Column>& columns) const {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            columns[i].values.resize(ends_[i].values);
            columns[i].session.resize(ends_[i].values);
            columns[i].counts.resize(ends_[i].uncounted ? 0 : ends_[i].values);
        }
    }

  private:
    struct End {
        std::size_t values;
        bool uncounted;
    };
    std::vector<End> ends_;
};

}  // namespace

void Observations::add(const std::string& id, const std::string& label,
                       const std::function<void(SampleObserver&)>& give) {
    if (columns.empty())
        for (const FieldInfo& info : all_fields()) columns.push_back({info, {}, {}});
    const ColumnEnds ends(columns);
    try {
        SampleObserver observer(columns, static_cast<std::uint32_t>(sessions()));
        give(observer);
        const SessionLog& log = observer.finish();
        packets += log.packets.size();
        flows += log.flows.size();
        for (const PacketRecord& packet : log.packets) bytes += packet.wire_bytes;
    } catch (...) {
        ends.restore(columns);
        throw;
    }
    session_labels.push_back(label);
    session_ids.push_back(id);
}

Observations observe(const Samples& samples) {
    Observations result;
    for (const FieldInfo& info : all_fields()) result.columns.push_back({info, {}, {}});
    for (const LabelledTrace& sample : samples)
        result.add(sample.id, sample.label,
                   [&sample](SampleObserver& observer) { observer.add(packets_of(sample.trace)); });
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
