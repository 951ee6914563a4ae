#include "metrics/joint/kernel_distances.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "base/parallel.h"

namespace tracebench {
namespace {

/// Sum over pairs of sessions of a[s] sums[s,t] b[t].
double bilinear(const std::vector<double>& sums, std::span<const double> a, std::span<const double> b) {
    double total = 0;
    for (std::size_t s = 0; s < a.size(); ++s) {
        if (a[s] == 0) continue;
        double row = 0;
        for (std::size_t t = 0; t < b.size(); ++t) row += sums[s * b.size() + t] * b[t];
        total += a[s] * row;
    }
    return total;
}

/// exp(-gamma * square) of every square, to the last digit or the one before; 1e-304 where it is less. Unlike
/// the library's function four at once, and the same numbers whatever instructions there are.
[[gnu::target_clones("avx2", "default")]] void kernels_of(std::span<const double> squares, double gamma,
                                                          double* kernels) {
    using Doubles [[gnu::vector_size(32)]] = double;
    using Words [[gnu::vector_size(32)]] = std::uint64_t;
    constexpr double log2_e = 0x1.71547652b82fep+0;
    constexpr double ln2_high = 0x1.62e42fefa0000p-1, ln2_low = 0x1.cf79abc9e3b3ap-40;
    constexpr double shifter = 0x1.8p+52;  // adding it rounds to a whole number, which its low bits then are
    constexpr double series[] = {
        1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
        1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2,      1,           1};
    const auto four = [&](const double* from, double* to) __attribute__((always_inline)) {
        Doubles x;
        std::memcpy(&x, from, sizeof x);
        x *= -gamma;
        x = x < -700 ? Doubles{} - 700 : x;
        const Doubles shifted = x * log2_e + shifter, whole = shifted - shifter;
        const Doubles r = (x - whole * ln2_high) - whole * ln2_low;  // at most ln(2) / 2 either way
        Doubles sum = Doubles{} + 1.0 / 6227020800;                  // Taylor's series, from 1/13!
#pragma GCC unroll 13
        for (const double factor : series) sum = sum * r + factor;
        const Words exponent = ((Words)shifted + 1023) << 52;
        const Doubles result = sum * (Doubles)exponent;
        std::memcpy(to, &result, sizeof result);
    };
    std::size_t j = 0;
    for (; j + 4 <= squares.size(); j += 4) four(&squares[j], kernels + j);
    if (j == squares.size()) return;
    double rest[4] = {};
    std::copy(squares.begin() + static_cast<std::ptrdiff_t>(j), squares.end(), rest);
    four(rest, rest);
    std::copy_n(rest, squares.size() - j, kernels + j);
}

/// In eight parts, which do not wait for each other.
double sum(std::span<const double> values) {
    double sums[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= values.size(); i += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += values[i + k];
    for (; i < values.size(); ++i) sums[0] += values[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// A row's kernels and distances to the rows before it, summed by session.
struct RowSums {
    std::vector<double> kernel, distance;  ///< one for each session that has rows so far
};

double kernel(std::span<const double> x, std::span<const double> y, double gamma) {
    double squares = 0;
    for (std::size_t f = 0; f < x.size(); ++f) squares += (x[f] - y[f]) * (x[f] - y[f]);
    return std::exp(-gamma * squares);
}

}  // namespace

KernelSums::KernelSums(const PairDistances& pairs, double bandwidth)
    : sessions_(pairs.sessions()),
      vectors_(sessions_),
      kernel_(sessions_ * sessions_),
      distance_(sessions_ * sessions_) {
    const double gamma = 1 / (2 * bandwidth * bandwidth);
    std::vector<std::size_t> first;       // row of each session that has any
    std::vector<std::uint32_t> sessions;  // those sessions, ascending
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        ++vectors_[pairs.session(i)];
        if (!sessions.empty() && sessions.back() == pairs.session(i)) continue;
        first.push_back(i);
        sessions.push_back(pairs.session(i));
    }
    // Of row i only the pairs with rows before it, then both ways round.
    std::vector<RowSums> of_rows(pairs.size());
    constexpr std::size_t stretch = 32;  // short enough for long rows, the last, to be shared out evenly
    parallel_for((pairs.size() + stretch - 1) / stretch, [&](std::size_t part) {
        std::vector<double> kernels(pairs.size()), roots(pairs.size());
        const std::size_t end = std::min(pairs.size(), (part + 1) * stretch);
        for (std::size_t i = part * stretch; i < end; ++i) {
            const auto squares = pairs.row(i).first(i);
            kernels_of(squares, gamma, kernels.data());
            const auto length = static_cast<Eigen::Index>(i);
            Eigen::Map<Eigen::ArrayXd>(roots.data(), length) =
                Eigen::Map<const Eigen::ArrayXd>(squares.data(), length).sqrt();
            for (std::size_t s = 0; s < first.size() && first[s] <= i; ++s) {
                const std::size_t last = s + 1 < first.size() ? std::min(first[s + 1], i) : i;
                of_rows[i].kernel.push_back(sum(std::span(kernels).subspan(first[s], last - first[s])));
                of_rows[i].distance.push_back(sum(std::span(roots).subspan(first[s], last - first[s])));
            }
        }
    });
    for (std::size_t i = 0; i < pairs.size(); ++i)
        for (std::size_t s = 0; s < of_rows[i].kernel.size(); ++s) {
            const std::size_t at = pairs.session(i) * sessions_ + sessions[s];
            kernel_[at] += of_rows[i].kernel[s];
            distance_[at] += of_rows[i].distance[s];
        }
    for (std::vector<double>* sums : {&kernel_, &distance_})
        for (std::size_t s = 0; s < sessions_; ++s)
            for (std::size_t t = 0; t <= s; ++t)
                (*sums)[s * sessions_ + t] = (*sums)[t * sessions_ + s] =
                    (*sums)[s * sessions_ + t] + (*sums)[t * sessions_ + s];
    // A vector's kernel with itself is 1.
    for (std::size_t s = 0; s < sessions_; ++s) kernel_[s * sessions_ + s] += vectors_[s];
}

std::optional<KernelDistances> KernelSums::compare(std::span<const double> left,
                                                   std::span<const double> right) const {
    double m = 0, n = 0;
    for (std::size_t s = 0; s < sessions_; ++s) {
        m += left[s] * vectors_[s];
        n += right[s] * vectors_[s];
    }
    if (m < 2 || n < 2) return std::nullopt;
    KernelDistances result;
    // k(x,x) is 1: the vectors' pairs with themselves are as many as vectors.
    result.mmd = (bilinear(kernel_, left, left) - m) / (m * (m - 1)) +
                 (bilinear(kernel_, right, right) - n) / (n * (n - 1)) -
                 2 * bilinear(kernel_, left, right) / (m * n);
    const double squared = 2 * bilinear(distance_, left, right) / (m * n) -
                           bilinear(distance_, left, left) / (m * m) -
                           bilinear(distance_, right, right) / (n * n);
    result.energy = std::sqrt(std::max(0.0, squared));
    return result;
}

double mmd_linear(const Points& points, std::span<const std::uint32_t> left,
                  std::span<const std::uint32_t> right, double bandwidth) {
    const std::size_t pairs = std::min(left.size(), right.size()) / 2;
    if (pairs == 0) throw std::invalid_argument("two vectors a side expected");
    const double gamma = 1 / (2 * bandwidth * bandwidth);
    const auto k = [&](std::uint32_t i, std::uint32_t j) {
        return kernel(points.row(i), points.row(j), gamma);
    };
    double sum = 0;
    for (std::size_t i = 0; i < 2 * pairs; i += 2)
        sum += k(left[i], left[i + 1]) + k(right[i], right[i + 1]) - k(left[i], right[i + 1]) -
               k(left[i + 1], right[i]);
    return sum / static_cast<double>(pairs);
}

}  // namespace tracebench
