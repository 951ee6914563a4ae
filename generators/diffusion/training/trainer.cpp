#include "generators/diffusion/training/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "generators/diffusion/training/row_weights.h"
#include "generators/training/validation_split.h"

namespace tracebench::diffusion {
namespace {

constexpr std::int64_t max_skipped_in_row = 20;
constexpr std::int64_t evaluations = 15;     // of a stage, if they are cheap
constexpr double evaluation_time_share = 9;  // trained seconds for one of validation
constexpr double checkpoint_time_share = 20;
constexpr std::size_t padding = 64;
constexpr std::size_t most_validation_rows = 2048;  // of the autoencoder
constexpr std::size_t most_validation_pieces = 64;
constexpr std::size_t rows_to_standardise = 16384;
constexpr std::size_t rows_to_encode = 4096;  // at once

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// At most `most` of them, evenly spread.
template <typename T>
std::vector<T> thinned(const std::vector<T>& all, std::size_t most) {
    if (all.size() <= most) return all;
    std::vector<T> some;
    for (std::size_t i = 0; i < most; ++i) some.push_back(all[i * all.size() / most]);
    return some;
}

std::vector<std::size_t> rows_of(const TrainingSet& set, const std::vector<std::size_t>& samples) {
    std::vector<std::size_t> rows;
    for (const std::size_t i : samples)
        for (std::size_t k = 0; k < set.samples()[i].rows; ++k) rows.push_back(set.samples()[i].first + k);
    return rows;
}

}  // namespace

const char* stage_name(Stage stage) {
    switch (stage) {
        case Stage::autoencoder:
            return "autoencoder";
        case Stage::denoiser:
            return "denoiser";
        case Stage::control:
            return "control";
        case Stage::adapter:
            return "adapter";
    }
    return "";
}

Trainer::Trainer(DiffusionModel& model, const TrainingSet& set, const TrainingOptions& options,
                 std::uint64_t seed, std::string_view identity)
    : model_(model), set_(set), options_(options), seed_(seed) {
    std::vector<std::string> labels;
    for (const TrainingSet::Sample& sample : set.samples()) labels.push_back(sample.label);
    ValidationSplit split = split_validation(labels, options_.validation, stream_seed(seed, "diffusion"));
    train_ = std::move(split.train);
    train_rows_ = rows_of(set, train_);
    if (train_rows_.empty())
        throw InputError("generator 'diffusion'",
                         "has nothing to learn from: no sample holds a packet that has a row",
                         "give it captures of TCP, UDP or ICMP over IP");
    double sum = 0;
    const std::vector<float> draws = row_weights(set, train_rows_, options_.autoencoder_rarity);
    for (const std::size_t row : train_rows_) drawn_rows_.push_back(sum += static_cast<double>(draws[row]));
    weights_ = row_weights(set, train_rows_, options_.rarity);
    for (const StagePlan& stage : options_.stages)
        if (stage.steps == 0 && options_.seconds == 0)
            throw InputError("generator 'diffusion'",
                             fmt::format("has neither steps nor seconds for its {}", stage_name(stage.stage)),
                             "set \"steps\" or \"seconds\"");
    prepare_validation(split.validation);
    pieces_per_epoch_ = std::ssize(plan_pieces(set, train_, static_cast<std::size_t>(options_.crop), 0));
    TrainingRecord& record = state_.record;
    record.samples = static_cast<std::int64_t>(train_.size());
    record.validation_samples = static_cast<std::int64_t>(split.validation.size());
    record.packets = static_cast<std::int64_t>(set.rows());
    fingerprint_ = fingerprint(identity);
}

void Trainer::prepare_validation(const std::vector<std::size_t>& samples) {
    validation_rows_ = thinned(rows_of(set_, samples), most_validation_rows);
    std::vector<Piece> pieces;
    const auto crop = static_cast<std::size_t>(options_.crop);
    for (const std::size_t i : samples)
        for (std::size_t first = 0; first < set_.samples()[i].rows; first += crop)
            pieces.push_back({i, first, std::min(crop, set_.samples()[i].rows - first)});
    validation_pieces_ = thinned(pieces, most_validation_pieces);
}

std::string Trainer::fingerprint(std::string_view identity) const {
    // The limit in seconds is left out: who gives more time goes on with what is there.
    const OptimizerStep& o = options_.optimizer;
    const LearningRateSchedule& s = options_.schedule;
    std::string text =
        fmt::format("{}\n{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n", identity, seed_, s.warmup,
                    s.floor, o.beta1, o.beta2, o.epsilon, o.weight_decay, o.clip_norm, o.ema, o.class_dropout,
                    options_.autoencoder_rows, options_.crop, options_.batch_rows,
                    options_.autoencoder_rarity, options_.rarity, options_.validation, options_.patience);
    for (const StagePlan& stage : options_.stages)
        text += fmt::format("{} {} {} {}\n", stage_name(stage.stage), stage.learning_rate, stage.steps,
                            stage.share);
    return sha256(text + set_.hash());
}

double Trainer::elapsed() const {
    return elapsed_before_ + seconds_since(start_);
}

double Trainer::stage_ends_s() const {
    // What a stage does not use is left to those after it.
    double rest = 0;
    for (std::size_t i = static_cast<std::size_t>(state_.stage); i < options_.stages.size(); ++i)
        rest += options_.stages[i].share;
    const double left = std::max(0.0, options_.seconds - state_.stage_began_s);
    return state_.stage_began_s + left * (rest > 0 ? plan().share / rest : 1);
}

double Trainer::progress_of_stage(std::int64_t steps) const {
    double done = 0;
    if (plan().steps > 0) done = static_cast<double>(steps) / static_cast<double>(plan().steps);
    if (options_.seconds > 0) {
        const double span = stage_ends_s() - state_.stage_began_s;
        done = std::max(done, span > 0 ? (elapsed() - state_.stage_began_s) / span : 1);
    }
    return std::min(done, 1.0);
}

bool Trainer::finished() {
    StageRecord& record = stage_record();
    if (plan().steps > 0 && record.steps >= plan().steps) record.stopped = "steps";
    if (options_.patience > 0 && state_.without_improvement >= options_.patience) record.stopped = "patience";
    // One step at least, and time left for the last evaluation.
    if (options_.seconds > 0 && record.steps > 0 && elapsed() + state_.evaluation_cost_s >= stage_ends_s())
        record.stopped = "seconds";
    return !record.stopped.empty();
}

bool Trainer::evaluation_due() const {
    const StageRecord& record = state_.record.stages.back();
    const std::int64_t since = record.steps - state_.evaluated_step;
    if (since == 0) return false;
    if (plan().steps > 0) return since >= std::max<std::int64_t>(1, plan().steps / evaluations);
    return elapsed() - state_.evaluated_seconds >=
           std::max((stage_ends_s() - state_.stage_began_s) / static_cast<double>(evaluations),
                    evaluation_time_share * state_.evaluation_cost_s);
}

void Trainer::evaluate(Progress& progress) {
    const auto begin = Clock::now();
    const Stage stage = plan().stage;
    StageRecord& record = stage_record();
    CurvePoint point;
    point.steps = record.steps;
    point.seconds = elapsed();
    if (state_.recent_rows > 0) {
        point.train_loss = state_.recent_loss / static_cast<double>(state_.recent_rows);
    } else if (!record.curve.empty()) {
        point.train_loss = record.curve.back().train_loss;
    }
    double sum = 0;
    std::int64_t rows = 0;
    const auto add = [&](const RowBatch& batch, std::size_t index) {
        progress.check_interrupted();
        const Loss loss =
            model_.evaluate(stage, batch, stream_seed(seed_, fmt::format("diffusion/validation/{}", index)));
        sum += loss.mean * static_cast<double>(loss.rows);
        rows += loss.rows;
    };
    if (stage == Stage::autoencoder) {
        if (!validation_rows_.empty()) add(set_.fill(validation_rows_, buffer_), 0);
    } else {
        const std::size_t at_once =
            std::max<std::size_t>(1, static_cast<std::size_t>(options_.batch_rows / options_.crop));
        for (std::size_t i = 0; i < validation_pieces_.size(); i += at_once)
            add(set_.fill(std::span(validation_pieces_)
                              .subspan(i, std::min(at_once, validation_pieces_.size() - i)),
                          padding, stage == Stage::control, buffer_, latents()),
                i);
    }
    if (rows > 0) {
        const double loss = sum / static_cast<double>(rows);
        if (std::isfinite(loss)) point.validation_loss = loss;
        if (std::isfinite(loss) && (!record.best_validation || loss < *record.best_validation)) {
            record.best_validation = loss;
            best_ = stage_parameters(model_, stage);
            state_.without_improvement = 0;
        } else {
            ++state_.without_improvement;
        }
    }
    record.curve.push_back(point);
    state_.recent_rows = 0;
    state_.recent_loss = 0;
    state_.evaluated_step = record.steps;
    state_.evaluated_seconds = elapsed();
    state_.evaluation_cost_s = seconds_since(begin);
}

const RowBatch& Trainer::next_batch() {
    const std::int64_t step = stage_record().steps;
    if (plan().stage == Stage::autoencoder) {
        Random random(stream_seed(seed_, fmt::format("diffusion/rows/{}", step)));
        std::vector<std::size_t> rows(static_cast<std::size_t>(options_.autoencoder_rows));
        for (std::size_t& row : rows) {
            const double place = random.uniform() * drawn_rows_.back();
            // Rounding may put it at the very end.
            const auto drawn = std::upper_bound(drawn_rows_.begin(), drawn_rows_.end() - 1, place);
            row = train_rows_[static_cast<std::size_t>(drawn - drawn_rows_.begin())];
        }
        return set_.fill(rows, buffer_);
    }
    const auto at_once = std::max<std::int64_t>(1, options_.batch_rows / options_.crop);
    std::vector<Piece> batch;
    for (std::int64_t i = step * at_once; i < (step + 1) * at_once; ++i) {
        const std::int64_t epoch = i / pieces_per_epoch_;
        if (epoch != planned_epoch_) {
            pieces_ = plan_pieces(
                set_, train_, static_cast<std::size_t>(options_.crop),
                stream_seed(seed_, fmt::format("diffusion/{}/{}", stage_name(plan().stage), epoch)));
            planned_epoch_ = epoch;
        }
        batch.push_back(pieces_[static_cast<std::size_t>(i % pieces_per_epoch_)]);
    }
    return set_.fill(batch, padding, plan().stage == Stage::control, buffer_, latents(), weights_);
}

void Trainer::step(Progress& progress) {
    const Stage stage = plan().stage;
    StageRecord& record = stage_record();
    const RowBatch& batch = next_batch();
    OptimizerStep update = options_.optimizer;
    LearningRateSchedule schedule = options_.schedule;
    schedule.peak = plan().learning_rate;
    update.learning_rate = schedule.at(progress_of_stage(record.steps + 1));
    const StepResult result = model_.train_step(
        stage, batch, update,
        stream_seed(seed_, fmt::format("diffusion/{}/step/{}", stage_name(stage), record.steps)));
    ++record.steps;
    record.rows += result.loss.rows;
    if (std::isfinite(result.gradient_norm) && std::isfinite(result.loss.mean)) {
        state_.recent_loss += result.loss.mean * static_cast<double>(result.loss.rows);
        state_.recent_rows += result.loss.rows;
        state_.skipped_in_row = 0;
    } else {
        ++record.skipped_steps;
        if (++state_.skipped_in_row >= max_skipped_in_row)
            throw InputError(
                "generator 'diffusion'",
                fmt::format(
                    "diverges: {} steps in a row of its {} gave a gradient that is not finite (step {})",
                    max_skipped_in_row, stage_name(stage), record.steps),
                "use a lower \"learning_rate\" or \"precision\": \"float32\"");
    }
    show(progress);
}

void Trainer::show(Progress& progress) {
    const StageRecord& record = stage_record();
    double train = record.curve.empty() ? 0 : record.curve.back().train_loss;
    if (state_.recent_rows > 0) train = state_.recent_loss / static_cast<double>(state_.recent_rows);
    std::string detail = fmt::format("{}, loss {:.3f}", record.stage, train);
    if (!record.curve.empty() && record.curve.back().validation_loss)
        detail += fmt::format(", valid {:.3f}", *record.curve.back().validation_loss);
    const double steps = static_cast<double>(record.steps), done = progress_of_stage(record.steps);
    progress.update(steps, done > 0 ? std::round(steps / done) : 0, "steps", detail);
}

/// Encoded when first asked for: the autoencoder is done.
std::span<const float> Trainer::latents() {
    if (latents_) return *latents_;
    latents_.emplace();
    std::vector<std::size_t> rows;
    for (std::size_t first = 0; first < set_.rows(); first += rows_to_encode) {
        rows.resize(std::min(rows_to_encode, set_.rows() - first));
        std::iota(rows.begin(), rows.end(), first);
        const std::vector<float> some = model_.encode(set_.fill(rows, buffer_));
        latents_->insert(latents_->end(), some.begin(), some.end());
    }
    return *latents_;
}

void Trainer::begin_stage() {
    const Stage stage = plan().stage;
    latents_.reset();
    if (stage == Stage::denoiser && state_.stage > 0) {
        const std::vector<std::size_t> rows = thinned(train_rows_, rows_to_standardise);
        model_.standardise_latents(set_.fill(rows, buffer_));
    }
    if (stage == Stage::control && !model_.has_control()) model_.add_control();
    TrainingRecord record = std::move(state_.record);
    const std::int64_t index = state_.stage;
    state_ = {};
    state_.stage = index;
    state_.record = std::move(record);
    state_.record.stages.emplace_back().stage = stage_name(stage);
    state_.stage_began_s = state_.evaluated_seconds = elapsed();
    best_.clear();
    planned_epoch_ = -1;
    pieces_.clear();
}

void Trainer::end_stage(Progress& progress) {
    if (stage_record().steps > state_.evaluated_step) evaluate(progress);
    if (!best_.empty()) set_named_parts(model_, best_, "best parameters");
    best_.clear();
    stage_record().seconds = elapsed() - state_.stage_began_s;
}

void Trainer::measure_accuracy(Progress& progress) {
    progress.check_interrupted();
    RowAccuracy accuracy;
    accuracy.validation = !validation_rows_.empty();
    const std::vector<std::size_t> rows =
        accuracy.validation ? validation_rows_ : thinned(train_rows_, most_validation_rows);
    const RowBatch& batch = set_.fill(rows, buffer_);
    const SampledRows again = model_.reconstruct(batch);
    std::int64_t wrong_columns = 0, wrong_rows = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::int64_t wrong = 0;
        for (std::size_t k = 0; k < kTernary; ++k)
            wrong += again.ternary[i * kTernary + k] != batch.ternary[i * kTernary + k];
        wrong_columns += wrong;
        wrong_rows += wrong > 0;
        accuracy.gap_error +=
            std::abs(static_cast<double>(again.gaps[i]) - static_cast<double>(batch.gaps[i]));
    }
    const auto count = static_cast<double>(rows.size());
    accuracy.rows = static_cast<std::int64_t>(rows.size());
    accuracy.wrong_columns = static_cast<double>(wrong_columns) / (count * static_cast<double>(kTernary));
    accuracy.wrong_rows = static_cast<double>(wrong_rows) / count;
    accuracy.gap_error /= count;
    state_.record.accuracy = accuracy;
}

TrainingRecord Trainer::run(Progress& progress, const std::filesystem::path& checkpoints) {
    const CheckpointFolder folder(checkpoints, fingerprint_);
    start_ = saved_ = Clock::now();
    std::string note;
    if (const auto checkpoint = folder.load(note)) {
        restore(*checkpoint, checkpoints);
    } else {
        begin_stage();
    }
    if (!note.empty()) state_.record.notes.push_back(note);
    try {
        while (true) {
            while (!finished()) {
                progress.check_interrupted();
                if (evaluation_due()) evaluate(progress);
                step(progress);
                if (seconds_since(saved_) >=
                    std::max(options_.checkpoint_interval_s, checkpoint_time_share * save_cost_s_))
                    save(folder);
            }
            end_stage(progress);
            if (state_.stage + 1 == std::ssize(options_.stages)) break;
            ++state_.stage;
            begin_stage();
        }
        measure_accuracy(progress);
    } catch (const Interrupted&) {
        stage_record().stopped.clear();
        save(folder);
        throw;
    }
    state_.record.seconds = elapsed();
    return state_.record;
}

}  // namespace tracebench::diffusion
