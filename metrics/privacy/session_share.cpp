#include "metrics/privacy/session_share.h"

#include <limits>
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

std::vector<double> resampled_rates(const SessionShare& share, std::span<const std::string> labels,
                                    std::uint64_t seed, std::size_t count) {
    const Bootstrap sessions(labels);
    std::vector<double> rates;
    if (!sessions.possible()) return rates;
    Random random(seed);
    std::vector<double> weights(labels.size());
    for (std::size_t i = 0; i < count; ++i) {
        sessions.draw(random, weights);
        rates.push_back(share.rate(weights).value_or(std::numeric_limits<double>::quiet_NaN()));
    }
    return rates;
}

}  // namespace tracebench
