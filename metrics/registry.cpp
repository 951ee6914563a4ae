// Every metric there is. To add one: include its header and add a line to `table`.

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "metrics/compliance/compliance_metric.h"
#include "metrics/consistency/consistency_metric.h"
#include "metrics/distance/field_distance.h"
#include "metrics/flow/cicflow_metric.h"
#include "metrics/joint/joint_metric.h"
#include "metrics/metric.h"
#include "metrics/netshare/netshare_metric.h"
#include "metrics/nprint/nprint_metric.h"
#include "metrics/privacy/privacy_metric.h"
#include "metrics/sequence/sequence_metric.h"
#include "metrics/summary.h"

namespace tracebench {
namespace {

struct Entry {
    const char* name;
    std::unique_ptr<Metric> (*make)();
};

template <typename T>
std::unique_ptr<Metric> make() {
    return std::make_unique<T>();
}

constexpr std::array table = {
    // clang-format off: a metric a line
    Entry{"distance", make<FieldDistance>},
    Entry{"joint", make<JointMetric>},
    Entry{"nprint", make<NprintMetric>},
    Entry{"netshare", make<NetshareMetric>},
    Entry{"cicflow", make<CicflowMetric>},
    Entry{"sequence", make<SequenceMetric>},
    Entry{"compliance", make<ComplianceMetric>},
    Entry{"consistency", make<ConsistencyMetric>},
    Entry{"summary", make<Summary>},
    Entry{"privacy", make<PrivacyMetric>},
    // clang-format on
};

}  // namespace

nlohmann::json Metric::describe_real(const SampleSet&) const {
    return nullptr;
}

std::vector<std::string> metric_names() {
    std::vector<std::string> names;
    for (const Entry& entry : table) names.emplace_back(entry.name);
    return names;
}

std::unique_ptr<Metric> make_metric(const std::string& name, const nlohmann::json& settings) {
    for (const Entry& entry : table) {
        if (name != entry.name) continue;
        if (!settings.is_null() && !settings.empty())
            throw InputError(
                fmt::format("metric '{}'", name),
                fmt::format("has no setting '{}'", settings.is_object() ? settings.begin().key() : "?"),
                "leave its settings out");
        return entry.make();
    }
    throw InputError("metrics", fmt::format("'{}' is no metric", name),
                     fmt::format("use one of: {}", fmt::join(metric_names(), ", ")));
}

}  // namespace tracebench
