#include "datasets/labels.h"

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"

namespace tracebench {

Labels read_labels(const std::filesystem::path& csv) {
    const CsvTable table = read_csv(csv);
    const std::size_t file_column = table.require_column("file");
    const std::size_t label_column = table.require_column("label");
    const auto flow_column = table.column("flow_id");

    Labels labels;
    labels.per_flow = flow_column.has_value();
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const auto& row = table.rows[i];
        const std::string& file = row[file_column];
        const std::string& label = row[label_column];
        const std::string flow = flow_column ? row[*flow_column] : "";
        const auto fail = [&](const std::string& problem) {
            throw InputError(fmt::format("{}: row {}", csv.string(), i + 2), problem, "mend the row");
        };
        if (file.empty()) fail("has no file");
        if (label.empty()) fail("has no label");
        std::string& stored = flow.empty() ? labels.files[file] : labels.flows[file][flow];
        if (!stored.empty() && stored != label)
            fail(fmt::format("labels {} '{}', an earlier row '{}'", flow.empty() ? file : flow, label, stored));
        stored = label;
    }
    return labels;
}

}  // namespace tracebench
