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
