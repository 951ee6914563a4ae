#pragma once
/// Classification trees (CART, Breiman et al. 1984): binary splits on one column, Gini impurity, grown until
/// every leaf is pure or no column tells its rows apart.

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "classifiers/model.h"

namespace tracebench {

/// Training data as ranks, column by column: computed once, shared by all trees of a forest.
class RankedColumns {
  public:
    explicit RankedColumns(MatrixView matrix);

    std::size_t columns() const { return values_.size(); }
    std::size_t rows() const { return rows_; }
    /// Rank of each row's value among the column's distinct values, ascending; absent (NaN) ranks lowest.
    std::span<const std::uint32_t> ranks(std::size_t column) const {
        return std::span(ranks_).subspan(column * rows_, rows_);
    }
    std::size_t distinct(std::size_t column) const { return values_[column].size(); }
    /// The threshold t that `value <= t` sends ranks up to `low` left and those from `high` on right.
    float threshold(std::size_t column, std::uint32_t low, std::uint32_t high) const;

  private:
    std::size_t rows_;
    std::vector<std::uint32_t> ranks_;        ///< column-major
    std::vector<std::vector<float>> values_;  ///< distinct values of each column, ascending
};

class DecisionTree {
  public:
    /// `rows` may name a row more than once (a bootstrap sample) and must not be empty. Each split looks at
    /// `candidates` columns drawn without replacement (0: all, in order; ties go to the first), and at
    /// further ones while none of those seen varies within the node.
    DecisionTree(const RankedColumns& data, std::span<const int> classes, std::size_t class_count,
                 std::vector<std::uint32_t> rows, std::size_t candidates, Random& random);

    /// Share of each class among the training rows of the leaf that `row` falls into. NaN goes left.
    std::span<const float> shares(std::span<const float> row) const;
    std::size_t leaves() const { return shares_.size() / class_count_; }

  private:
    struct Node {
        std::int64_t column = -1;  ///< -1: a leaf
        float threshold = 0;
        std::size_t left = 0, right = 0;  ///< nodes; for a leaf `left` is its offset in shares_
    };

    std::size_t class_count_;
    std::vector<Node> nodes_;
    std::vector<float> shares_;
};

}  // namespace tracebench
