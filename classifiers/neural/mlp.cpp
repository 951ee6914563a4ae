// Built as libtracebench_neural.so, the only part of the classifiers that links LibTorch.

#include <torch/optim/adamw.h>
#include <torch/types.h>

#include <numeric>

#include "base/random.h"
#include "classifiers/model.h"

namespace tracebench {
namespace {

constexpr std::int64_t hidden_units = 64;
constexpr std::size_t epochs = 80, batch_size = 32;
constexpr double learning_rate = 2e-3, weight_decay = 1e-2;

/// Rows of `matrix` as a tensor of its own.
torch::Tensor tensor_of(MatrixView matrix) {
    const auto rows = static_cast<std::int64_t>(matrix.rows());
    torch::Tensor tensor = torch::empty({rows, static_cast<std::int64_t>(matrix.columns)});
    std::copy(matrix.values.begin(), matrix.values.end(), tensor.data_ptr<float>());
    return tensor;
}

struct Layer {
    torch::Tensor weight, bias;

    /// Uniform within 1/sqrt(inputs), as LibTorch's Linear. Drawn here, because LibTorch's generator is
    /// shared by all threads, and several fits may run at once.
    Layer(std::int64_t inputs, std::int64_t outputs, Random& random)
        : weight(torch::empty({outputs, inputs})), bias(torch::empty({outputs})) {
        const double bound = 1 / std::sqrt(static_cast<double>(inputs));
        for (torch::Tensor* tensor : {&weight, &bias}) {
            float* values = tensor->data_ptr<float>();
            for (std::int64_t i = 0; i < tensor->numel(); ++i)
                values[i] = static_cast<float>(random.uniform(-bound, bound));
            tensor->requires_grad_();
        }
    }
    torch::Tensor operator()(const torch::Tensor& input) const { return torch::linear(input, weight, bias); }
};

/// Two hidden layers of 64 rectified units; cross-entropy, AdamW (Loshchilov and Hutter, 2019).
class Mlp : public Classifier {
  public:
    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        Random random(stream_seed(seed, "mlp"));
        layers_.clear();
        layers_.emplace_back(static_cast<std::int64_t>(features.columns), hidden_units, random);
        layers_.emplace_back(hidden_units, hidden_units, random);
        layers_.emplace_back(hidden_units, class_count, random);
        std::vector<torch::Tensor> parameters;
        for (const Layer& layer : layers_) parameters.insert(parameters.end(), {layer.weight, layer.bias});
        torch::optim::AdamW optimizer(parameters,
                                      torch::optim::AdamWOptions(learning_rate).weight_decay(weight_decay));

        const torch::Tensor inputs = tensor_of(features);
        const torch::Tensor targets =
            torch::tensor(std::vector<std::int64_t>(classes.begin(), classes.end()), torch::kLong);
        std::vector<std::int64_t> order(features.rows());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
            random.shuffle(order);
            for (std::size_t begin = 0; begin < order.size(); begin += batch_size) {
                const auto end = std::min(begin + batch_size, order.size());
                const torch::Tensor rows = torch::tensor(
                    at::ArrayRef<std::int64_t>(order.data() + begin, end - begin), torch::kLong);
                optimizer.zero_grad();
                const torch::Tensor loss = torch::cross_entropy_loss(outputs(inputs.index_select(0, rows)),
                                                                     targets.index_select(0, rows));
                loss.backward();
                optimizer.step();
            }
        }
    }

    std::vector<int> predict(MatrixView features) const override {
        const torch::NoGradGuard no_gradients;
        const torch::Tensor best = outputs(tensor_of(features)).argmax(1);
        const std::int64_t* classes = best.data_ptr<std::int64_t>();
        return {classes, classes + best.numel()};
    }

  private:
    torch::Tensor outputs(const torch::Tensor& inputs) const {
        return layers_[2](torch::relu(layers_[1](torch::relu(layers_[0](inputs)))));
    }

    std::vector<Layer> layers_;
};

}  // namespace
}  // namespace tracebench

/// What mlp.cpp of the classifiers looks for. The caller owns the result.
extern "C" tracebench::Classifier* tracebench_make_mlp() {
    return new tracebench::Mlp;
}
