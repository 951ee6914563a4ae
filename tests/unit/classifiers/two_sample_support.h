#pragma once
/// Tables and a cheap scorer for tests of the two-sample test.

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "classifiers/two_sample.h"

namespace tracebench::testing_two_sample {

/// Gaussian naive Bayes, weighted, as scikit-learn's GaussianNB(var_smoothing=0).
class NaiveBayes : public SideScorer {
  public:
    void fit(MatrixView rows, std::span<const float> second, std::span<const float> weights,
             std::uint64_t) override {
        for (const int side : {0, 1}) {
            Moments& of = sides_[side == 1];
            of.mean.assign(rows.columns, 0);
            of.variance.assign(rows.columns, 0);
            of.prior = 0;
            const auto each = [&](auto add) {
                for (std::size_t i = 0; i < rows.rows(); ++i)
                    if (second[i] == static_cast<float>(side)) add(rows.row(i), weights[i]);
            };
            each([&](std::span<const float> row, double weight) {
                of.prior += weight;
                for (std::size_t c = 0; c < row.size(); ++c) of.mean[c] += weight * row[c];
            });
            for (double& mean : of.mean) mean /= of.prior;
            each([&](std::span<const float> row, double weight) {
                for (std::size_t c = 0; c < row.size(); ++c)
                    of.variance[c] += weight * std::pow(row[c] - of.mean[c], 2) / of.prior;
            });
        }
    }
    std::vector<float> score(MatrixView rows) const override {
        std::vector<float> scores;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            const double odds =
                log_likelihood(sides_[1], rows.row(i)) - log_likelihood(sides_[0], rows.row(i));
            scores.push_back(static_cast<float>(1 / (1 + std::exp(-odds))));
        }
        return scores;
    }

  private:
    struct Moments {
        std::vector<double> mean, variance;
        double prior = 0;
    };
    static double log_likelihood(const Moments& of, std::span<const float> row) {
        double sum = std::log(of.prior);
        for (std::size_t c = 0; c < row.size(); ++c)
            sum -= (std::log(of.variance[c]) + std::pow(row[c] - of.mean[c], 2) / of.variance[c]) / 2;
        return sum;
    }
    std::array<Moments, 2> sides_;
};

inline std::unique_ptr<SideScorer> make_naive_bayes() {
    return std::make_unique<NaiveBayes>();
}

/// Sessions of `rows` rows each, of two labels in turn. Rows of a session share an effect as large as their
/// own noise, so they are far from independent; the first column is `shift` away.
inline FeatureTable clustered(Random& random, std::size_t sessions, std::size_t rows, double shift,
                              std::size_t columns = 2) {
    FeatureTable table;
    for (std::size_t c = 0; c < columns; ++c) table.columns.push_back("x" + std::to_string(c));
    for (std::size_t s = 0; s < sessions; ++s) {
        std::vector<double> effect;
        for (std::size_t c = 0; c < columns; ++c) effect.push_back(random.normal());
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t c = 0; c < columns; ++c)
                table.values.push_back(
                    static_cast<float>(effect[c] + random.normal() + (c == 0 ? shift : 0)));
            table.labels.push_back(s % 2 == 0 ? "a" : "b");
            table.sessions.push_back("session-" + std::to_string(s));
        }
    }
    return table;
}

/// Both tables' rows; sessions of the second get other names.
inline FeatureTable joined(FeatureTable first, const FeatureTable& second) {
    first.values.insert(first.values.end(), second.values.begin(), second.values.end());
    first.labels.insert(first.labels.end(), second.labels.begin(), second.labels.end());
    for (const std::string& session : second.sessions) first.sessions.push_back("other-" + session);
    return first;
}

}  // namespace tracebench::testing_two_sample
