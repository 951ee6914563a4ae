#include <algorithm>
#include <numeric>

#include "generators/diffusion/model/torch_diffusion_model.h"

namespace tracebench::diffusion {
namespace {

constexpr std::int64_t rows_at_once = 4096;  // of the decoder

std::int64_t padded(std::int64_t rows, std::int64_t multiple) {
    return (rows + multiple - 1) / multiple * multiple;
}

}  // namespace

/// Samples computed side by side, padded to the longest of them.
struct TorchDiffusionModel::Group {
    std::vector<const SampleRequest*> requests;
    std::vector<SampledRows*> results;
    std::int64_t rows = 0;
    std::int64_t done_before = 0, all_rows = 0;  ///< for progress: padded rows of earlier groups and of all
};

void TorchDiffusionModel::write_rows(const torch::Tensor& state, std::int64_t rows,
                                     std::vector<std::int8_t>& ternary, std::vector<float>* gaps) const {
    const torch::Tensor latents = state.narrow(0, 0, rows) * latent_scale_ + latent_mean_;
    Weights weights;
    autoencoder_.add_averages(weights);
    const auto columns = static_cast<std::size_t>(config_.columns());
    ternary.resize(static_cast<std::size_t>(rows) * columns);
    for (std::int64_t first = 0; first < rows; first += rows_at_once) {
        const std::int64_t count = std::min(rows_at_once, rows - first);
        const torch::Tensor bits =
            latents.narrow(0, first, count).narrow(1, 0, config_.latent - 1).contiguous();
        rows_.write_rows(rows_.decode(weights, bits, operations_),
                         std::span(ternary).subspan(static_cast<std::size_t>(first) * columns,
                                                    static_cast<std::size_t>(count) * columns));
    }
    if (gaps == nullptr) return;
    const torch::Tensor last = latents.select(1, config_.latent - 1).to(torch::kCPU).contiguous();
    gaps->assign(last.data_ptr<float>(), last.data_ptr<float>() + rows);
}

SampledRows TorchDiffusionModel::reconstruct(const RowBatch& batch) {
    check(Stage::autoencoder, batch);
    return with_torch([&] {
        const torch::NoGradGuard no_gradients;
        SampledRows rows;
        write_rows((latents_of(batch) - latent_mean_) / latent_scale_, batch.samples * batch.rows,
                   rows.ternary, &rows.gaps);
        return rows;
    });
}

void TorchDiffusionModel::run(Group& group, const Weights& weights, const SamplingOptions& options) const {
    const auto samples = static_cast<std::int64_t>(group.requests.size());
    torch::Tensor inside = torch::zeros({samples, group.rows});
    torch::Tensor state = torch::zeros({samples, group.rows, config_.latent});
    torch::Tensor layout;
    std::vector<std::int32_t> classes;
    std::vector<std::int64_t> lengths;
    // A sample without a layout among others with one: what the branch adds to it counts nothing.
    torch::Tensor controlled = torch::zeros({samples, 1, 1});
    for (std::int64_t i = 0; i < samples; ++i) {
        const SampleRequest& request = *group.requests[static_cast<std::size_t>(i)];
        classes.push_back(request.class_id);
        lengths.push_back(request.rows);
        inside[i].narrow(0, 0, request.rows).fill_(1);
        state[i]
            .narrow(0, 0, request.rows)
            .copy_(normal_numbers({request.rows, config_.latent}, request.seed));
        if (request.control.empty() || options.control_strength == 0) continue;
        if (!layout.defined()) layout = torch::zeros({samples, group.rows, config_.control});
        std::copy(request.control.begin(), request.control.end(), layout[i].data_ptr<float>());
        controlled[i] = 1;
    }
    state = state.to(device_);
    const bool both = options.guidance != 0 && options.guidance != 1;
    torch::Tensor class_of =
        class_rows(options.guidance == 0 ? std::vector<std::int32_t>{} : classes, samples);
    Places where = places(config_, inside.to(device_),
                          std::vector<std::int64_t>(static_cast<std::size_t>(samples)), lengths);
    const torch::Tensor mask = where.masks.front().unsqueeze(2);
    if (both) {  // with the class, and below without
        class_of = torch::cat({class_of, class_rows({}, samples)});
        where.features = where.features.repeat({2, 1, 1});
        for (torch::Tensor& level : where.masks) level = level.repeat({2, 1});
        controlled = controlled.repeat({2, 1, 1});
        if (layout.defined()) layout = layout.repeat({2, 1, 1});
    }
    class_of = class_of.to(device_);
    if (layout.defined()) layout = layout.to(device_);
    controlled = controlled.to(device_);

    torch::Tensor before;
    const std::vector<SolverStep> plan = solver_steps(options.sampler, options.steps);
    for (std::size_t number = 0; number < plan.size(); ++number) {
        const SolverStep& step = plan[number];
        const torch::Tensor input = both ? state.repeat({2, 1, 1}) : state;
        const torch::Tensor embedding =
            network_.embed(weights, torch::full(input.size(0), step.time, state.options()), class_of);
        std::optional<Residuals> control;
        if (layout.defined()) {
            control = network_.control(weights, input, where, embedding, layout, options.control_strength);
            for (torch::Tensor& skip : control->skips) skip.mul_(controlled);
            control->middle.mul_(controlled);
        }
        torch::Tensor v = network_.forward(weights, input, where, embedding, control ? &*control : nullptr);
        if (both) {
            const torch::Tensor without = v.narrow(0, samples, samples);
            v = without + options.guidance * (v.narrow(0, 0, samples) - without);
        }
        const torch::Tensor data = (step.from.alpha * state - step.from.sigma * v) * mask;
        state = step.keep * state + step.data * data;
        if (step.previous != 0) state.add_(before, step.previous);
        before = data;
        if (std::binary_search(options.preview_steps.begin(), options.preview_steps.end(),
                               static_cast<std::int64_t>(number + 1)))
            for (std::int64_t i = 0; i < samples; ++i)
                write_rows(state[i], lengths[static_cast<std::size_t>(i)],
                           group.results[static_cast<std::size_t>(i)]->previews.emplace_back(), nullptr);
        if (options.progress)
            options.progress((static_cast<double>(group.done_before) +
                              static_cast<double>(samples * group.rows) * static_cast<double>(number + 1) /
                                  static_cast<double>(plan.size())) /
                             static_cast<double>(group.all_rows));
    }
    for (std::int64_t i = 0; i < samples; ++i) {
        SampledRows& result = *group.results[static_cast<std::size_t>(i)];
        write_rows(state[i], lengths[static_cast<std::size_t>(i)], result.ternary, &result.gaps);
    }
}

std::vector<SampledRows> TorchDiffusionModel::sample(std::span<const SampleRequest> requests,
                                                     const SamplingOptions& options) {
    check(options);
    for (const SampleRequest& request : requests) check(request);
    return with_torch([&] {
        const torch::NoGradGuard no_gradients;
        Weights weights = stage_weights(adapter_ ? Stage::adapter : Stage::denoiser, false);
        if (control_) control_->add_averages(weights);
        std::vector<SampledRows> results(requests.size());
        // Of similar length side by side, so that little is padding.
        std::vector<std::size_t> order(requests.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return requests[a].rows > requests[b].rows; });
        const std::int64_t multiple = row_multiple(config_);
        std::vector<Group> groups;
        std::int64_t all_rows = 0;
        for (const std::size_t i : order) {
            const auto count = groups.empty() ? 0 : static_cast<std::int64_t>(groups.back().requests.size());
            if (groups.empty() || (count + 1) * groups.back().rows > options.rows_at_once) {
                groups.emplace_back().rows = padded(requests[i].rows, multiple);
                groups.back().done_before = all_rows;
            }
            groups.back().requests.push_back(&requests[i]);
            groups.back().results.push_back(&results[i]);
            all_rows += groups.back().rows;
        }
        for (Group& group : groups) {
            group.all_rows = all_rows;
            run(group, weights, options);
        }
        return results;
    });
}

}  // namespace tracebench::diffusion
