#include "bench/aggregate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/random.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t interval_draws = 2000;

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? nan : sum / static_cast<double>(values.size());
}

/// Linear interpolation between order statistics (type 7, as numpy's default).
double quantile(const std::vector<double>& sorted, double p) {
    const double at = p * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

bool usable(const MetricValue& value) {
    return value.failed.empty() && value.skipped.empty() && std::isfinite(value.value);
}

/// One measure of one seed as scores: of the value, and of each replicate.
struct Scores {
    double value = nan;
    std::vector<double> replicates;
};

double bounded(double score) { return std::clamp(score, -1.0, 2.0); }

Scores scores_of(const MetricValue& value) {
    Scores scores;
    scores.value = bounded(normalised_score(value.value, value.floor, value.ceiling));
    for (const double replicate : value.replicates)
        scores.replicates.push_back(bounded(normalised_score(replicate, value.floor, value.ceiling)));
    return scores;
}

/// Plain mean of several scores, replicate by replicate; one without replicates stands still.
Scores mean_scores(const std::vector<Scores>& all) {
    Scores out;
    std::size_t draws = 0;
    std::vector<double> values;
    for (const Scores& scores : all) {
        values.push_back(scores.value);
        draws = std::max(draws, scores.replicates.size());
    }
    out.value = mean(values);
    for (std::size_t b = 0; b < draws; ++b) {
        double sum = 0;
        for (const Scores& scores : all) {
            const bool has = b < scores.replicates.size() && std::isfinite(scores.replicates[b]);
            sum += has ? scores.replicates[b] : scores.value;
        }
        out.replicates.push_back(sum / static_cast<double>(all.size()));
    }
    return out;
}

MetricRow score_row(const SeedValues& of, const std::string& group, const std::vector<Scores>& seeds) {
    MetricRow row;
    row.dataset = of.dataset;
    row.generator = of.generator;
    row.metric = "score";
    row.group = group;
    row.in_score = false;
    row.area = group;
    row.unit = "1";
    std::vector<std::vector<double>> replicates;
    for (const Scores& scores : seeds) {
        row.seeds.push_back(scores.value);
        replicates.push_back(scores.replicates);
    }
    row.value = row.score = mean(row.seeds);
    std::tie(row.ci95[0], row.ci95[1]) =
        hierarchical_interval(replicates, stream_seed(1, of.dataset + "/" + of.generator + "/score/" + group));
    row.floor = 0;
    row.ceiling = 1;
    row.n = seeds.size();
    return row;
}

}  // namespace

double normalised_score(double value, double floor, double ceiling) {
    const double range = ceiling - floor;
    if (!std::isfinite(range) || std::abs(range) < 1e-12) return nan;
    return (value - floor) / range;
}

std::pair<double, double> hierarchical_interval(const std::vector<std::vector<double>>& replicates,
                                                std::uint64_t random_seed) {
    if (replicates.empty()) return {nan, nan};
    std::vector<std::vector<double>> finite;
    for (const auto& of_seed : replicates) {
        auto& kept = finite.emplace_back();
        for (const double value : of_seed)
            if (std::isfinite(value)) kept.push_back(value);
        if (kept.empty()) return {nan, nan};
    }
    Random random(random_seed);
    std::vector<double> means;
    means.reserve(interval_draws);
    for (std::size_t draw = 0; draw < interval_draws; ++draw) {
        double sum = 0;
        for (std::size_t i = 0; i < finite.size(); ++i) {
            const auto& of_seed = finite[random.below(finite.size())];
            sum += of_seed[random.below(of_seed.size())];
        }
        means.push_back(sum / static_cast<double>(finite.size()));
    }
    std::sort(means.begin(), means.end());
    return {quantile(means, 0.025), quantile(means, 0.975)};
}

MetricRow aggregate(const SeedValues& values) {
    const MetricValue& first = values.seeds.front();
    MetricRow row;
    row.dataset = values.dataset;
    row.generator = values.generator;
    row.metric = first.metric;
    row.group = first.group;
    row.area = first.area;
    row.lower_is_better = first.lower_is_better;
    row.unit = first.unit;
    row.version = values.version;
    row.in_score = first.in_score;
    row.value = row.floor = row.ceiling = row.score = row.ci95[0] = row.ci95[1] = nan;

    std::vector<double> floors, ceilings;
    std::vector<std::vector<double>> replicates;
    for (const MetricValue& seed : values.seeds) {
        if (!seed.skipped.empty()) {
            row.status = "skipped";
            row.reason = seed.skipped;
        }
        if (!seed.failed.empty() || (seed.skipped.empty() && !std::isfinite(seed.value))) {
            row.status = "failed";
            row.reason = seed.failed.empty() ? "the value is not a finite number" : seed.failed;
            break;
        }
        row.n = std::max(row.n, seed.n_synthetic);
        row.seeds.push_back(seed.value);
        floors.push_back(seed.floor);
        ceilings.push_back(seed.ceiling);
        replicates.push_back(seed.replicates);
    }
    if (row.status != "ok") {
        row.seeds.clear();
        return row;
    }
    row.value = mean(row.seeds);
    row.floor = mean(floors);
    row.ceiling = mean(ceilings);
    row.score = normalised_score(row.value, row.floor, row.ceiling);
    std::tie(row.ci95[0], row.ci95[1]) = hierarchical_interval(
        replicates, stream_seed(1, values.dataset + "/" + values.generator + "/" + row.metric + "/" + row.group));
    return row;
}

std::vector<MetricRow> score_rows(const std::vector<SeedValues>& all) {
    // area -> group -> seed -> measures
    std::map<std::string, std::map<std::string, std::vector<std::vector<Scores>>>> areas;
    std::size_t seed_count = 0;
    for (const SeedValues& values : all) seed_count = std::max(seed_count, values.seeds.size());
    for (const SeedValues& values : all) {
        if (values.seeds.size() != seed_count || !values.seeds.front().in_score) continue;
        std::vector<Scores> scores;
        for (const MetricValue& value : values.seeds)
            scores.push_back(usable(value) ? scores_of(value) : Scores{});
        // A measure counts for every seed or for none: seeds must stay comparable.
        if (!std::all_of(scores.begin(), scores.end(), [](const Scores& s) { return std::isfinite(s.value); }))
            continue;
        auto& group = areas[values.seeds.front().area][values.seeds.front().group];
        group.resize(seed_count);
        for (std::size_t i = 0; i < seed_count; ++i) group[i].push_back(std::move(scores[i]));
    }

    std::vector<MetricRow> rows;
    std::vector<std::vector<Scores>> overall(seed_count);
    for (const auto& [area, groups] : areas) {
        std::vector<Scores> seeds;
        for (std::size_t i = 0; i < seed_count; ++i) {
            std::vector<Scores> means;
            for (const auto& [group, measures] : groups) means.push_back(mean_scores(measures[i]));
            seeds.push_back(mean_scores(means));
            if (area != "privacy") overall[i].push_back(seeds.back());
        }
        rows.push_back(score_row(all.front(), area, seeds));
    }
    if (seed_count == 0 || overall.front().empty()) return rows;
    std::vector<Scores> seeds;
    for (const auto& scores : overall) seeds.push_back(mean_scores(scores));
    rows.push_back(score_row(all.front(), "overall", seeds));
    return rows;
}

}  // namespace tracebench
