#include "metrics/value_counts.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tracebench {
namespace {

/// Ascending entries, equal values joined. What comes first and is ascending already is only merged.
void join(std::vector<ValueCount>& entries) {
    const auto less = [](const ValueCount& a, const ValueCount& b) { return a.value < b.value; };
    const auto sorted = std::is_sorted_until(entries.begin(), entries.end(), less);
    std::sort(sorted, entries.end(), less);
    std::inplace_merge(entries.begin(), sorted, entries.end(), less);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (kept > 0 && entries[kept - 1].value == entries[i].value)
            entries[kept - 1].count += entries[i].count;
        else
            entries[kept++] = entries[i];
    }
    entries.resize(kept);
}

}  // namespace

std::vector<ValueCount> sorted_counts(const Column& column) {
    std::vector<ValueCount> entries;
    entries.reserve(column.values.size());
    for (std::size_t i = 0; i < column.values.size(); ++i)
        entries.push_back({column.values[i], column.count(i)});
    join(entries);
    return entries;
}

std::vector<ValueCount> sorted_counts(std::span<const double> values) {
    std::vector<ValueCount> entries;
    entries.reserve(values.size());
    for (const double value : values) entries.push_back({value, 1});
    join(entries);
    return entries;
}

std::uint64_t total_count(std::span<const ValueCount> counts) {
    std::uint64_t total = 0;
    for (const ValueCount& entry : counts) total += entry.count;
    return total;
}

RankedValues::RankedValues(std::vector<ValueCount> counts) : counts_(std::move(counts)) {
    ends_.reserve(counts_.size());
    std::uint64_t before = 0;
    for (const ValueCount& entry : counts_) ends_.push_back(before += entry.count);
}

double RankedValues::at(std::uint64_t rank) const {
    const auto place = std::upper_bound(ends_.begin(), ends_.end(), rank) - ends_.begin();
    return counts_.at(static_cast<std::size_t>(place)).value;
}

double RankedValues::quantile(double probability) const {
    if (size() == 0) throw std::invalid_argument("a quantile of nothing");
    const double place = std::clamp(probability, 0.0, 1.0) * static_cast<double>(size() - 1);
    const auto below = static_cast<std::uint64_t>(place);
    const double low = at(below), share = place - static_cast<double>(below);
    return share == 0 ? low : std::lerp(low, at(std::min(below + 1, size() - 1)), share);
}

double RankedValues::mean_deviation() const {
    const double median = at(size() / 2);
    double sum = 0;
    for (const ValueCount& entry : counts_)
        sum += std::abs(entry.value - median) * static_cast<double>(entry.count);
    return sum / static_cast<double>(size());
}

Column pooled(const Column& a, std::size_t a_sessions, const Column& b) {
    Column pool = a;
    pool.values.insert(pool.values.end(), b.values.begin(), b.values.end());
    for (const std::uint32_t session : b.session)
        pool.session.push_back(session + static_cast<std::uint32_t>(a_sessions));
    if (a.counts.empty() && b.counts.empty()) return pool;
    pool.counts.resize(a.values.size(), 1);
    pool.counts.insert(pool.counts.end(), b.counts.begin(), b.counts.end());
    pool.counts.resize(pool.values.size(), 1);
    return pool;
}

void merge_equal(Column& column, std::size_t first) {
    std::vector<ValueCount> entries;
    entries.reserve(column.values.size() - first);
    for (std::size_t i = first; i < column.values.size(); ++i)
        entries.push_back({column.values[i], column.count(i)});
    if (entries.empty()) return;
    const std::uint32_t session = column.session[first];
    join(entries);
    column.counts.resize(first, 1);
    column.values.resize(first);
    column.session.resize(first);
    for (ValueCount& entry : entries)
        for (; entry.count > 0; entry.count -= column.counts.back()) {
            column.values.push_back(entry.value);
            column.session.push_back(session);
            column.counts.push_back(
                static_cast<std::uint32_t>(std::min<std::uint64_t>(entry.count, UINT32_MAX)));
        }
}

}  // namespace tracebench
