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
    const auto rows = static_cast<Eigen::Index>(pairs.size());
    // Of row i only the pairs with rows before it, then both ways round.
    Eigen::ArrayXd kernels(rows), roots(rows);
    std::vector<Eigen::Index> first{0};  // row of each session so far
    std::vector<std::uint32_t> sessions;
    for (Eigen::Index i = 0; i < rows; ++i) {
        const std::uint32_t session = pairs.session(static_cast<std::size_t>(i));
        ++vectors_[session];
        const Eigen::Map<const Eigen::ArrayXd> squares(pairs.row(static_cast<std::size_t>(i)).data(), i);
        kernels.head(i) = (-gamma * squares).exp();
        roots.head(i) = squares.sqrt();
        if (sessions.empty() || sessions.back() != session) {
            if (i > 0) first.push_back(i);
            sessions.push_back(session);
        }
        for (std::size_t s = 0; s < sessions.size(); ++s) {
            const Eigen::Index length = (s + 1 < sessions.size() ? first[s + 1] : i) - first[s];
            const std::size_t at = session * sessions_ + sessions[s];
            kernel_[at] += kernels.segment(first[s], length).sum();
            distance_[at] += roots.segment(first[s], length).sum();
        }
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
