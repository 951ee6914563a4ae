// The diffusion model through its loader: training rows and sampling packets a second, beside the same
// network in LibTorch's operations as anybody would write them (float32, channels first, one sample at a
// time).
//
//     speed_diffusion [CHANNELS [THREADS [REPEATS]]]        64, all processors, 5
//
// prints the fastest of the repeats, and where the time goes.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/shared_library.h"
#include "generators/diffusion/diffusion_model.h"

namespace {

using namespace tracebench;
using namespace tracebench::diffusion;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t samples = 8, rows = 256, columns = 1096, learned = 640, longest = 1024, steps = 20;

ModelConfig config_of(std::int64_t channels) {
    ModelConfig config;
    config.classes = 6;
    config.fixed.assign(columns, -1);
    std::fill_n(config.fixed.begin(), learned, kVaries);
    config.channels = channels;
    return config;
}

struct Rows {
    std::vector<std::int8_t> ternary;
    std::vector<float> gaps;
    std::vector<std::int32_t> classes;
    RowBatch batch;

    Rows() : gaps(samples * rows, 0.1f), classes(samples, 1) {
        Random random(1);
        for (std::int64_t i = 0; i < samples * rows * columns; ++i)
            ternary.push_back(static_cast<std::int8_t>(static_cast<int>(random.below(3)) - 1));
        batch.samples = samples;
        batch.rows = rows;
        batch.ternary = ternary;
        batch.gaps = gaps;
        batch.classes = classes;
    }
    /// For the autoencoder.
    RowBatch first(std::int64_t count) const {
        RowBatch some;
        some.samples = 1;
        some.rows = count;
        some.ternary = std::span(ternary).first(static_cast<std::size_t>(count * columns));
        some.gaps = std::span(gaps).first(static_cast<std::size_t>(count));
        return some;
    }
};

template <typename Work>
double fastest(int repeats, Work&& work) {
    work();  // makes memory and primitives
    double best = 1e30;
    for (int i = 0; i < repeats; ++i) {
        const auto begin = Clock::now();
        work();
        best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return best;
}

void measure(const std::string& name, DiffusionModel& model, const Rows& data, bool batched, int repeats) {
    const double rows_of_batch = samples * rows, rows_of_samples = samples * longest;
    const RowBatch few = data.first(128);
    const double autoencoder = fastest(repeats, [&] { model.train_step(Stage::autoencoder, few, {}, 1); });
    std::vector<float> latents;
    const double encoding = fastest(repeats, [&] { latents = model.encode(data.batch); });
    RowBatch encoded = data.batch;
    encoded.latents = latents;
    const double forward = fastest(repeats, [&] { model.evaluate(Stage::denoiser, encoded, 1); });
    const double training = fastest(repeats, [&] { model.train_step(Stage::denoiser, encoded, {}, 1); });
    const std::vector<SampleRequest> requests(samples, {0, longest, 1, {}});
    const auto sample = [&](std::int64_t count) {
        SamplingOptions options;
        options.steps = count;
        if (!batched) options.rows_at_once = 1;
        return fastest(1, [&] { model.sample(requests, options); });
    };
    const double one = sample(1), sampling = sample(steps);
    const double a_step = (sampling - one) / (steps - 1);
    fmt::print("{:<18}{:>12.0f}{:>12.0f}{:>14.0f}   ", name, 128 / autoencoder, rows_of_batch / training,
               rows_of_samples / sampling);
    fmt::print(
        "encode {:.1f}, forward {:.1f}, backward and update {:.1f}; denoise {:.1f} x {}, decode {:.1f}\n",
        1e6 * encoding / rows_of_batch, 1e6 * forward / rows_of_batch,
        1e6 * (training - forward) / rows_of_batch, 1e6 * a_step / rows_of_samples, steps,
        1e6 * std::max(0.0, one - a_step) / rows_of_samples);
}

}  // namespace

int main(int count, char** arguments) {
    const auto argument = [&](int i, int fallback) { return i < count ? std::stoi(arguments[i]) : fallback; };
    const ModelConfig config = config_of(argument(1, 64));
    ComputeOptions compute;
    compute.threads = argument(2, 0);
    const int repeats = argument(3, 5);
    const Rows data;
    using Factory = DiffusionModel*(const ModelConfig*, const ComputeOptions*, std::uint64_t);
    auto* const plain_factory = reinterpret_cast<Factory*>(
        load_program_symbol("libtracebench_diffusion.so", "tracebench_make_plain_diffusion_model"));
    fmt::print("{} parameters\n{:<18}{:>12}{:>12}{:>14}   microseconds a row\n", config.parameters(),
               "rows/s", "autoencoder", "denoiser", fmt::format("{} steps", steps));
    const std::unique_ptr<DiffusionModel> plain(plain_factory(&config, &compute, 1));
    measure("plain", *plain, data, false, repeats);
    measure("plain, batched", *plain, data, true, repeats);
    measure("ours", *make_diffusion_model(config, compute, 1), data, true, repeats);
    compute.precision = Precision::bfloat16;
    measure("ours, bfloat16", *make_diffusion_model(config, compute, 1), data, true, repeats);
}
