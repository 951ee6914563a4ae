#include "metrics/distance/field_report.h"

#include <cmath>
#include <stdexcept>

namespace tracebench {
namespace {

constexpr std::size_t floor_splits = 32;

Bins shared_bins(const Column& real, const Column& synthetic) {
    if (real.info.kind == FieldKind::continuous)
        return Bins::numeric(RankedValues(sorted_counts(real.values.empty() ? synthetic : real)));
    std::vector<double> codes = real.values;
    codes.insert(codes.end(), synthetic.values.begin(), synthetic.values.end());
    return Bins::categorical(std::move(codes));
}

std::optional<Distances> floor_of(const Column& real, std::span<const std::string> real_labels,
                                  std::span<const std::string> synthetic_labels, const Bins& bins,
                                  std::uint64_t seed) {
    if (real_labels.size() < 4) return std::nullopt;
    const RandomSplits splits(real_labels, count_labels(real_labels), count_labels(synthetic_labels));
    const FieldComparison pool(real, real_labels.size(), Column{real.info, {}, {}}, 0, bins);
    const NoiseFloor floor = noise_floor(pool, splits, stream_seed(seed, "floor"), floor_splits);
    if (std::isnan(floor.mean[measure::jsd])) return std::nullopt;
    return floor.mean;
}

nlohmann::json by_measure(const FieldReport& report, const Distances& distances) {
    nlohmann::json result;
    for (std::size_t m = 0; m < measure_count(report.info.kind); ++m)
        result[std::string(measure::names[m])] = distances[m];
    return result;
}

}  // namespace

FieldReport report_field(const Column& real, std::span<const std::string> real_labels,
                         const Column& synthetic, std::span<const std::string> synthetic_labels,
                         const ReportOptions& options, const std::vector<std::string>& names) {
    if (real.values.empty() && synthetic.values.empty())
        throw std::invalid_argument("a field without values");
    FieldReport report;
    report.info = real.info;
    report.n_real = real.total();
    report.n_synthetic = synthetic.total();
    const Bins bins = shared_bins(real, synthetic);
    const FieldComparison comparison(real, real_labels.size(), synthetic, synthetic_labels.size(), bins);
    report.distances = comparison.distances();
    report.real_counts = comparison.histogram(false);
    report.synthetic_counts = comparison.histogram(true);
    if (bins.is_numeric()) {
        report.edges.assign(bins.edges().begin(), bins.edges().end());
    } else {
        for (const double code : bins.edges())
            report.categories.push_back(names.empty() ? category_name(real.info, code)
                                                      : names.at(static_cast<std::size_t>(code)));
    }
    if (!report.distances || options.bootstrap == 0) return report;

    const DistanceLists replicates = bootstrap_distances(
        comparison, Bootstrap(real_labels), Bootstrap(synthetic_labels), stream_seed(options.seed, "real"),
        stream_seed(options.seed, "synthetic"), options.bootstrap);
    if (interval95(replicates[measure::jsd])) {
        report.intervals.emplace();
        for (std::size_t m = 0; m < measure::count; ++m) (*report.intervals)[m] = *interval95(replicates[m]);
    }
    report.floor = floor_of(real, real_labels, synthetic_labels, bins, options.seed);
    return report;
}

nlohmann::json FieldReport::to_json() const {
    nlohmann::json json = {{"field", info.name}, {"kind", kind_name(info.kind)},
                           {"unit", info.unit},  {"n", {n_real, n_synthetic}},
                           {"ci95", nullptr},    {"noise_floor", nullptr}};
    for (const std::string_view name : measure::names) json[std::string(name)] = nullptr;
    for (std::size_t m = 0; m < measure_count(info.kind); ++m)
        if (distances || measure::is_bounded(m)) json[std::string(measure::names[m])] = value(m);
    if (!distances) json["note"] = "occurs on one side only";
    if (intervals) {
        json["ci95"] = nlohmann::json::object();
        for (std::size_t m = 0; m < measure_count(info.kind); ++m)
            json["ci95"][std::string(measure::names[m])] = {(*intervals)[m].low, (*intervals)[m].high};
    }
    if (floor) json["noise_floor"] = by_measure(*this, *floor);
    nlohmann::json bins = {{"real", real_counts}, {"synthetic", synthetic_counts}};
    if (edges.empty()) {
        bins["categories"] = categories;
    } else {
        bins["edges"] = edges;
        bins["underflow"] = {real_counts.front(), synthetic_counts.front()};
        bins["overflow"] = {real_counts.back(), synthetic_counts.back()};
    }
    json["bins"] = std::move(bins);
    return json;
}

}  // namespace tracebench
