#include "metrics/privacy/session_share.h"

#include <numeric>

namespace tracebench {

double SessionShare::sum(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

std::optional<double> SessionShare::rate() const {
    if (whole() <= 0) return std::nullopt;
    return part() / whole();
}

std::optional<double> SessionShare::rate(std::span<const double> weights) const {
    const double whole = std::inner_product(whole_.begin(), whole_.end(), weights.begin(), 0.0);
    if (whole <= 0) return std::nullopt;
    return std::inner_product(part_.begin(), part_.end(), weights.begin(), 0.0) / whole;
}

ResampledRates resampled_rates(const SessionShare& share, std::span<const std::string> labels,
                               std::uint64_t seed, std::size_t count) {
    std::vector<std::size_t> counted;
    std::vector<std::string> their_labels;
    for (std::size_t s = 0; s < share.sessions(); ++s) {
        if (share.whole(s) <= 0) continue;
        counted.push_back(s);
        their_labels.push_back(labels[s]);
    }
    const Bootstrap sessions(their_labels);
    ResampledRates result;
    if (!sessions.possible()) return result;
    result.stretch = sessions.stretch();
    Random random(seed);
    std::vector<double> drawn(counted.size()), weights(share.sessions());
    for (std::size_t i = 0; i < count; ++i) {
        sessions.draw(random, drawn);
        for (std::size_t c = 0; c < counted.size(); ++c) weights[counted[c]] = drawn[c];
        result.rates.push_back(share.rate(weights).value());
    }
    return result;
}

}  // namespace tracebench
