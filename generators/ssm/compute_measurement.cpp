#include "generators/ssm/compute_measurement.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/random.h"
#include "base/shared_library.h"
#include "generators/ssm/model_library.h"

namespace tracebench::ssm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t tokens = 1024;

ModelConfig trial_config() {
    ModelConfig config;
    config.d_model = 256;
    config.n_layer = 1;
    config.vocab_size = 512;
    return config;
}

class Trial {
  public:
    explicit Trial(const ComputeOptions& compute) : model_(make_sequence_model(trial_config(), compute, 1)) {
        Random random(2);
        tokens_.resize(tokens);
        for (Token& token : tokens_) token = static_cast<Token>(random.below(512));
        step();  // memory and primitives are made in the first
    }
    void time() {
        const Clock::time_point begin = Clock::now();
        step();
        best_ = std::min(best_, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    ComputeTrial result() const { return {model_->compute(), static_cast<double>(tokens) / best_}; }

  private:
    void step() {
        model_->accumulate(
            {.rows = 1, .length = tokens, .inputs = tokens_, .targets = tokens_, .continues = {}},
            static_cast<double>(tokens));
        model_->optimize({});
    }

    std::unique_ptr<SequenceModel> model_;
    std::vector<Token> tokens_;
    double best_ = std::numeric_limits<double>::infinity();
};

template <typename Function>
Function* symbol(const char* name) {
    return reinterpret_cast<Function*>(load_program_symbol(model_library, name));
}

}  // namespace

ComputeMeasurement measure_compute(double seconds) {
    const Clock::time_point begin = Clock::now();
    ComputeMeasurement measurement;
    measurement.bfloat16_products = bfloat16_products();
    measurement.defaults = make_sequence_model(trial_config(), {}, 1)->compute();
    std::vector<ComputeOptions> candidates;
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        if (precision == Precision::bfloat16 && !measurement.bfloat16_products) continue;
        for (const std::int64_t chunk : {32, 64, 128, 256})
            candidates.push_back({.precision = precision, .chunk = chunk});
        if (measurement.defaults.threads > 1)
            candidates.push_back({.precision = precision, .threads = 1, .chunk = measurement.defaults.chunk});
    }
    std::vector<Trial> trials(candidates.begin(), candidates.end());
    do {
        for (Trial& trial : trials) trial.time();
    } while (std::chrono::duration<double>(Clock::now() - begin).count() < seconds / 2);
    for (const Trial& trial : trials) measurement.trials.push_back(trial.result());
    std::ranges::sort(measurement.trials, std::greater{}, &ComputeTrial::tokens_per_second);
    return measurement;
}

void measure_products(bool on) {
    static auto* const function = symbol<void(bool)>("tracebench_measure_products");
    function(on);
}

double product_seconds() {
    static auto* const function = symbol<double()>("tracebench_product_seconds");
    return function();
}

bool bfloat16_products() {
    static auto* const function = symbol<bool()>("tracebench_bfloat16_products");
    return function();
}

}  // namespace tracebench::ssm
