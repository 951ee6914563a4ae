#include "generators/ssm/training/training_record.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "generators/training/optional_number.h"

namespace tracebench::ssm {
namespace {

using nlohmann::json;

constexpr std::int64_t max_count = std::numeric_limits<std::int64_t>::max();
constexpr double max_number = 1e300;
constexpr std::size_t max_points = 1'000'000, max_notes = 1000;

double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

CurvePoint point_from_json(const CheckedJson& entry) {
    CurvePoint point;
    point.tokens = entry.integer("tokens", 0, 0, max_count);
    point.steps = entry.integer("steps", 0, 0, max_count);
    point.seconds = entry.number("seconds", 0, 0, max_number);
    point.train_loss = entry.number("train_loss", 0, -max_number, max_number);
    point.validation_loss = optional_number(entry, "validation_loss", max_number);
    point.bits_per_packet = optional_number(entry, "bits_per_packet", max_number);
    return point;
}

}  // namespace

json TrainingRecord::to_json() const {
    json points = json::array();
    for (const CurvePoint& point : curve)
        points.push_back({{"tokens", point.tokens},
                          {"steps", point.steps},
                          {"seconds", point.seconds},
                          {"train_loss", point.train_loss},
                          {"validation_loss", optional_number(point.validation_loss)},
                          {"bits_per_packet", optional_number(point.bits_per_packet)}});
    return {{"samples", samples},
            {"validation_samples", validation_samples},
            {"packets", packets},
            {"left_out", left_out},
            {"sample_tokens", sample_tokens},
            {"tokens_per_packet", ratio(static_cast<double>(sample_tokens), static_cast<double>(packets))},
            {"longest_sample", longest_sample},
            {"tokens", tokens},
            {"steps", steps},
            {"skipped_steps", skipped_steps},
            {"epochs", epochs},
            {"seconds", seconds},
            {"tokens_per_s", ratio(static_cast<double>(tokens), seconds)},
            {"best_validation", optional_number(best_validation)},
            {"stopped", stopped},
            {"notes", notes},
            {"curve", std::move(points)}};
}

TrainingRecord TrainingRecord::from_json(const CheckedJson& object) {
    TrainingRecord record;
    record.samples = object.integer("samples", 0, 0, max_count);
    record.validation_samples = object.integer("validation_samples", 0, 0, max_count);
    record.packets = object.integer("packets", 0, 0, max_count);
    record.left_out = object.integer("left_out", 0, 0, max_count);
    record.sample_tokens = object.integer("sample_tokens", 0, 0, max_count);
    record.longest_sample = object.integer("longest_sample", 0, 0, max_count);
    record.tokens = object.integer("tokens", 0, 0, max_count);
    record.steps = object.integer("steps", 0, 0, max_count);
    record.skipped_steps = object.integer("skipped_steps", 0, 0, max_count);
    record.epochs = object.number("epochs", 0, 0, max_number);
    record.seconds = object.number("seconds", 0, 0, max_number);
    record.best_validation = optional_number(object, "best_validation", max_number);
    record.stopped = object.text("stopped", "");
    if (const auto entries = object.find("notes"))
        for (const CheckedJson& entry : entries->items(max_notes)) record.notes.push_back(entry.text());
    if (const auto entries = object.find("curve"))
        for (const CheckedJson& entry : entries->items(max_points))
            record.curve.push_back(point_from_json(entry));
    return record;
}

}  // namespace tracebench::ssm
