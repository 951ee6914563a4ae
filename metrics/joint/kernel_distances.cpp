#include "metrics/joint/kernel_distances.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <stdexcept>

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
    Eigen::ArrayXd kernels(static_cast<Eigen::Index>(pairs.size())), roots(kernels.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const Eigen::Map<const Eigen::ArrayXd> squares(pairs.row(i).data(), kernels.size());
        kernels = (-gamma * squares).exp();
        roots = squares.sqrt();
        const std::size_t at = pairs.session(i) * sessions_;
        ++vectors_[pairs.session(i)];
        for (std::size_t j = 0; j < pairs.size(); ++j) {
            kernel_[at + pairs.session(j)] += kernels[static_cast<Eigen::Index>(j)];
            distance_[at + pairs.session(j)] += roots[static_cast<Eigen::Index>(j)];
        }
    }
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
