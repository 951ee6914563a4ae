#include "classifiers/features.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/error.h"
#include "classifiers/feature_row.h"

namespace tracebench {
namespace {

std::vector<std::string> column_names(const FeatureOptions& options) {
    switch (options.kind) {
        case FeatureKind::nprint:
            return nprint_feature_names(options.packets);
        case FeatureKind::flow:
            return flow_features({}).names;
        case FeatureKind::identifiers:
            return identifier_features({}).names;
    }
    throw std::invalid_argument("features: unknown kind");
}

std::vector<float> values_of(const Trace& trace, const FeatureOptions& options) {
    switch (options.kind) {
        case FeatureKind::nprint:
            return nprint_features(trace, options.packets);
        case FeatureKind::flow:
            return flow_features(trace).values;
        case FeatureKind::identifiers:
            return identifier_features(trace).values;
    }
    throw std::invalid_argument("features: unknown kind");
}

/// A flow sample's id is its capture's name, `#` and a flow_id (which has `|`, but no `#`).
std::string session_of(const std::string& id) {
    const std::size_t mark = id.rfind('#');
    const bool is_flow = mark != std::string::npos && id.find('|', mark) != std::string::npos;
    return is_flow ? id.substr(0, mark) : id;
}

}  // namespace

void FeatureTable::append(const FeatureTable& more) {
    values.insert(values.end(), more.values.begin(), more.values.end());
    labels.insert(labels.end(), more.labels.begin(), more.labels.end());
    sessions.insert(sessions.end(), more.sessions.begin(), more.sessions.end());
}

FeatureTable extract_features(const Samples& samples, const FeatureOptions& options) {
    FeatureTable table;
    table.columns = column_names(options);
    table.values.reserve(samples.size() * table.columns.size());
    for (const LabelledTrace& sample : samples) {
        const std::vector<float> values = values_of(sample.trace, options);
        table.values.insert(table.values.end(), values.begin(), values.end());
        table.labels.push_back(sample.label);
        table.sessions.push_back(session_of(sample.id));
    }
    return table;
}

FeatureKind parse_feature_kind(const std::string& name) {
    if (name == "nprint") return FeatureKind::nprint;
    if (name == "flow") return FeatureKind::flow;
    if (name == "identifiers") return FeatureKind::identifiers;
    throw InputError("features", fmt::format("'{}' is not a feature set", name),
                     "there are nprint, flow, identifiers");
}

}  // namespace tracebench
