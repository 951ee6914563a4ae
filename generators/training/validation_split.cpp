#include "generators/training/validation_split.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/random.h"

namespace tracebench {

ValidationSplit split_validation(const std::vector<std::string>& labels, double fraction,
                                 std::uint64_t seed) {
    constexpr std::size_t enough = 4;
    std::map<std::string, std::vector<std::size_t>> by_label;
    for (std::size_t i = 0; i < labels.size(); ++i) by_label[labels[i]].push_back(i);
    ValidationSplit split;
    for (auto& [label, samples] : by_label) {
        std::size_t wanted = 0;
        if (fraction > 0 && samples.size() >= enough) {
            const double share = std::round(fraction * static_cast<double>(samples.size()));
            wanted = std::clamp<std::size_t>(static_cast<std::size_t>(share), 1, samples.size() - 1);
        }
        Random random(stream_seed(seed, "validation/" + label));
        random.shuffle(samples);
        const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(wanted);
        split.validation.insert(split.validation.end(), samples.begin(), middle);
        split.train.insert(split.train.end(), middle, samples.end());
    }
    std::sort(split.train.begin(), split.train.end());
    std::sort(split.validation.begin(), split.validation.end());
    return split;
}

}  // namespace tracebench
