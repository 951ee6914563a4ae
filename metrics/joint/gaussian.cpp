#include "metrics/joint/gaussian.h"

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tracebench {
namespace {

Eigen::Map<const Eigen::MatrixXd> matrix(const Gaussian& gaussian) {
    const auto width = static_cast<Eigen::Index>(gaussian.mean.size());
    return {gaussian.covariance.data(), width, width};
}

void require_same_width(const Gaussian& a, const Gaussian& b) {
    if (a.mean.size() != b.mean.size()) throw std::invalid_argument("distributions of different features");
}

/// Symmetric root of a positive semidefinite matrix.
Eigen::MatrixXd root(const Eigen::MatrixXd& symmetric) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
    const Eigen::VectorXd roots = solver.eigenvalues().cwiseMax(0).cwiseSqrt();
    return solver.eigenvectors() * roots.asDiagonal() * solver.eigenvectors().transpose();
}

}  // namespace

double frechet_distance(const Gaussian& a, const Gaussian& b) {
    require_same_width(a, b);
    if (a.mean.empty()) return 0;
    double shift = 0;
    for (std::size_t f = 0; f < a.mean.size(); ++f) shift += std::pow(a.mean[f] - b.mean[f], 2);
    // The eigenvalues of C_a C_b are the squared singular values of C_a^(1/2) C_b^(1/2). Taken as singular
    // values they need no root, which would turn the rounding of a singular covariance's zeros into something
    // large.
    const Eigen::MatrixXd roots = root(matrix(a)) * root(matrix(b));
    const double overlap = Eigen::JacobiSVD<Eigen::MatrixXd>(roots).singularValues().sum();
    const double trace = matrix(a).trace() + matrix(b).trace() - 2 * overlap;
    return std::max(0.0, shift + trace);
}

std::optional<double> correlation_difference(const Gaussian& a, const Gaussian& b) {
    require_same_width(a, b);
    constexpr double least_variance = 1e-10;
    const std::size_t width = a.mean.size();
    const auto varies = [&](const Gaussian& side, std::size_t f) {
        return side.covariance[f * width + f] > least_variance;
    };
    const auto correlation = [&](const Gaussian& side, std::size_t f, std::size_t g) {
        if (!varies(side, f) || !varies(side, g)) return 0.0;
        const double scale = side.covariance[f * width + f] * side.covariance[g * width + g];
        return std::clamp(side.covariance[f * width + g] / std::sqrt(scale), -1.0, 1.0);
    };
    double sum = 0;
    std::size_t pairs = 0;
    for (std::size_t f = 0; f < width; ++f)
        for (std::size_t g = f + 1; g < width; ++g) {
            const bool in_a = varies(a, f) && varies(a, g), in_b = varies(b, f) && varies(b, g);
            if (!in_a && !in_b) continue;
            sum += std::abs(correlation(a, f, g) - correlation(b, f, g));
            ++pairs;
        }
    if (pairs == 0) return std::nullopt;
    return sum / static_cast<double>(pairs);
}

SessionMoments::SessionMoments(const Points& points)
    : width_(points.width),
      sessions_(points.sessions),
      stride_(1 + points.width + points.width * (points.width + 1) / 2) {
    sums_.resize(sessions_ * stride_);
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto row = points.row(i);
        double* at = sums_.data() + points.session[i] * stride_;
        *at++ += 1;
        for (const double value : row) *at++ += value;
        for (std::size_t f = 0; f < width_; ++f)
            for (std::size_t g = f; g < width_; ++g) *at++ += row[f] * row[g];
    }
}

std::optional<Gaussian> SessionMoments::fit(std::span<const double> weights) const {
    std::vector<double> total(stride_);
    for (std::size_t s = 0; s < sessions_; ++s) {
        if (weights[s] == 0) continue;
        for (std::size_t i = 0; i < stride_; ++i) total[i] += weights[s] * sums_[s * stride_ + i];
    }
    Gaussian result;
    result.n = total[0];
    if (result.n < 2) return std::nullopt;
    for (std::size_t f = 0; f < width_; ++f) result.mean.push_back(total[1 + f] / result.n);
    result.covariance.resize(width_ * width_);
    std::size_t at = 1 + width_;
    for (std::size_t f = 0; f < width_; ++f)
        for (std::size_t g = f; g < width_; ++g)
            result.covariance[f * width_ + g] = result.covariance[g * width_ + f] =
                (total[at++] - result.n * result.mean[f] * result.mean[g]) / (result.n - 1);
    return result;
}

}  // namespace tracebench
