#include "metrics/netshare/trace_comparison.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "metrics/distance/divergence.h"

namespace tracebench {
namespace {

std::vector<double> distinct_values(const Column& a, const Column& b) {
    std::vector<double> values(a.values);
    values.insert(values.end(), b.values.begin(), b.values.end());
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

SortedSessions sort_sessions(const Column& a, std::size_t a_sessions, const Column& b) {
    std::vector<double> values(a.values);
    values.insert(values.end(), b.values.begin(), b.values.end());
    std::vector<std::uint32_t> sessions(a.session);
    for (const std::uint32_t session : b.session)
        sessions.push_back(session + static_cast<std::uint32_t>(a_sessions));
    std::vector<std::uint32_t> counts;
    for (const Column* side : {&a, &b})
        for (std::size_t i = 0; i < side->values.size(); ++i) counts.push_back(side->count(i));
    return {values, sessions, counts};
}

double mass(const std::vector<double>& shares) {
    return std::accumulate(shares.begin(), shares.end(), 0.0);
}

}  // namespace

TraceComparison::TraceComparison(TraceDistance distance, const Column& a, std::size_t a_sessions,
                                 const Column& b, std::size_t b_sessions)
    : distance_(distance), a_sessions_(a_sessions), b_sessions_(b_sessions) {
    if (distance == TraceDistance::emd) {
        sorted_.emplace(sort_sessions(a, a_sessions, b));
        return;
    }
    const std::vector<double> distinct = distinct_values(a, b);
    distinct_ = distinct.size();
    count_values(a, a_sessions, distinct);
    count_values(b, b_sessions, distinct);
    first_cell_.push_back(cells_.size());
}

void TraceComparison::count_values(const Column& column, std::size_t sessions,
                                   const std::vector<double>& distinct) {
    std::map<double, double> own;
    std::size_t i = 0;
    for (std::size_t s = 0; s < sessions; ++s) {
        first_cell_.push_back(cells_.size());
        own.clear();
        for (; i < column.values.size() && column.session[i] == s; ++i)
            own[column.values[i]] += column.count(i);
        for (const auto& [value, count] : own) {
            const auto place = std::lower_bound(distinct.begin(), distinct.end(), value) - distinct.begin();
            cells_.push_back({static_cast<std::uint32_t>(place), count});
        }
    }
}

std::optional<double> TraceComparison::distance(std::span<const double> left,
                                                std::span<const double> right) const {
    if (sorted_) {
        OrderedDistances ordered;
        if (!sorted_->compare(left, right, ordered)) return std::nullopt;
        return ordered.wasserstein;
    }
    std::vector<double> p(distinct_), q(distinct_);
    for (std::size_t s = 0; s < sessions(); ++s) {
        if (left[s] == 0 && right[s] == 0) continue;
        for (std::size_t i = first_cell_[s]; i < first_cell_[s + 1]; ++i) {
            p[cells_[i].value] += left[s] * cells_[i].count;
            q[cells_[i].value] += right[s] * cells_[i].count;
        }
    }
    if (!(mass(p) > 0) || !(mass(q) > 0)) return std::nullopt;
    if (distance_ == TraceDistance::rank_jsd) {
        std::sort(p.begin(), p.end(), std::greater<>());
        std::sort(q.begin(), q.end(), std::greater<>());
    }
    return jensen_shannon(p, q) * std::numbers::ln2;  // bits to nats
}

std::optional<double> TraceComparison::distance() const {
    std::vector<double> left(sessions()), right(sessions());
    std::fill_n(left.begin(), a_sessions_, 1.0);
    std::fill(right.begin() + static_cast<std::ptrdiff_t>(a_sessions_), right.end(), 1.0);
    return distance(left, right);
}

}  // namespace tracebench
