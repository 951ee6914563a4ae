#include "metrics/flow/statistics.h"

#include <algorithm>
#include <numeric>

#include "metrics/details.h"
#include "metrics/resampling.h"

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
        std::vector<double> sorted = column.values;
        std::sort(sorted.begin(), sorted.end());
        const double sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
        table[column.info.name] = {{"mean", rounded(sum / static_cast<double>(sorted.size()))},
                                   {"p5", rounded(quantile(sorted, 0.05))},
                                   {"p50", rounded(quantile(sorted, 0.5))},
                                   {"p95", rounded(quantile(sorted, 0.95))}};
    }
    return table;
}

}  // namespace tracebench
