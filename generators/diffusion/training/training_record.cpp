#include "generators/diffusion/training/training_record.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "generators/training/optional_number.h"

namespace tracebench::diffusion {
namespace {

using nlohmann::json;

constexpr std::int64_t max_count = std::numeric_limits<std::int64_t>::max();
constexpr double max_number = 1e300;
constexpr std::size_t max_points = 1'000'000, max_notes = 1000, max_stages = 16;

json curve_to_json(const std::vector<CurvePoint>& curve) {
    json points = json::array();
    for (const CurvePoint& point : curve)
        points.push_back({{"steps", point.steps},
                          {"seconds", point.seconds},
                          {"train_loss", point.train_loss},
                          {"validation_loss", optional_number(point.validation_loss)}});
    return points;
}

json stage_to_json(const StageRecord& stage) {
    return {{"stage", stage.stage},
            {"steps", stage.steps},
            {"rows", stage.rows},
            {"skipped_steps", stage.skipped_steps},
            {"seconds", stage.seconds},
            {"rows_per_s", stage.seconds > 0 ? static_cast<double>(stage.rows) / stage.seconds : 0},
            {"best_validation", optional_number(stage.best_validation)},
            {"stopped", stage.stopped},
            {"curve", curve_to_json(stage.curve)}};
}

StageRecord stage_from_json(const CheckedJson& entry) {
    StageRecord stage;
    stage.stage = entry.text("stage", "");
    stage.steps = entry.integer("steps", 0, 0, max_count);
    stage.rows = entry.integer("rows", 0, 0, max_count);
    stage.skipped_steps = entry.integer("skipped_steps", 0, 0, max_count);
    stage.seconds = entry.number("seconds", 0, 0, max_number);
    stage.best_validation = optional_number(entry, "best_validation", max_number);
    stage.stopped = entry.text("stopped", "");
    if (const auto points = entry.find("curve"))
        for (const CheckedJson& point : points->items(max_points)) {
            CurvePoint& last = stage.curve.emplace_back();
            last.steps = point.integer("steps", 0, 0, max_count);
            last.seconds = point.number("seconds", 0, 0, max_number);
            last.train_loss = point.number("train_loss", 0, -max_number, max_number);
            last.validation_loss = optional_number(point, "validation_loss", max_number);
        }
    return stage;
}

}  // namespace

json TrainingRecord::to_json() const {
    json text = {{"samples", samples},   {"validation_samples", validation_samples},
                 {"packets", packets},   {"left_out", left_out},
                 {"reopened", reopened}, {"seconds", seconds},
                 {"notes", notes},       {"stages", json::array()}};
    for (const StageRecord& stage : stages) {
        text["stages"].push_back(stage_to_json(stage));
        text["steps"] = stage.steps;
        text["best_validation"] = optional_number(stage.best_validation);
        text["stopped"] = stage.stopped;
        text["curve"] = curve_to_json(stage.curve);
    }
    if (accuracy)
        text["autoencoder"] = {{"rows", accuracy->rows},
                               {"wrong_columns", accuracy->wrong_columns},
                               {"wrong_rows", accuracy->wrong_rows},
                               {"gap_error", accuracy->gap_error},
                               {"validation", accuracy->validation}};
    return text;
}

TrainingRecord TrainingRecord::from_json(const CheckedJson& object) {
    TrainingRecord record;
    record.samples = object.integer("samples", 0, 0, max_count);
    record.validation_samples = object.integer("validation_samples", 0, 0, max_count);
    record.packets = object.integer("packets", 0, 0, max_count);
    record.left_out = object.integer("left_out", 0, 0, max_count);
    record.reopened = object.integer("reopened", 0, 0, max_count);
    record.seconds = object.number("seconds", 0, 0, max_number);
    if (const auto entries = object.find("stages"))
        for (const CheckedJson& entry : entries->items(max_stages))
            record.stages.push_back(stage_from_json(entry));
    if (const auto accuracy = object.find("autoencoder")) {
        record.accuracy.emplace();
        record.accuracy->rows = accuracy->integer("rows", 0, 0, max_count);
        record.accuracy->wrong_columns = accuracy->number("wrong_columns", 0, 0, 1);
        record.accuracy->wrong_rows = accuracy->number("wrong_rows", 0, 0, 1);
        record.accuracy->gap_error = accuracy->number("gap_error", 0, 0, max_number);
        record.accuracy->validation = accuracy->at("validation").boolean();
    }
    if (const auto entries = object.find("notes"))
        for (const CheckedJson& entry : entries->items(max_notes)) record.notes.push_back(entry.text());
    return record;
}

}  // namespace tracebench::diffusion
