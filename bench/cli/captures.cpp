#include "bench/cli/captures.h"

#include <optional>

#include "base/error.h"
#include "bench/cli/damage.h"
#include "datasets/labels.h"
#include "datasets/source.h"
#include "traffic/capture_reader.h"

namespace tracebench::cli {

std::vector<LabelledTrace> load_captures(const std::filesystem::path& path) {
    std::vector<std::filesystem::path> files{path};
    Labels labels;
    if (std::filesystem::is_directory(path)) {
        files = find_captures(path);
        if (std::filesystem::exists(path / "labels.csv")) labels = read_labels(path / "labels.csv");
    }
    std::vector<LabelledTrace> samples;
    for (const std::filesystem::path& file : files) {
        std::optional<CaptureDamage> damage;
        Trace trace = read_trace(file, &damage);
        warn_damage(file, damage, trace.size());
        if (trace.empty()) continue;
        const auto label = labels.files.find(file.lexically_relative(path).generic_string());
        samples.push_back(
            {file.string(), label == labels.files.end() ? "" : label->second, std::move(trace)});
    }
    if (samples.empty())
        throw InputError(path.string(), files.empty() ? "holds no captures" : "holds no packets",
                         "nothing can be compared");
    return samples;
}

}  // namespace tracebench::cli
