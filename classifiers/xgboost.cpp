#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base/random.h"
#include "classifiers/models.h"

namespace tracebench {
namespace {

constexpr int boosting_rounds = 40;
constexpr int threads = 1;  // fits run side by side as tasks; one thread also fixes the order of sums

void check(int status) {
    if (status != 0) throw std::runtime_error(fmt::format("XGBoost: {}", XGBGetLastError()));
}

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

  private:
    DMatrixHandle handle_ = nullptr;
};

class Booster {
  public:
    Booster() = default;
    explicit Booster(const Matrix& training) {
        DMatrixHandle matrices[] = {training.get()};
        check(XGBoosterCreate(matrices, 1, &handle_));
    }
    ~Booster() {
        if (handle_ != nullptr) XGBoosterFree(handle_);
    }
    Booster(Booster&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Booster& operator=(Booster&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    BoosterHandle get() const { return handle_; }

  private:
    BoosterHandle handle_ = nullptr;
};

class XgboostClassifier : public Classifier {
  public:
    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        class_count_ = static_cast<std::size_t>(class_count);
        const Matrix training(features);
        const std::vector<float> labels(classes.begin(), classes.end());
        check(XGDMatrixSetFloatInfo(training.get(), "label", labels.data(), labels.size()));

        // A column sample much below 30 would keep columns that matter together apart.
        const double column_share = std::clamp(30.0 / static_cast<double>(features.columns), 0.3, 1.0);
        // For tens to hundreds of samples: shallow trees, a third of the columns a tree, and leaves as small
        // as a class's few samples make them (min_child_weight is a sum of p(1-p), not a count).
        const std::pair<const char*, std::string> parameters[] = {
            {"booster", "gbtree"},
            {"tree_method", "hist"},
            {"objective", "multi:softprob"},
            {"num_class", std::to_string(class_count)},
            {"max_depth", "4"},
            {"eta", "0.3"},
            {"min_child_weight", "0.3"},
            {"subsample", "0.8"},
            {"colsample_bytree", std::to_string(column_share)},
            {"max_bin", "32"},
            {"nthread", std::to_string(threads)},
            {"seed", std::to_string(stream_seed(seed, "xgboost") & 0x7FFFFFFF)},
            {"verbosity", "0"},
        };
        Booster booster(training);
        for (const auto& [name, value] : parameters)
            check(XGBoosterSetParam(booster.get(), name, value.c_str()));
        for (int round = 0; round < boosting_rounds; ++round)
            check(XGBoosterUpdateOneIter(booster.get(), round, training.get()));
        booster_ = std::move(booster);
    }

    std::vector<int> predict(MatrixView features) const override {
        const Matrix matrix(features);
        bst_ulong length = 0;
        const float* probabilities = nullptr;
        check(XGBoosterPredict(booster_.get(), matrix.get(), 0, 0, 0, &length, &probabilities));
        if (length != features.rows() * class_count_)
            throw std::runtime_error("XGBoost: unexpected number of predictions");
        std::vector<int> predicted(features.rows());
        for (std::size_t i = 0; i < predicted.size(); ++i) {
            const float* row = probabilities + i * class_count_;
            predicted[i] = static_cast<int>(std::max_element(row, row + class_count_) - row);
        }
        return predicted;
    }

  private:
    std::size_t class_count_ = 0;
    Booster booster_;
};

}  // namespace

std::unique_ptr<Classifier> make_xgboost() {
    return std::make_unique<XgboostClassifier>();
}

}  // namespace tracebench
