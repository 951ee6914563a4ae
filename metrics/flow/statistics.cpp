#include "metrics/flow/statistics.h"

#include "metrics/details.h"
#include "metrics/value_counts.h"

namespace tracebench {
namespace {

bool in_table(const FieldInfo& field) {
    return field.scope != FieldScope::packet && field.kind == FieldKind::continuous;
}

}  // namespace

nlohmann::json describe_statistics() {
    nlohmann::json list = nlohmann::json::array();
    for (const FieldInfo& field : all_fields())
        if (in_table(field))
            list.push_back({{"name", field.name}, {"title", field.title}, {"unit", field.unit}});
    return list;
}

nlohmann::json summarise_statistics(const Observations& observations) {
    nlohmann::json table = nlohmann::json::object();
    for (const Column& column : observations.columns) {
        if (!in_table(column.info) || column.values.empty()) continue;
        const RankedValues ranked(sorted_counts(column));
        double sum = 0;
        for (const ValueCount& entry : ranked.counts()) sum += entry.value * static_cast<double>(entry.count);
        table[column.info.name] = {{"mean", rounded(sum / static_cast<double>(ranked.size()))},
                                   {"p5", rounded(ranked.quantile(0.05))},
                                   {"p50", rounded(ranked.quantile(0.5))},
                                   {"p95", rounded(ranked.quantile(0.95))}};
    }
    return table;
}

}  // namespace tracebench
