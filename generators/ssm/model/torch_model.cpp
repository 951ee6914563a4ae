#include "generators/ssm/model/torch_model.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <omp.h>

#include <atomic>
#include <cmath>
#include <stdexcept>
#include <unordered_map>

#include "base/error.h"

namespace tracebench::ssm {
namespace {

constexpr const char* steps_name = "optimizer.steps";
constexpr const char* first_prefix = "optimizer.first.";
constexpr const char* second_prefix = "optimizer.second.";
constexpr const char* gradient_prefix = "gradient.";
/// A step count is stored as two floats below this, so that each is exact.
constexpr std::int64_t steps_base = 1 << 20;

}  // namespace

void use_threads(int threads) {
    // LibTorch makes its pool of threads anew whenever it is told, even if nothing changes.
    static std::atomic<int> told{0};
    if (told.exchange(threads) != threads) at::set_num_threads(threads);
    omp_set_num_threads(threads);
}

void rethrow(const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    const std::string line = text.substr(0, text.find('\n'));
    if (line.find("not enough memory") != std::string::npos ||
        line.find("out of memory") != std::string::npos)
        throw InputError("memory", line, "use shorter segments, fewer rows or a smaller model");
    throw std::runtime_error(fmt::format("LibTorch: {}", line));
}

TorchModel::TorchModel(const ModelConfig& config, const ComputeOptions& compute, std::uint64_t seed)
    : config_(config),
      compute_(compute),
      device_(compute.device),
      parameters_(config, device_, seed),
      training_rows_(config, device_),
      evaluation_rows_(config, device_) {}

void TorchModel::check(const Batch& batch) const {
    const auto tokens = static_cast<std::size_t>(batch.rows * batch.length);
    if (batch.rows < 1 || batch.length < 1 || batch.inputs.size() != tokens || batch.targets.size() != tokens)
        throw std::invalid_argument(fmt::format("a batch of {} x {} tokens with {} inputs and {} targets",
                                                batch.rows, batch.length, batch.inputs.size(),
                                                batch.targets.size()));
    if (!batch.weights.empty() && batch.weights.size() != tokens)
        throw std::invalid_argument(fmt::format("{} targets with {} weights", tokens, batch.weights.size()));
    for (const Token token : batch.inputs)
        if (token < 0 || token >= config_.vocab_size)
            throw std::invalid_argument(fmt::format("input token {} of {}", token, config_.vocab_size));
    for (const Token token : batch.targets)
        if (token >= config_.vocab_size)
            throw std::invalid_argument(fmt::format("target token {} of {}", token, config_.vocab_size));
}

std::vector<NamedTensor> TorchModel::parameters() const {
    return with_torch(compute_.threads, [&] { return parameters_.copy(); });
}

void TorchModel::set_parameters(const std::vector<NamedTensor>& tensors, const std::string& name) {
    with_torch(compute_.threads, [&] { parameters_.replace(tensors, name); });
}

Loss TorchModel::accumulate(const Batch& batch, double normaliser) {
    check(batch);
    if (!(normaliser > 0)) throw std::invalid_argument(fmt::format("loss divided by {}", normaliser));
    return with_torch(compute_.threads, [&] {
        parameters_.require_gradients();
        training_rows_.begin(batch.rows, batch.continues);
        gradients_pending_ = true;
        return run(batch, training_rows_, &normaliser);
    });
}

Loss TorchModel::evaluate(const Batch& batch) {
    check(batch);
    return with_torch(compute_.threads, [&] {
        const torch::NoGradGuard no_gradients;
        evaluation_rows_.begin(batch.rows, batch.continues);
        return run(batch, evaluation_rows_, nullptr);
    });
}

double TorchModel::optimize(const OptimizerStep& step) {
    return with_torch(compute_.threads, [&] {
        parameters_.require_gradients();
        const int threads = compute_.backend == Backend::fused ? compute_.threads : 0;
        const double norm = adamw_step(parameters_, step, steps_ + 1, threads);
        if (std::isfinite(norm)) ++steps_;
        parameters_.clear_gradients();
        gradients_pending_ = false;
        return norm;
    });
}

std::vector<NamedTensor> TorchModel::training_state() const {
    return with_torch(compute_.threads, [&] {
        std::vector<NamedTensor> tensors;
        tensors.push_back(
            {steps_name,
             {2},
             {static_cast<float>(steps_ % steps_base), static_cast<float>(steps_ / steps_base)}});
        for (const Parameter& parameter : parameters_.all()) {
            if (steps_ > 0) {
                tensors.push_back(to_named(first_prefix + parameter.name, parameter.first_moment));
                tensors.push_back(to_named(second_prefix + parameter.name, parameter.second_moment));
            }
            if (gradients_pending_)
                tensors.push_back(to_named(gradient_prefix + parameter.name, parameter.value.grad()));
        }
        training_rows_.save(tensors);
        return tensors;
    });
}

void TorchModel::set_training_state(const std::vector<NamedTensor>& tensors, const std::string& name) {
    with_torch(compute_.threads, [&] {
        constexpr const char* remedy = "resume from another checkpoint";
        std::unordered_map<std::string, const NamedTensor*> given;
        std::vector<const NamedTensor*> carried;
        for (const NamedTensor& tensor : tensors) {
            if (CarriedState::is_name(tensor.name))
                carried.push_back(&tensor);
            else if (!given.emplace(tensor.name, &tensor).second)
                throw InputError(name, fmt::format("tensor '{}' is there twice", tensor.name), remedy);
        }
        const auto take = [&](const std::string& tensor, torch::IntArrayRef shape) {
            const auto found = given.find(tensor);
            if (found == given.end())
                throw InputError(name, fmt::format("tensor '{}' is missing", tensor), remedy);
            const torch::Tensor values = from_named(*found->second, shape, name);
            given.erase(found);
            return values;
        };
        const torch::Tensor count = take(steps_name, {2});
        const float low = count[0].item<float>(), high = count[1].item<float>();
        const auto whole = [](float value) {
            return value >= 0 && value < steps_base && std::floor(value) == value;
        };
        if (!whole(low) || !whole(high))
            throw InputError(name, fmt::format("'{}' is not a number of steps", steps_name), remedy);
        const std::int64_t steps =
            static_cast<std::int64_t>(high) * steps_base + static_cast<std::int64_t>(low);
        const bool pending = given.contains(gradient_prefix + parameters_.all().front().name);

        struct Values {
            torch::Tensor first, second, gradient;
        };
        std::vector<Values> values;
        for (const Parameter& parameter : parameters_.all()) {
            Values& next = values.emplace_back();
            if (steps > 0) {
                next.first = take(first_prefix + parameter.name, parameter.value.sizes()).to(device_);
                next.second = take(second_prefix + parameter.name, parameter.value.sizes()).to(device_);
            }
            if (pending)
                next.gradient = take(gradient_prefix + parameter.name, parameter.value.sizes()).to(device_);
        }
        for (const NamedTensor& tensor : tensors)
            if (given.contains(tensor.name))
                throw InputError(name,
                                 fmt::format("tensor '{}' is not part of this training's state", tensor.name),
                                 remedy);
        training_rows_.load(carried, name);
        for (std::size_t i = 0; i < values.size(); ++i) {
            Parameter& parameter = parameters_.all()[i];
            parameter.first_moment = values[i].first;
            parameter.second_moment = values[i].second;
            parameter.value.mutable_grad() = values[i].gradient;
        }
        steps_ = steps;
        gradients_pending_ = pending;
    });
}

std::unique_ptr<StepDecoder> TorchModel::decoder(std::int64_t rows) {
    if (rows < 1) throw std::invalid_argument(fmt::format("a decoder of {} rows", rows));
    return with_torch(compute_.threads, [&] { return make_decoder(rows); });
}

}  // namespace tracebench::ssm
