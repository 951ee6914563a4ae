// The recurrent step of Mamba-2 models for one and many sequences, beside a plain threaded read of as many
// bytes as the step reads weights. Threads: TRACEBENCH_SPEED_THREADS, else every processor.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "generators/ssm/kernels/decode.h"

namespace {

using namespace tracebench::ssm;
using Clock = std::chrono::steady_clock;

int threads() {
    const char* const named = std::getenv("TRACEBENCH_SPEED_THREADS");
    return named ? std::max(std::atoi(named), 1) : omp_get_num_procs();
}

/// Median seconds: on a machine with other work the mean tells of that.
class Times {
  public:
    template <typename Work>
    void add(const Work& work) {
        const Clock::time_point start = Clock::now();
        work();
        seconds_.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    double shortest() const { return *std::ranges::min_element(seconds_); }
    double median() {
        const auto middle = seconds_.begin() + static_cast<std::ptrdiff_t>(seconds_.size() / 2);
        std::nth_element(seconds_.begin(), middle, seconds_.end());
        return *middle;
    }

  private:
    std::vector<double> seconds_;
};

/// Random weights of a plausible size; the speed does not depend on them as long as nothing overflows.
class RandomModel {
  public:
    explicit RandomModel(const ModelConfig& config) : config_(config) {
        final_norm_.assign(static_cast<std::size_t>(config.d_model), 1.f);
        embedding_ = values(config.padded_vocabulary() * config.d_model, 1.f);
        in_proj_ = values(config.projection() * config.d_model, 0.05f);
        out_proj_ = values(config.d_model * config.d_inner(), 0.05f);
        conv_ = values(config.conv_channels() * config.d_conv, 0.5f);
        ones_.assign(static_cast<std::size_t>(config.d_inner() + config.conv_channels()), 1.f);
        dt_bias_.assign(static_cast<std::size_t>(config.heads()), -4.f);
    }
    /// Every layer has the same values, in memory of its own.
    std::unique_ptr<DecodeKernel> kernel(const DecodeKernelOptions& options, std::int64_t rows) const {
        const BlockArrays<const float> block{.norm = ones_.data(),
                                             .in_proj = in_proj_.data(),
                                             .conv_weight = conv_.data(),
                                             .conv_bias = conv_.data(),
                                             .dt_bias = dt_bias_.data(),
                                             .a_log = ones_.data(),
                                             .d = ones_.data(),
                                             .gate_norm = ones_.data(),
                                             .out_proj = out_proj_.data()};
        const std::vector<BlockArrays<const float>> blocks(static_cast<std::size_t>(config_.n_layer), block);
        return std::make_unique<DecodeKernel>(config_, options, embedding_.data(), blocks, final_norm_.data(),
                                              rows);
    }

  private:
    std::vector<float> values(std::int64_t size, float scale) {
        std::vector<float> result(static_cast<std::size_t>(size));
        for (float& value : result) {
            seed_ = seed_ * 6364136223846793005u + 1442695040888963407u;
            value = scale * (static_cast<float>(seed_ >> 40) * 0x1p-23f - 1);
        }
        return result;
    }

    ModelConfig config_;
    std::uint64_t seed_ = 1;
    std::vector<float> embedding_, final_norm_, in_proj_, out_proj_, conv_, ones_, dt_bias_;
};

std::uint64_t read_all(const std::vector<std::uint64_t>& buffer, int team) {
    std::uint64_t sum = 0;
    const auto size = static_cast<std::ptrdiff_t>(buffer.size());
    const std::uint64_t* const values = buffer.data();
#pragma omp parallel for simd num_threads(team) reduction(+ : sum) schedule(static)
    for (std::ptrdiff_t i = 0; i < size; ++i) sum += values[i];
    return sum;
}

struct Result {
    std::string name;
    double step = 0, tokens = 0;     ///< seconds; tokens a second
    double weights = 0, memory = 0;  ///< bytes a second: weights of steps; the plain read
};
std::vector<Result> results;

void decode(benchmark::State& state, const std::string& name, const ModelConfig& config,
            const DecodeKernelOptions& options, std::int64_t rows) {
    const std::unique_ptr<DecodeKernel> kernel = RandomModel(config).kernel(options, rows);
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(rows));
    std::vector<float> logits(static_cast<std::size_t>(rows * config.vocab_size));
    const std::vector<std::uint64_t> buffer(static_cast<std::size_t>(kernel->weight_bytes()) / 8, 1);
    Times steps, reads;
    std::int32_t next = 0;
    const auto step = [&] {
        for (std::int32_t& token : tokens) token = next++ % static_cast<std::int32_t>(config.vocab_size);
        kernel->step(tokens, logits);
    };
    for (int warm = 0; warm < 20; ++warm) step();
    // The fastest of several, by one thread and by all: what the memory can do, whatever else the machine
    // does.
    const auto read = [&] {
        for (int i = 0; i < 10; ++i)
            for (const int team : {1, threads()})
                reads.add([&] { benchmark::DoNotOptimize(read_all(buffer, team)); });
    };
    read();
    for (auto _ : state) steps.add(step);
    read();
    const auto bytes = static_cast<double>(kernel->weight_bytes());
    Result result{name, steps.median(), 0, bytes / steps.median(), bytes / reads.shortest()};
    result.tokens = static_cast<double>(rows) / result.step;
    state.counters["median_us"] = result.step * 1e6;
    state.counters["tokens/s"] = result.tokens;
    // The library may call this more than once to find how many steps to take; the last call counts.
    if (!results.empty() && results.back().name == name) results.pop_back();
    results.push_back(result);
}

void print_table() {
    fmt::print("\n{:<28} {:>12} {:>12} {:>14} {:>12} {:>8}\n", "median step", "us", "tokens/s",
               "weights GB/s", "read GB/s", "share");
    for (const Result& r : results)
        fmt::print("{:<28} {:>12.1f} {:>12.0f} {:>14.1f} {:>12.1f} {:>7.0f}%\n", r.name, r.step * 1e6,
                   r.tokens, r.weights / 1e9, r.memory / 1e9, 100 * r.weights / r.memory);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    for (const auto& [d_model, layers] : {std::pair{128, 4}, {256, 8}, {768, 24}}) {
        ModelConfig config;
        config.d_model = d_model;
        config.n_layer = layers;
        config.vocab_size = 261;
        for (const auto& [precision, options] :
             {std::pair{"f32", DecodeKernelOptions{.threads = threads()}},
              {"f32 f16-states", {.half_states = true, .threads = threads()}},
              {"bf16", {.bfloat16 = true, .threads = threads()}}}) {
            for (const int rows : {1, 8, 32}) {
                const std::string name =
                    fmt::format("d={} L={} {} rows={}", d_model, layers, precision, rows);
                benchmark::RegisterBenchmark(name.c_str(), decode, name, config, options, rows)
                    ->Unit(benchmark::kMicrosecond)
                    ->UseRealTime();
            }
        }
    }
    benchmark::RunSpecifiedBenchmarks();
    print_table();
    return 0;
}
