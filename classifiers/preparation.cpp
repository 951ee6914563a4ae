#include "classifiers/preparation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <unordered_map>

namespace tracebench {
namespace {

/// Infinite values as the largest float: XGBoost and means take none.
float finite(float value) {
    constexpr float limit = std::numeric_limits<float>::max();
    return std::clamp(value, -limit, limit);  // NaN stays
}

/// The same for all NaN and for both zeros: columns that a learner cannot tell apart have equal bits.
std::uint32_t canonical_bits(float value) {
    if (std::isnan(value)) return 0x7FC00000;
    value = finite(value);
    return value == 0 ? 0 : std::bit_cast<std::uint32_t>(value);
}

bool equal_columns(MatrixView matrix, std::size_t a, std::size_t b) {
    for (std::size_t i = 0; i < matrix.rows(); ++i)
        if (canonical_bits(matrix.row(i)[a]) != canonical_bits(matrix.row(i)[b])) return false;
    return true;
}

/// Indices of the columns that vary and equal no earlier one, ascending.
std::vector<std::size_t> informative_columns(MatrixView matrix) {
    std::vector<std::uint64_t> hashes(matrix.columns, 0);
    std::vector<char> varies(matrix.columns, 0);
    const auto first = matrix.row(0);
    for (std::size_t i = 0; i < matrix.rows(); ++i) {
        const auto row = matrix.row(i);
        for (std::size_t c = 0; c < matrix.columns; ++c) {
            const std::uint32_t bits = canonical_bits(row[c]);
            varies[c] |= bits != canonical_bits(first[c]);
            hashes[c] = (std::rotl(hashes[c], 23) ^ bits) * 0x9E3779B97F4A7C15;
        }
    }
    std::vector<std::size_t> kept;
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> seen;  // looked up only, never iterated
    for (std::size_t c = 0; c < matrix.columns; ++c) {
        if (!varies[c]) continue;
        auto& alike = seen[hashes[c]];
        const bool repeated = std::any_of(alike.begin(), alike.end(),
                                          [&](std::size_t other) { return equal_columns(matrix, other, c); });
        if (repeated) continue;
        alike.push_back(c);
        kept.push_back(c);
    }
    return kept;
}

std::vector<float> select_columns(MatrixView matrix, const std::vector<std::size_t>& kept) {
    std::vector<float> values;
    values.reserve(matrix.rows() * kept.size());
    for (std::size_t i = 0; i < matrix.rows(); ++i) {
        const auto row = matrix.row(i);
        for (const std::size_t c : kept) values.push_back(finite(row[c]));
    }
    return values;
}

class PreparedClassifier : public Classifier {
  public:
    explicit PreparedClassifier(std::unique_ptr<Classifier> inner) : inner_(std::move(inner)) {}

    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        if (classes.empty() || features.rows() != classes.size() ||
            features.values.size() != classes.size() * features.columns)
            throw std::invalid_argument("classifier: feature rows and classes differ in number, or are none");
        std::vector<std::size_t> support(static_cast<std::size_t>(std::max(class_count, 0)), 0);
        for (const int c : classes) {
            if (c < 0 || c >= class_count) throw std::invalid_argument("classifier: class out of range");
            ++support[static_cast<std::size_t>(c)];
        }
        present_.clear();
        std::vector<int> dense(support.size(), -1);
        for (std::size_t c = 0; c < support.size(); ++c) {
            if (support[c] == 0) continue;
            dense[c] = static_cast<int>(present_.size());
            present_.push_back(static_cast<int>(c));
        }
        majority_ = static_cast<int>(std::max_element(support.begin(), support.end()) - support.begin());
        columns_ = features.columns;
        kept_ = informative_columns(features);
        fitted_ = present_.size() > 1 && !kept_.empty();
        if (!fitted_) return;

        std::vector<int> renumbered(classes.size());
        std::transform(classes.begin(), classes.end(), renumbered.begin(),
                       [&](int c) { return dense[static_cast<std::size_t>(c)]; });
        const std::vector<float> values = select_columns(features, kept_);
        inner_->fit({values, kept_.size()}, renumbered, static_cast<int>(present_.size()), seed);
    }

    std::vector<int> predict(MatrixView features) const override {
        if (present_.empty()) throw std::invalid_argument("classifier: predict() before fit()");
        if (features.columns != columns_)
            throw std::invalid_argument("classifier: other columns than fitted");
        if (!fitted_) return std::vector<int>(features.rows(), majority_);
        if (features.rows() == 0) return {};
        const std::vector<float> values = select_columns(features, kept_);
        std::vector<int> predicted = inner_->predict({values, kept_.size()});
        for (int& c : predicted) c = present_[static_cast<std::size_t>(c)];
        return predicted;
    }

  private:
    std::unique_ptr<Classifier> inner_;
    std::vector<int> present_;  ///< dense class -> caller's class
    std::vector<std::size_t> kept_;
    std::size_t columns_ = 0;
    int majority_ = 0;
    bool fitted_ = false;
};

class StandardisedClassifier : public Classifier {
  public:
    explicit StandardisedClassifier(std::unique_ptr<Classifier> inner) : inner_(std::move(inner)) {}

    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        mean_.assign(features.columns, 0);
        scale_.assign(features.columns, 0);
        std::vector<double> count(features.columns, 0);
        for (std::size_t i = 0; i < features.rows(); ++i)
            for (std::size_t c = 0; c < features.columns; ++c) {
                const float value = features.row(i)[c];
                if (std::isnan(value)) continue;
                mean_[c] += compressed(value);
                count[c] += 1;
            }
        for (std::size_t c = 0; c < features.columns; ++c) mean_[c] /= std::max(count[c], 1.0);
        for (std::size_t i = 0; i < features.rows(); ++i)
            for (std::size_t c = 0; c < features.columns; ++c) {
                const float value = features.row(i)[c];
                if (std::isnan(value)) continue;
                const double deviation = compressed(value) - mean_[c];
                scale_[c] += deviation * deviation;
            }
        for (std::size_t c = 0; c < features.columns; ++c) {
            const double deviation = std::sqrt(scale_[c] / std::max(count[c], 1.0));
            scale_[c] = deviation > 0 ? 1 / deviation : 0;
        }
        const std::vector<float> values = transform(features);
        inner_->fit({values, features.columns}, classes, class_count, seed);
    }

    std::vector<int> predict(MatrixView features) const override {
        const std::vector<float> values = transform(features);
        return inner_->predict({values, features.columns});
    }

  private:
    static double compressed(float value) { return std::asinh(static_cast<double>(value)); }

    std::vector<float> transform(MatrixView features) const {
        std::vector<float> values(features.values.begin(), features.values.end());
        for (std::size_t k = 0; k < values.size(); ++k) {
            const std::size_t c = k % features.columns;
            values[k] = std::isnan(values[k])
                            ? 0.0F
                            : static_cast<float>((compressed(values[k]) - mean_[c]) * scale_[c]);
        }
        return values;
    }

    std::unique_ptr<Classifier> inner_;
    std::vector<double> mean_, scale_;
};

}  // namespace

std::unique_ptr<Classifier> prepared(std::unique_ptr<Classifier> inner) {
    return std::make_unique<PreparedClassifier>(std::move(inner));
}

std::unique_ptr<Classifier> standardised(std::unique_ptr<Classifier> inner) {
    return std::make_unique<StandardisedClassifier>(std::move(inner));
}

}  // namespace tracebench
