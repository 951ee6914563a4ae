#include "generators/ssm/training/trainer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "generators/training/validation_split.h"

namespace tracebench::ssm {
namespace {

constexpr std::int64_t max_skipped_in_row = 20;
constexpr double fewest_evaluations = 5;
constexpr double evaluations = 30;            // in a training, if they are cheap
constexpr std::int64_t evaluation_share = 3;  // trained tokens for one of validation
constexpr double evaluation_time_share = 9;   // the same in seconds
constexpr double checkpoint_time_share = 20;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::int64_t sum(const std::vector<std::int64_t>& numbers) {
    std::int64_t total = 0;
    for (const std::int64_t number : numbers) total += number;
    return total;
}

}  // namespace

Trainer::Trainer(SequenceModel& model, const std::vector<TrainingSample>& samples,
                 const TrainingOptions& options, std::uint64_t seed, std::string_view identity)
    : model_(model), options_(options), seed_(seed), buffers_(options.weights) {
    std::vector<std::string> labels;
    TrainingRecord& record = state_.record;
    for (const TrainingSample& sample : samples) {
        labels.push_back(sample.label);
        record.packets += sample.packets;
        record.sample_tokens += static_cast<std::int64_t>(sample.tokens.size());
        record.longest_sample =
            std::max(record.longest_sample, static_cast<std::int64_t>(sample.tokens.size()));
    }
    const auto used = [&](std::size_t i) {
        const std::span<const Token> tokens = samples[i].tokens;
        return options_.context > 0
                   ? tokens.first(std::min(tokens.size(), static_cast<std::size_t>(options_.context)))
                   : tokens;
    };
    const ValidationSplit split = split_validation(labels, options_.validation, stream_seed(seed, "ssm"));
    for (const std::size_t i : split.train) {
        train_.push_back(used(i));
        train_lengths_.push_back(
            std::max<std::int64_t>(0, static_cast<std::int64_t>(train_.back().size()) - 1));
    }
    for (const std::size_t i : split.validation) {
        validation_.push_back(used(i));
        if (samples[i].tokens.empty()) continue;
        validation_packets_ += static_cast<double>(samples[i].packets) *
                               static_cast<double>(validation_.back().size()) /
                               static_cast<double>(samples[i].tokens.size());
    }
    record.samples = static_cast<std::int64_t>(train_.size());
    record.validation_samples = static_cast<std::int64_t>(validation_.size());
    noise_.emplace(options_.noise, options_.kinds, train_);
    tokens_per_epoch_ = sum(train_lengths_);
    if (tokens_per_epoch_ == 0)
        throw InputError("generator 'ssm'",
                         "has nothing to learn from: no sample holds a packet that it can encode",
                         "give it captures of TCP or UDP over IP");
    prepare_validation();
    fingerprint_ = fingerprint(identity);
}

void Trainer::prepare_validation() {
    std::vector<std::int64_t> lengths;
    for (const auto& tokens : validation_)
        lengths.push_back(std::max<std::int64_t>(0, static_cast<std::int64_t>(tokens.size()) - 1));
    validation_plan_ = plan_batches(lengths, options_.batches, stream_seed(seed_, "ssm/validation"));

    std::int64_t planned = std::numeric_limits<std::int64_t>::max();
    if (options_.epochs > 0 && options_.epochs < planned / tokens_per_epoch_)
        planned = options_.epochs * tokens_per_epoch_;
    if (options_.steps > 0) {
        const std::int64_t calls =
            static_cast<std::int64_t>(plan_batches(train_lengths_, options_.batches, seed_).size());
        const double per_step =
            static_cast<double>(tokens_per_epoch_) /
            std::ceil(static_cast<double>(calls) / static_cast<double>(options_.accumulate));
        const double of_steps = per_step * static_cast<double>(options_.steps);
        if (of_steps < static_cast<double>(planned)) planned = static_cast<std::int64_t>(of_steps);
    }
    const auto part = [&](double parts) {
        return static_cast<std::int64_t>(static_cast<double>(planned) / parts);
    };
    const std::int64_t often = std::min(part(evaluations), tokens_per_epoch_);
    const std::int64_t affordable = std::min(evaluation_share * sum(lengths), part(fewest_evaluations));
    evaluation_interval_ = std::max<std::int64_t>({1, often, affordable});
}

std::string Trainer::fingerprint(std::string_view identity) const {
    // The limit in seconds is left out: who gives more time goes on with what is there.
    const OptimizerStep& o = options_.optimizer;
    const LearningRateSchedule& s = options_.schedule;
    std::string text = fmt::format(
        "{}\n{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n", identity, seed_, s.peak, s.warmup,
        s.floor, o.beta1, o.beta2, o.epsilon, o.weight_decay, o.clip_norm, options_.batches.batch_tokens,
        options_.batches.segment, options_.accumulate, options_.context, options_.epochs, options_.steps,
        options_.validation, options_.patience, train_.size());
    text += fmt::format("{}\n{} {}\n", fmt::join(options_.weights, " "), options_.noise,
                        fmt::join(options_.kinds, " "));
    for (const auto* set : {&train_, &validation_})
        for (const std::span<const Token> tokens : *set)
            text +=
                sha256(std::string_view(reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()));
    return sha256(text);
}

double Trainer::elapsed() const {
    return elapsed_before_ + seconds_since(start_);
}

double Trainer::progress_after(std::int64_t tokens, std::int64_t steps) const {
    double done = 0;
    if (options_.steps > 0) done = static_cast<double>(steps) / static_cast<double>(options_.steps);
    if (options_.epochs > 0)
        done = std::max(done, static_cast<double>(tokens) / (static_cast<double>(options_.epochs) *
                                                             static_cast<double>(tokens_per_epoch_)));
    if (options_.seconds > 0) done = std::max(done, elapsed() / options_.seconds);
    return std::min(done, 1.0);
}

bool Trainer::finished() {
    std::string& stopped = state_.record.stopped;
    if (options_.steps > 0 && state_.record.steps >= options_.steps) stopped = "steps";
    if (options_.epochs > 0 && state_.epoch >= options_.epochs) stopped = "epochs";
    if (options_.patience > 0 && state_.without_improvement >= options_.patience) stopped = "patience";
    // One step at least, and time left for the last evaluation.
    if (options_.seconds > 0 && state_.record.steps > 0 &&
        elapsed() + state_.evaluation_cost_s >= options_.seconds)
        stopped = "seconds";
    return !stopped.empty();
}

bool Trainer::evaluation_due() const {
    if (state_.record.tokens - state_.evaluated_tokens >= evaluation_interval_) return true;
    if (options_.seconds == 0 || state_.record.tokens == state_.evaluated_tokens) return false;
    return elapsed() - state_.evaluated_seconds >=
           std::max(options_.seconds / evaluations, evaluation_time_share * state_.evaluation_cost_s);
}

void Trainer::evaluate(Progress& progress) {
    const auto begin = Clock::now();
    TrainingRecord& record = state_.record;
    CurvePoint point;
    point.tokens = record.tokens;
    point.steps = record.steps;
    point.seconds = elapsed();
    if (state_.recent_targets > 0) {
        point.train_loss = state_.recent_nats / static_cast<double>(state_.recent_targets);
    } else if (!record.curve.empty()) {
        point.train_loss = record.curve.back().train_loss;
    }
    if (!validation_plan_.empty()) {
        Loss loss;
        for (const SegmentBatch& call : validation_plan_) {
            progress.check_interrupted();
            const Loss part = model_.evaluate(buffers_.fill(call, validation_));
            loss.nats += part.nats;
            loss.targets += part.targets;
        }
        const double nats = loss.nats / static_cast<double>(std::max<std::int64_t>(1, loss.targets));
        if (std::isfinite(nats)) {
            point.validation_loss = nats;
            if (validation_packets_ > 0)
                point.bits_per_packet = loss.nats / std::numbers::ln2 / validation_packets_;
        }
        if (std::isfinite(nats) && (!record.best_validation || nats < *record.best_validation)) {
            record.best_validation = nats;
            best_ = model_.parameters();
            state_.without_improvement = 0;
        } else {
            ++state_.without_improvement;
        }
    }
    record.curve.push_back(point);
    state_.recent_targets = 0;
    state_.recent_nats = 0;
    state_.evaluated_tokens = record.tokens;
    state_.evaluated_seconds = elapsed();
    state_.evaluation_cost_s = seconds_since(begin);
}

void Trainer::step(Progress& progress) {
    if (planned_epoch_ != state_.epoch) {
        plan_ = plan_batches(train_lengths_, options_.batches,
                             stream_seed(seed_, fmt::format("ssm/epoch/{}", state_.epoch)));
        planned_epoch_ = state_.epoch;
    }
    const std::int64_t calls = static_cast<std::int64_t>(plan_.size());
    if (state_.next_call >= calls)
        throw InputError("checkpoint", "is damaged: it goes on after the epoch's end",
                         "remove its folder to begin anew");
    const std::int64_t end = std::min(calls, state_.next_call + options_.accumulate);
    std::int64_t tokens = 0, targets = 0;
    for (std::int64_t i = state_.next_call; i < end; ++i) {
        tokens += plan_[static_cast<std::size_t>(i)].tokens();
        targets += buffers_.targets(plan_[static_cast<std::size_t>(i)], train_);
    }
    const double normaliser = static_cast<double>(std::max<std::int64_t>(1, targets));

    TrainingRecord& record = state_.record;
    Loss loss;
    for (; state_.next_call < end; ++state_.next_call) {
        const SegmentBatch& call = plan_[static_cast<std::size_t>(state_.next_call)];
        Random random(stream_seed(seed_, fmt::format("ssm/noise/{}/{}", state_.epoch, state_.next_call)));
        const Loss part = model_.accumulate(buffers_.fill(call, train_, *noise_, random), normaliser);
        loss.nats += part.nats;
        loss.targets += part.targets;
    }
    OptimizerStep update = options_.optimizer;
    update.learning_rate = options_.schedule.at(progress_after(record.tokens + tokens, record.steps + 1));
    const double norm = model_.optimize(update);
    record.tokens += tokens;
    ++record.steps;
    if (state_.next_call == calls) {
        ++state_.epoch;
        state_.next_call = 0;
    }
    record.epochs = static_cast<double>(record.tokens) / static_cast<double>(tokens_per_epoch_);

    if (std::isfinite(norm) && std::isfinite(loss.nats)) {
        state_.recent_nats += loss.nats;
        state_.recent_targets += loss.targets;
        state_.skipped_in_row = 0;
    } else {
        ++record.skipped_steps;
        if (++state_.skipped_in_row >= max_skipped_in_row)
            throw InputError(
                "generator 'ssm'",
                fmt::format("diverges: {} steps in a row gave a gradient that is not finite (step {})",
                            max_skipped_in_row, record.steps),
                "use a lower \"learning_rate\" or \"precision\": \"float32\"");
    }
    show(progress);
}

void Trainer::show(Progress& progress) const {
    const TrainingRecord& record = state_.record;
    const double tokens = static_cast<double>(record.tokens),
                 done = progress_after(record.tokens, record.steps);
    double train = record.curve.empty() ? 0 : record.curve.back().train_loss;
    if (state_.recent_targets > 0) train = state_.recent_nats / static_cast<double>(state_.recent_targets);
    std::string detail = fmt::format("loss {:.3f}", train);
    if (!record.curve.empty() && record.curve.back().validation_loss)
        detail += fmt::format(", valid {:.3f}", *record.curve.back().validation_loss);
    progress.update(tokens, done > 0 ? std::round(tokens / done) : 0, "tokens", detail);
}

TrainingRecord Trainer::run(Progress& progress, const std::filesystem::path& checkpoints) {
    const CheckpointFolder folder(checkpoints, fingerprint_);
    start_ = saved_ = Clock::now();
    std::string note;
    if (const auto checkpoint = folder.load(note)) restore(*checkpoint, checkpoints);
    if (!note.empty()) state_.record.notes.push_back(note);
    try {
        while (!finished()) {
            // Between steps only: what a step has accumulated when it is left cannot be kept.
            progress.check_interrupted();
            if (evaluation_due()) evaluate(progress);
            step(progress);
            if (seconds_since(saved_) >=
                std::max(options_.checkpoint_interval_s, checkpoint_time_share * save_cost_s_))
                save(folder);
        }
        if (state_.record.tokens > state_.evaluated_tokens) evaluate(progress);
    } catch (const Interrupted&) {
        state_.record.stopped.clear();
        save(folder);
        throw;
    }
    if (!best_.empty()) model_.set_parameters(best_, "best parameters");
    state_.record.seconds = elapsed();
    return state_.record;
}

}  // namespace tracebench::ssm
