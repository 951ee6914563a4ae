#include "metrics/sequence/dtw.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tracebench {

double dtw_distance(std::span<const float> a, std::span<const float> b, std::size_t band, double limit) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (a.size() < b.size()) std::swap(a, b);
    const std::size_t n = a.size(), m = b.size();
    if (m == 0) return n == 0 ? 0 : infinity;
    const auto total = static_cast<double>(n + m);
    const double width = static_cast<double>(band) + 1;

    // One row before and the current one, with a border of infinity on the left.
    std::vector<double> before(m + 1, infinity), row(m + 1, infinity);
    for (std::size_t i = 1; i <= n; ++i) {
        const double middle = static_cast<double>(i * m) / static_cast<double>(n);
        const auto first = static_cast<std::size_t>(std::max(1.0, std::floor(middle - width) + 1));
        const auto last =
            static_cast<std::size_t>(std::min(static_cast<double>(m), std::ceil(middle + width) - 1));
        std::fill(row.begin(), row.end(), infinity);
        double least = infinity;
        for (std::size_t j = first; j <= last; ++j) {
            const double cost = std::abs(static_cast<double>(a[i - 1]) - static_cast<double>(b[j - 1]));
            const double best =
                i == 1 && j == 1 ? 0 : std::min({before[j], row[j - 1], before[j - 1] + cost});
            row[j] = best + cost;
            least = std::min(least, row[j]);
        }
        if (least >= limit * total) return infinity;
        std::swap(before, row);
    }
    const double distance = before[m] / total;
    return distance < limit ? distance : infinity;
}

}  // namespace tracebench
