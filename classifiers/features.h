#pragma once
/// Samples as feature vectors: nPrint bits of the first packets, or flow statistics.

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/samples.h"

namespace tracebench {

/// `nprint` and `flow` leave out addresses, ports, MACs, absolute times, IP IDs, sequence and acknowledgement
/// numbers, checksums and TTL; `identifiers` is nothing but addresses, ports, MACs and TTL: the shortcut
/// check.
enum class FeatureKind { nprint, flow, identifiers };

struct FeatureTable {
    std::vector<std::string> columns;
    std::vector<float> values;          ///< rows x columns, row-major; NaN = absent
    std::vector<std::string> labels;    ///< one a row
    std::vector<std::string> sessions;  ///< one a row: what resampling keeps together

    std::size_t rows() const { return labels.size(); }
    /// The rows of `more`, which has the same columns.
    void append(const FeatureTable& more);
};

struct FeatureOptions {
    FeatureKind kind = FeatureKind::flow;
    std::size_t packets = 10;  ///< nprint: packets of a sample that are used, absent ones are -1
};

FeatureTable extract_features(const Samples& samples, const FeatureOptions& options);

/// "nprint", "flow", "identifiers"; throws InputError for another name.
FeatureKind parse_feature_kind(const std::string& name);

}  // namespace tracebench
