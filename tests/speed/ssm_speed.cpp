// The state-space model through its loader: one measurement a process, so that peak memory is its own.
//
//     speed_ssm train    D_MODEL LAYERS fused|plain float32|bfloat16 SECONDS TOKENS
//     speed_ssm generate D_MODEL LAYERS fused|plain float32|bfloat16|float16-states SECONDS ROWS
//     speed_ssm context  D_MODEL LAYERS TOKENS SEGMENT
//     speed_ssm states   MODEL/model TOKENS        (how far float16 states lead from float32 ones)
//
// prints `name value` lines. ssm_speed.sh runs them all, beside ssm_reference.py, and makes a table.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "generators/ssm/compute_measurement.h"
#include "generators/ssm/kernels/decode_memory.h"
#include "generators/ssm/model_files.h"
#include "generators/ssm/sequence_model.h"

namespace {

using namespace tracebench;
using namespace tracebench::ssm;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t vocabulary = 512;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 1)
        throw std::invalid_argument(text + " is not a number above 0");
    return value;
}

/// VmHWM: the most memory this process ever had, in MiB.
double peak_mebibytes() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line))
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
    return 0;
}

std::vector<Token> random_tokens(std::int64_t count) {
    Random random(3);
    std::vector<Token> tokens(static_cast<std::size_t>(count));
    for (Token& token : tokens) token = static_cast<Token>(random.below(vocabulary));
    return tokens;
}

std::unique_ptr<SequenceModel> make(const std::string& d_model, const std::string& layers,
                                    const std::string& backend, const std::string& precision) {
    ModelConfig config;
    config.d_model = number(d_model);
    config.n_layer = number(layers);
    config.vocab_size = vocabulary;
    ComputeOptions compute;
    compute.backend = backend == "plain" ? Backend::plain : Backend::fused;
    compute.precision = precision == "bfloat16" ? Precision::bfloat16 : Precision::float32;
    compute.half_states = precision == "float16-states";
    return make_sequence_model(config, compute, 1);
}

double train_step(SequenceModel& model, std::span<const Token> tokens, bool continues) {
    const Clock::time_point begin = Clock::now();
    const auto length = static_cast<std::int64_t>(tokens.size()) - 1;
    const std::vector<std::uint8_t> rows{continues};
    model.accumulate({.rows = 1,
                      .length = length,
                      .inputs = tokens.first(tokens.size() - 1),
                      .targets = tokens.subspan(1),
                      .continues = rows},
                     static_cast<double>(length));
    model.optimize({});
    return seconds_since(begin);
}

/// The fastest step of those that fit into `seconds`, after one that makes memory and primitives; where that
/// one has used up the time already, it.
void train(SequenceModel& model, double seconds, std::int64_t length) {
    const std::vector<Token> tokens = random_tokens(length + 1);
    double best = train_step(model, tokens, false);
    std::int64_t steps = 1;
    if (best < seconds) {
        best = train_step(model, tokens, false);
        ++steps;
    }
    const Clock::time_point begin = Clock::now();
    for (; seconds_since(begin) + best < seconds; ++steps)
        best = std::min(best, train_step(model, tokens, false));
    fmt::print("steps {}\ntokens_per_second {:.1f}\n", steps, static_cast<double>(length) / best);
    if (model.compute().backend == Backend::plain) return;
    measure_products(true);
    const double wall = train_step(model, tokens, false);
    fmt::print("product_share {:.3f}\n", product_seconds() / (wall * model.compute().threads));
}

__attribute__((target_clones("avx512f", "avx2", "default"))) std::uint64_t sum(const std::uint64_t* values,
                                                                               std::size_t size) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < size; ++i) total += values[i];
    return total;
}

/// Reads `bytes` of memory on huge pages, as the weights are, by one thread or by all, so often that starting
/// them does not count; the fastest pass.
class MemoryReader {
  public:
    MemoryReader(std::int64_t bytes, int threads)
        : values_(static_cast<std::size_t>(bytes) / sizeof(std::uint64_t)), threads_(threads) {}

    void measure(double seconds) {
        const Clock::time_point begin = Clock::now();
        while (seconds_since(begin) < seconds)
            for (const int team : {1, threads_}) pass(static_cast<std::size_t>(team));
    }
    double bytes_per_second() const { return best_; }

  private:
    void pass(std::size_t team) {
        const double bytes = static_cast<double>(values_.size() * sizeof(std::uint64_t));
        const int repeats = std::max(1, static_cast<int>(2e8 / bytes));
        std::vector<std::uint64_t> sums(team * 8);  // a cache line each
        std::vector<std::thread> workers;
        const Clock::time_point begin = Clock::now();
        for (std::size_t i = 0; i < team; ++i)
            workers.emplace_back([&, i] {
                const std::size_t part = values_.size() / team;
                for (int repeat = 0; repeat < repeats; ++repeat) {
                    sums[i * 8] += sum(values_.data() + i * part, part);
                    asm volatile("" ::: "memory");  // each time anew
                }
            });
        for (std::thread& worker : workers) worker.join();
        best_ = std::max(best_, bytes * repeats / seconds_since(begin));
    }

    decode::AlignedArray<std::uint64_t> values_;
    int threads_;
    double best_ = 0;
};

void generate(SequenceModel& model, double seconds, std::int64_t rows) {
    const std::int64_t each = model.compute().precision == Precision::bfloat16 ? 2 : 4;
    const std::int64_t weights = model.config().parameters() * each;
    MemoryReader reader(weights, model.compute().threads);
    reader.measure(seconds / 4);
    auto decoder = model.decoder(rows);
    const std::vector<Token> tokens = random_tokens(rows);
    std::vector<float> logits(static_cast<std::size_t>(rows * vocabulary));
    for (int warm_up = 0; warm_up < 3; ++warm_up) decoder->step(tokens, logits);
    // Steps are short: the best tenth of a second is what an undisturbed machine does.
    double best = 0;
    const Clock::time_point begin = Clock::now();
    while (seconds_since(begin) < seconds) {
        const Clock::time_point slice = Clock::now();
        std::int64_t steps = 0;
        do {
            decoder->step(tokens, logits);
            ++steps;
        } while (seconds_since(slice) < 0.1);
        best = std::max(best, static_cast<double>(steps) / seconds_since(slice));
    }
    fmt::print("tokens_per_second {:.1f}\n", best * static_cast<double>(rows));
    reader.measure(seconds / 4);
    const double bandwidth = reader.bytes_per_second();
    fmt::print("weight_mebibytes {:.1f}\n", static_cast<double>(weights) / (1 << 20));
    fmt::print("bandwidth_gigabytes_per_second {:.2f}\n", bandwidth * 1e-9);
    fmt::print("bandwidth_share {:.3f}\n", best * static_cast<double>(weights) / bandwidth);
}

/// Trains on one sequence of `tokens`, in segments that carry its state.
void context(SequenceModel& model, std::int64_t tokens, std::int64_t length) {
    const std::vector<Token> sequence = random_tokens(tokens + 1);
    const Clock::time_point begin = Clock::now();
    for (std::int64_t at = 0; at < tokens; at += length)
        train_step(model,
                   std::span(sequence).subspan(static_cast<std::size_t>(at),
                                               static_cast<std::size_t>(std::min(length, tokens - at)) + 1),
                   at > 0);
    fmt::print("tokens_per_second {:.1f}\n", static_cast<double>(tokens) / seconds_since(begin));
}

Token draw(std::span<const float> logits, Random& random) {
    const float most = *std::ranges::max_element(logits);
    std::vector<double> weights;
    for (const float logit : logits) weights.push_back(std::exp(static_cast<double>(logit - most)));
    double left = random.uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
    std::size_t token = 0;
    while (token + 1 < weights.size() && (left -= weights[token]) >= 0) ++token;
    return static_cast<Token>(token);
}

/// Both are fed what the float32 one makes. Differences are shares of the largest logit of their step.
void states(const std::string& folder, std::int64_t tokens) {
    const ModelFiles files = read_model_files(folder, load_encoding);
    const auto single = make_sequence_model(files.config, {}, 1),
               half = make_sequence_model(files.config, {.half_states = true}, 1);
    for (const auto& model : {&single, &half}) (*model)->set_parameters(files.weights, folder);
    const auto exact = single->decoder(1), rounded = half->decoder(1);
    std::vector<float> expected(static_cast<std::size_t>(files.config.vocab_size)), logits(expected.size());
    Random random(5);
    Token token = files.encoding->label_token(files.encoding->labels().front());
    double largest = 0, sum = 0;
    for (std::int64_t t = 0; t < tokens; ++t) {
        exact->step(std::span(&token, 1), expected);
        rounded->step(std::span(&token, 1), logits);
        float difference = 0, scale = 0;
        for (std::size_t i = 0; i < logits.size(); ++i) {
            difference = std::max(difference, std::abs(logits[i] - expected[i]));
            scale = std::max(scale, std::abs(expected[i]));
        }
        largest = std::max(largest, static_cast<double>(difference / scale));
        sum += static_cast<double>(difference / scale);
        token = draw(expected, random);
    }
    fmt::print("largest_difference {:.2e}\nmean_difference {:.2e}\n", largest,
               sum / static_cast<double>(tokens));
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() == 7 && arguments[0] == "train")
        train(*make(arguments[1], arguments[2], arguments[3], arguments[4]),
              static_cast<double>(number(arguments[5])), number(arguments[6]));
    else if (arguments.size() == 7 && arguments[0] == "generate")
        generate(*make(arguments[1], arguments[2], arguments[3], arguments[4]),
                 static_cast<double>(number(arguments[5])), number(arguments[6]));
    else if (arguments.size() == 5 && arguments[0] == "context")
        context(*make(arguments[1], arguments[2], "fused", "float32"), number(arguments[3]),
                number(arguments[4]));
    else if (arguments.size() == 3 && arguments[0] == "states")
        states(arguments[1], number(arguments[2]));
    else
        throw std::invalid_argument("see the beginning of ssm_speed.cpp for what to give");
    fmt::print("peak_mebibytes {:.0f}\n", peak_mebibytes());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 2;
    }
}
