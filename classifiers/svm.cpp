#include <libsvm/svm.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "classifiers/models.h"

namespace tracebench {
namespace {

/// LIBSVM's input: (index from 1, value) of what is not zero, ended by index -1.
std::vector<svm_node> sparse_row(std::span<const float> row) {
    std::vector<svm_node> nodes;
    nodes.reserve(row.size() + 1);
    for (std::size_t c = 0; c < row.size(); ++c)
        if (row[c] != 0) nodes.push_back({static_cast<int>(c) + 1, row[c]});
    nodes.push_back({-1, 0});
    return nodes;
}

/// 1 / (columns * variance of all values): scikit-learn's gamma='scale'.
double kernel_width(MatrixView features) {
    const auto count = static_cast<double>(features.values.size());
    double sum = 0, squares = 0;
    for (const float value : features.values) {
        sum += value;
        squares += static_cast<double>(value) * value;
    }
    const double variance = squares / count - (sum / count) * (sum / count);
    return 1 / (static_cast<double>(features.columns) * (variance > 0 ? variance : 1));
}

struct FreeModel {
    void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};

class SvmClassifier : public Classifier {
  public:
    void fit(MatrixView features, std::span<const int> classes, int, std::uint64_t) override {
        // By class: LIBSVM settles ties between classes by the order in which it meets them.
        std::vector<std::size_t> order(features.rows());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return classes[a] < classes[b]; });
        rows_.clear();
        std::vector<double> targets;
        for (const std::size_t i : order) {
            rows_.push_back(sparse_row(features.row(i)));
            targets.push_back(classes[i]);
        }
        std::vector<svm_node*> pointers;
        for (auto& row : rows_) pointers.push_back(row.data());
        const svm_problem problem{static_cast<int>(rows_.size()), targets.data(), pointers.data()};

        svm_parameter parameter{};
        parameter.svm_type = C_SVC;
        parameter.kernel_type = RBF;
        parameter.gamma = kernel_width(features);
        parameter.C = 10;
        parameter.cache_size = 200;
        parameter.eps = 1e-3;
        parameter.shrinking = 1;
        if (const char* problem_text = svm_check_parameter(&problem, &parameter))
            throw std::runtime_error(std::string("LIBSVM: ") + problem_text);
        svm_set_print_string_function([](const char*) {});
        model_.reset(svm_train(&problem, &parameter));
    }

    std::vector<int> predict(MatrixView features) const override {
        std::vector<int> predicted;
        predicted.reserve(features.rows());
        for (std::size_t i = 0; i < features.rows(); ++i)
            predicted.push_back(
                static_cast<int>(svm_predict(model_.get(), sparse_row(features.row(i)).data())));
        return predicted;
    }

  private:
    std::vector<std::vector<svm_node>> rows_;  ///< the model's support vectors point into these
    std::unique_ptr<svm_model, FreeModel> model_;
};

}  // namespace

std::unique_ptr<Classifier> make_svm() {
    return std::make_unique<SvmClassifier>();
}

}  // namespace tracebench
