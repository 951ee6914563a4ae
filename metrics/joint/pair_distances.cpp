#include "metrics/joint/pair_distances.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace tracebench {

PairDistances::PairDistances(const Points& a, const Points& b) {
    const Points all = joined(a, b);
    session_ = all.session;
    sessions_ = all.sessions;
    const std::size_t n = all.size();
    squares_.resize(n * n);
    const auto rows = static_cast<Eigen::Index>(n), width = static_cast<Eigen::Index>(all.width);
    // One feature after the other lies together, so that a row's distances are sums of whole columns. The
    // differences themselves are squared: the product form loses the digits of near neighbours.
    const Eigen::ArrayXXd columns =
        Eigen::Map<const Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
            all.values.data(), rows, width);
    Eigen::Map<Eigen::ArrayXXd> squares(squares_.data(), rows, rows);
    for (Eigen::Index i = 0; i < rows; ++i) {
        auto below = squares.col(i).tail(rows - i);
        below.setZero();
        for (Eigen::Index f = 0; f < width; ++f)
            below += (columns.col(f).tail(rows - i) - columns(i, f)).square();
        squares.row(i).tail(rows - i) = below.transpose();
    }
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
