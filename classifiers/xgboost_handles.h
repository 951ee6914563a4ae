#pragma once
/// XGBoost's C handles as objects that free themselves and throw. Private to this module.

#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "classifiers/model.h"

namespace tracebench::xgboost {

inline constexpr int threads = 1;  // fits run side by side as tasks; one thread also fixes the order of sums

/// Throws std::runtime_error with XGBoost's message where a call failed.
inline void check(int status) {
    if (status != 0) throw std::runtime_error(fmt::format("XGBoost: {}", XGBGetLastError()));
}

/// A copy of rows; NaN is a missing value.
class Matrix {
  public:
    explicit Matrix(MatrixView view) {
        check(XGDMatrixCreateFromMat_omp(view.values.data(), view.rows(), view.columns,
                                         std::numeric_limits<float>::quiet_NaN(), &handle_, threads));
    }
    ~Matrix() { XGDMatrixFree(handle_); }
    Matrix(const Matrix&) = delete;
    Matrix& operator=(const Matrix&) = delete;
    DMatrixHandle get() const { return handle_; }
    /// "label" or "weight", one a row.
    void set(const char* what, std::span<const float> values) const {
        check(XGDMatrixSetFloatInfo(handle_, what, values.data(), values.size()));
    }

  private:
    DMatrixHandle handle_ = nullptr;
};

using Parameters = std::vector<std::pair<const char*, std::string>>;

/// What every fit here has in common: histogram trees on samples of rows and columns, `more` besides.
inline Parameters tree_parameters(std::size_t columns, std::uint64_t seed, const Parameters& more) {
    // A column sample much below 30 would keep columns that matter together apart.
    const double column_share = std::clamp(30.0 / static_cast<double>(columns), 0.3, 1.0);
    Parameters all = {{"booster", "gbtree"},
                      {"tree_method", "hist"},
                      {"eta", "0.3"},
                      {"subsample", "0.8"},
                      {"colsample_bytree", std::to_string(column_share)},
                      {"max_bin", "32"},
                      {"nthread", std::to_string(threads)},
                      {"seed", std::to_string(stream_seed(seed, "xgboost") & 0x7FFFFFFF)},
                      {"verbosity", "0"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

class Booster {
  public:
    Booster() = default;
    Booster(const Matrix& training, const Parameters& parameters, int rounds) {
        DMatrixHandle matrices[] = {training.get()};
        check(XGBoosterCreate(matrices, 1, &handle_));
        for (const auto& [name, value] : parameters) check(XGBoosterSetParam(handle_, name, value.c_str()));
        for (int round = 0; round < rounds; ++round)
            check(XGBoosterUpdateOneIter(handle_, round, training.get()));
    }
    ~Booster() {
        if (handle_ != nullptr) XGBoosterFree(handle_);
    }
    Booster(Booster&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Booster& operator=(Booster&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }

    /// `values_a_row` numbers a row.
    std::vector<float> predict(MatrixView rows, std::size_t values_a_row) const {
        const Matrix matrix(rows);
        bst_ulong length = 0;
        const float* values = nullptr;
        check(XGBoosterPredict(handle_, matrix.get(), 0, 0, 0, &length, &values));
        if (length != rows.rows() * values_a_row)
            throw std::runtime_error("XGBoost: unexpected number of predictions");
        return {values, values + length};
    }

  private:
    BoosterHandle handle_ = nullptr;
};

}  // namespace tracebench::xgboost
