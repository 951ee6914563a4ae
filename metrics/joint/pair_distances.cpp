#include "metrics/joint/pair_distances.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/parallel.h"

namespace tracebench {
namespace {

/// Squared distances of `row` to `length` vectors whose features are `stride` apart. The differences
/// themselves are squared: the product form loses the digits of near neighbours. Every distance is summed by
/// itself in one order, so results do not depend on the instructions used.
[[gnu::target_clones("avx2", "default")]] void sum_squares(const double* columns, std::size_t stride,
                                                           std::span<const double> row, std::size_t length,
                                                           double* __restrict sums) {
    std::fill_n(sums, length, 0.0);
    std::size_t f = 0;
    for (; f + 4 <= row.size(); f += 4) {
        const double *const c0 = columns + f * stride, *const c1 = c0 + stride, *const c2 = c1 + stride,
                            *const c3 = c2 + stride;
        const double x0 = row[f], x1 = row[f + 1], x2 = row[f + 2], x3 = row[f + 3];
        for (std::size_t j = 0; j < length; ++j) {
            const double d0 = c0[j] - x0, d1 = c1[j] - x1, d2 = c2[j] - x2, d3 = c3[j] - x3;
            sums[j] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
        }
    }
    for (; f < row.size(); ++f)
        for (std::size_t j = 0; j < length; ++j) {
            const double d = columns[f * stride + j] - row[f];
            sums[j] += d * d;
        }
}

/// A hundred megabytes that are filled at once: in pages of 4 KiB the kernel would take as long to hand them
/// out as the distances take. It may decline.
std::unique_ptr<double[]> in_huge_pages(std::size_t count) {
    auto values = std::make_unique_for_overwrite<double[]>(count);
    constexpr std::size_t huge_page = 2 << 20;
    void* begin = values.get();
    std::size_t room = count * sizeof(double);
    if (std::align(huge_page, huge_page, begin, room) != nullptr)
        ::madvise(begin, room / huge_page * huge_page, MADV_HUGEPAGE);
    return values;
}

}  // namespace

PairDistances::PairDistances(const Points& a, const Points& b) {
    const Points all = joined(a, b);
    session_ = all.session;
    sessions_ = all.sessions;
    const std::size_t n = size();
    squares_ = in_huge_pages(n * n);
    // One feature after the other lies together, so that a tile's distances are sums of stretches of columns.
    std::vector<double> columns(n * all.width);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t f = 0; f < all.width; ++f) columns[f * n + i] = all.row(i)[f];
    // Tiles that stay in the cache, and their mirror images.
    constexpr std::size_t tile = 64;
    parallel_for((n + tile - 1) / tile, [&](std::size_t row) {
        const std::size_t first = row * tile;
        for (std::size_t other = first; other < n; other += tile) {
            const std::size_t end = std::min(first + tile, n), length = std::min(tile, n - other);
            for (std::size_t i = first; i < end; ++i)
                sum_squares(columns.data() + other, n, all.row(i), length, squares_.get() + i * n + other);
            if (other == first) continue;
            for (std::size_t j = other; j < other + length; ++j)
                for (std::size_t i = first; i < end; ++i) squares_[j * n + i] = squares_[i * n + j];
        }
    });
}

double median_distance(const PairDistances& pairs) {
    std::vector<double> squares;
    squares.reserve(pairs.size() * pairs.size() / 2);
    for (std::size_t i = 1; i < pairs.size(); ++i) {
        const auto row = pairs.row(i);
        squares.insert(squares.end(), row.begin(), row.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (squares.empty()) return 1;
    const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
    std::nth_element(squares.begin(), middle, squares.end());
    double median = std::sqrt(*middle);
    if (squares.size() % 2 == 0)
        median = (median + std::sqrt(*std::max_element(squares.begin(), middle))) / 2;
    if (median > 0) return median;
    double sum = 0, count = 0;
    for (const double square : squares)
        if (square > 0) sum += std::sqrt(square), ++count;
    return count > 0 ? sum / count : 1;
}

}  // namespace tracebench
