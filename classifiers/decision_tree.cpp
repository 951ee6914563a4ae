#include "classifiers/decision_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tracebench {
namespace {

constexpr float absent = -std::numeric_limits<float>::infinity();

struct Split {
    double quality = -1;  ///< sum over both sides of (sum of squared class counts) / rows; larger is purer
    std::size_t column = 0;
    std::uint32_t low = 0, high = 0;  ///< neighbouring ranks that the split separates
};

/// Finds the best threshold of a column within a node. Buffers are kept between calls.
class SplitSearch {
  public:
    SplitSearch(const RankedColumns& data, std::span<const int> classes, std::size_t class_count)
        : data_(data), classes_(classes), left_(class_count), total_(class_count) {}

    void enter(std::span<const std::uint32_t> rows) {
        rows_ = rows;
        std::fill(total_.begin(), total_.end(), 0);
        for (const std::uint32_t row : rows) ++total_[class_of(row)];
    }
    bool pure() const {
        return std::any_of(total_.begin(), total_.end(),
                           [&](std::int64_t n) { return n == static_cast<std::int64_t>(rows_.size()); });
    }
    std::span<const std::int64_t> totals() const { return total_; }

    /// Improves `best` where this column can. False where the column does not vary within the node.
    bool search(std::size_t column, Split& best) {
        // Counting costs the whole histogram, sorting costs n log n: nPrint's three values count, real
        // numbers in small nodes sort.
        const bool count = data_.distinct(column) * total_.size() <= 4 * rows_.size();
        begin(column);
        if (count)
            scan_histogram(column, best);
        else
            scan_sorted(column, best);
        return varied_;
    }

  private:
    std::size_t class_of(std::uint32_t row) const { return static_cast<std::size_t>(classes_[row]); }

    void begin(std::size_t column) {
        column_ = column;
        std::fill(left_.begin(), left_.end(), 0);
        left_rows_ = 0;
        left_squares_ = 0;
        right_squares_ = 0;
        for (const std::int64_t n : total_) right_squares_ += n * n;
        varied_ = false;
    }

    /// Moves `n` rows of a class to the left side.
    void move(std::size_t c, std::int64_t n) {
        const std::int64_t right = total_[c] - left_[c];
        left_squares_ += n * (2 * left_[c] + n);
        right_squares_ -= n * (2 * right - n);
        left_[c] += n;
        left_rows_ += n;
    }

    /// The boundary between the ranks moved so far (up to `low`) and the next one in the node.
    void consider(std::uint32_t low, std::uint32_t high, Split& best) {
        varied_ = true;
        const auto right_rows = static_cast<std::int64_t>(rows_.size()) - left_rows_;
        const double quality = static_cast<double>(left_squares_) / static_cast<double>(left_rows_) +
                               static_cast<double>(right_squares_) / static_cast<double>(right_rows);
        if (quality > best.quality) best = {quality, column_, low, high};
    }

    void scan_histogram(std::size_t column, Split& best) {
        const auto ranks = data_.ranks(column);
        const std::size_t class_count = total_.size();
        histogram_.assign(data_.distinct(column) * class_count, 0);
        for (const std::uint32_t row : rows_) ++histogram_[ranks[row] * class_count + class_of(row)];
        std::int64_t previous = -1;
        for (std::size_t rank = 0; rank < data_.distinct(column); ++rank) {
            const auto counts = std::span(histogram_).subspan(rank * class_count, class_count);
            if (std::all_of(counts.begin(), counts.end(), [](std::uint32_t n) { return n == 0; })) continue;
            if (previous >= 0)
                consider(static_cast<std::uint32_t>(previous), static_cast<std::uint32_t>(rank), best);
            for (std::size_t c = 0; c < class_count; ++c)
                if (counts[c] != 0) move(c, counts[c]);
            previous = static_cast<std::int64_t>(rank);
        }
    }

    void scan_sorted(std::size_t column, Split& best) {
        const auto ranks = data_.ranks(column);
        sorted_.clear();
        for (const std::uint32_t row : rows_)
            sorted_.push_back(static_cast<std::uint64_t>(ranks[row]) << 32 | class_of(row));
        std::sort(sorted_.begin(), sorted_.end());
        for (std::size_t i = 0; i < sorted_.size(); ++i) {
            const auto rank = static_cast<std::uint32_t>(sorted_[i] >> 32);
            const auto previous = static_cast<std::uint32_t>(sorted_[i == 0 ? 0 : i - 1] >> 32);
            if (rank != previous) consider(previous, rank, best);
            move(sorted_[i] & 0xFFFFFFFF, 1);
        }
    }

    const RankedColumns& data_;
    std::span<const int> classes_;
    std::span<const std::uint32_t> rows_;
    std::size_t column_ = 0;
    std::vector<std::int64_t> left_, total_;
    std::int64_t left_rows_ = 0, left_squares_ = 0, right_squares_ = 0;
    bool varied_ = false;
    std::vector<std::uint32_t> histogram_;
    std::vector<std::uint64_t> sorted_;
};

}  // namespace

RankedColumns::RankedColumns(MatrixView matrix)
    : rows_(matrix.rows()), ranks_(matrix.values.size()), values_(matrix.columns) {
    std::vector<float> column(rows_);
    for (std::size_t c = 0; c < matrix.columns; ++c) {
        for (std::size_t i = 0; i < rows_; ++i) {
            const float value = matrix.row(i)[c];
            column[i] = std::isnan(value) ? absent : value;
        }
        std::vector<float>& distinct = values_[c];
        distinct = column;
        std::sort(distinct.begin(), distinct.end());
        distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
        distinct.shrink_to_fit();
        for (std::size_t i = 0; i < rows_; ++i)
            ranks_[c * rows_ + i] = static_cast<std::uint32_t>(
                std::lower_bound(distinct.begin(), distinct.end(), column[i]) - distinct.begin());
    }
}

float RankedColumns::threshold(std::size_t column, std::uint32_t low, std::uint32_t high) const {
    const float a = values_[column][low];
    const float b = values_[column][high];
    if (a == absent) return std::numeric_limits<float>::lowest();
    const float middle = a + (b - a) / 2;
    return middle < b ? middle : a;  // neighbouring floats, or infinity above
}

DecisionTree::DecisionTree(const RankedColumns& data, std::span<const int> classes, std::size_t class_count,
                           std::vector<std::uint32_t> rows, std::size_t candidates, Random& random)
    : class_count_(class_count) {
    const std::size_t wanted = candidates == 0 ? data.columns() : std::min(candidates, data.columns());
    std::vector<std::size_t> order(data.columns());
    std::iota(order.begin(), order.end(), std::size_t{0});
    SplitSearch search(data, classes, class_count);

    struct Pending {
        std::size_t node, begin, end;  ///< a node and its range of `rows`
    };
    std::vector<Pending> stack{{0, 0, rows.size()}};
    nodes_.emplace_back();
    while (!stack.empty()) {
        const Pending at = stack.back();
        stack.pop_back();
        const auto members = std::span(rows).subspan(at.begin, at.end - at.begin);
        search.enter(members);
        Split best;
        if (!search.pure()) {
            bool varied = false;
            for (std::size_t k = 0; k < order.size() && (k < wanted || !varied); ++k) {
                if (candidates != 0) std::swap(order[k], order[k + random.below(order.size() - k)]);
                varied |= search.search(order[k], best);
            }
        }
        if (best.quality < 0) {
            nodes_[at.node].left = shares_.size();
            for (const std::int64_t n : search.totals())
                shares_.push_back(static_cast<float>(n) / static_cast<float>(members.size()));
            continue;
        }
        const auto ranks = data.ranks(best.column);
        const auto middle = std::stable_partition(members.begin(), members.end(),
                                                  [&](std::uint32_t row) { return ranks[row] <= best.low; });
        const std::size_t boundary = at.begin + static_cast<std::size_t>(middle - members.begin());
        const std::size_t left = nodes_.size();
        nodes_[at.node] = {static_cast<std::int64_t>(best.column),
                           data.threshold(best.column, best.low, best.high), left, left + 1};
        nodes_.resize(nodes_.size() + 2);
        stack.push_back({left + 1, boundary, at.end});
        stack.push_back({left, at.begin, boundary});
    }
}

std::span<const float> DecisionTree::shares(std::span<const float> row) const {
    const Node* node = &nodes_[0];
    while (node->column >= 0)
        node =
            &nodes_[row[static_cast<std::size_t>(node->column)] > node->threshold ? node->right : node->left];
    return std::span(shares_).subspan(node->left, class_count_);
}

}  // namespace tracebench
