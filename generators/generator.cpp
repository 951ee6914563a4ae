#include "generators/generator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"

namespace tracebench {

Progress& FitContext::listener() const {
    static Progress silent;
    return progress != nullptr ? *progress : silent;
}

bool Generator::stream(const SampleRequest&, Progress&, const PacketSink&) {
    return false;
}

std::optional<std::vector<double>> Generator::losses(const Samples&, Progress&) {
    return std::nullopt;
}

void remove_checkpoints(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
        if (entry.path().filename().string().starts_with("checkpoint")) files.push_back(entry.path());
    for (const auto& file : files) std::filesystem::remove(file, ignored);
    std::filesystem::remove(folder, ignored);  // only when it is empty
}

void require_label(const Generator& generator, const std::string& label) {
    const std::vector<std::string> known = generator.labels();
    if (std::find(known.begin(), known.end(), label) != known.end()) return;
    std::vector<std::string> shown;
    for (const std::string& name : known) {
        if (shown.size() == 40) {
            shown.push_back(fmt::format("and {} more", known.size() - shown.size()));
            break;
        }
        shown.push_back(printable(name, 60));
    }
    throw InputError(fmt::format("generator '{}'", generator.kind()), fmt::format("has no label '{}'", label),
                     known.empty() ? "it has not learned any: fit it first"
                                   : fmt::format("it has: {}", fmt::join(shown, ", ")));
}

}  // namespace tracebench
