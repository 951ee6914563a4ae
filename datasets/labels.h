#pragma once
/// labels.csv: `file,label`, or `file,flow_id,label`; further columns are ignored.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tracebench {

struct Labels {
    bool per_flow = false;
    /// file (as written, relative to the captures' folder) -> label of the whole file
    std::map<std::string, std::string> files;
    /// file -> flow_id -> label
    std::map<std::string, std::map<std::string, std::string>> flows;
};

/// Throws InputError: unreadable, no `file` or `label` column, an empty cell, a file or flow labelled twice
/// with different labels. A row without a flow_id in a per-flow table labels the whole file.
Labels read_labels(const std::filesystem::path& csv);

}  // namespace tracebench
