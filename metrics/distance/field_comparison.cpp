#include "metrics/distance/field_comparison.h"

#include <algorithm>

#include "metrics/distance/divergence.h"
#include "metrics/value_counts.h"

namespace tracebench {
namespace {

/// Adds the session's filled bins to `cells` and clears `counts`.
template <typename Cells>
void take_counts(std::vector<double>& counts, std::vector<std::uint32_t>& touched, Cells& cells) {
    std::sort(touched.begin(), touched.end());
    for (const std::uint32_t bin : touched) {
        cells.push_back({bin, counts[bin]});
        counts[bin] = 0;
    }
    touched.clear();
}

}  // namespace

FieldComparison::FieldComparison(const Column& a, std::size_t a_sessions, const Column& b,
                                 std::size_t b_sessions, const Bins& bins)
    : a_sessions_(a_sessions), b_sessions_(b_sessions), bins_(bins.size()) {
    std::vector<double> counts(bins_);
    std::vector<std::uint32_t> touched;
    const auto add_side = [&](const Column& column, std::size_t sessions) {
        std::size_t i = 0;
        for (std::size_t s = 0; s < sessions; ++s) {
            first_cell_.push_back(cells_.size());
            for (; i < column.values.size() && column.session[i] == s; ++i) {
                const auto bin = static_cast<std::uint32_t>(bins.index(column.values[i]));
                if (counts[bin] == 0) touched.push_back(bin);
                counts[bin] += column.count(i);
            }
            take_counts(counts, touched, cells_);
        }
    };
    add_side(a, a_sessions);
    add_side(b, b_sessions);
    first_cell_.push_back(cells_.size());

    if (!bins.is_numeric()) return;
    const Column both = pooled(a, a_sessions, b);
    sorted_.emplace(both.values, both.session, both.counts);
}

std::optional<Distances> FieldComparison::distances(std::span<const double> left,
                                                    std::span<const double> right) const {
    std::vector<double> p(bins_), q(bins_);
    double p_mass = 0, q_mass = 0;
    for (std::size_t s = 0; s < sessions(); ++s) {
        if (left[s] == 0 && right[s] == 0) continue;
        for (std::size_t i = first_cell_[s]; i < first_cell_[s + 1]; ++i) {
            const double l = left[s] * cells_[i].count, r = right[s] * cells_[i].count;
            p[cells_[i].bin] += l;
            q[cells_[i].bin] += r;
            p_mass += l;
            q_mass += r;
        }
    }
    if (!(p_mass > 0) || !(q_mass > 0)) return std::nullopt;
    Distances result{};
    result[measure::jsd] = jensen_shannon(p, q);
    result[measure::tvd] = total_variation(p, q);
    result[measure::hellinger] = hellinger(p, q);
    result[measure::kl] = kullback_leibler(p, q);
    result[measure::chi_square] = chi_square(p, q);
    if (sorted_) {
        OrderedDistances ordered;
        if (!sorted_->compare(left, right, ordered)) return std::nullopt;
        result[measure::ks] = ordered.ks;
        result[measure::wasserstein] = ordered.wasserstein;
        result[measure::energy] = ordered.energy;
    }
    return result;
}

std::optional<Distances> FieldComparison::distances() const {
    std::vector<double> left(sessions()), right(sessions());
    std::fill_n(left.begin(), a_sessions_, 1.0);
    std::fill(right.begin() + static_cast<std::ptrdiff_t>(a_sessions_), right.end(), 1.0);
    return distances(left, right);
}

std::vector<double> FieldComparison::histogram(bool of_b) const {
    std::vector<double> counts(bins_);
    const std::size_t first = of_b ? a_sessions_ : 0, end = of_b ? sessions() : a_sessions_;
    for (std::size_t i = first_cell_[first]; i < first_cell_[end]; ++i)
        counts[cells_[i].bin] += cells_[i].count;
    return counts;
}

}  // namespace tracebench
