#include "bench/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "bench/exit_code.h"
#include "bench/metric_json.h"

namespace tracebench {
namespace {

using nlohmann::json;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double false_discovery_rate = 0.05;

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

/// Sample variance (n - 1); 0 for fewer than two values.
double variance(const std::vector<double>& values) {
    if (values.size() < 2) return 0;
    const double centre = mean(values);
    double sum = 0;
    for (const double value : values) sum += (value - centre) * (value - centre);
    return sum / static_cast<double>(values.size() - 1);
}

/// current - baseline with its 95% interval, and the one-sided p-value that it is worse.
struct Difference {
    double value = 0, low = nan, high = nan, p_worse = 1;
};

Difference compare(const std::vector<double>& baseline, const std::vector<double>& current, bool paired, double sign) {
    Difference difference;
    double error = 0, freedom = 0;
    if (paired) {
        std::vector<double> differences;
        for (std::size_t i = 0; i < baseline.size(); ++i) differences.push_back(current[i] - baseline[i]);
        const auto n = static_cast<double>(differences.size());
        difference.value = mean(differences);
        error = std::sqrt(variance(differences) / n);
        freedom = n - 1;
    } else {
        const double a = variance(baseline) / static_cast<double>(baseline.size());
        const double b = variance(current) / static_cast<double>(current.size());
        difference.value = mean(current) - mean(baseline);
        error = std::sqrt(a + b);
        if (baseline.size() > 1 && current.size() > 1 && error > 0)
            freedom = (a + b) * (a + b) / (a * a / static_cast<double>(baseline.size() - 1) +
                                           b * b / static_cast<double>(current.size() - 1));
        else
            freedom = static_cast<double>(std::min(baseline.size(), current.size())) - 1;
    }
    if (freedom < 1) return difference;  // one seed: nothing is known of run-to-run variation
    if (error < 1e-12) {                 // every seed moved alike: deterministic
        difference.low = difference.high = difference.value;
        difference.p_worse = sign * difference.value > 1e-12 ? 0 : 1;
        return difference;
    }
    const boost::math::students_t t(freedom);
    const double half = boost::math::quantile(t, 0.975) * error;
    difference.low = difference.value - half;
    difference.high = difference.value + half;
    difference.p_worse = boost::math::cdf(boost::math::complement(t, sign * difference.value / error));
    return difference;
}

/// The largest p-value that Benjamini-Hochberg rejects; negative where it rejects none.
double rejection_threshold(std::vector<double> p_values) {
    std::sort(p_values.begin(), p_values.end());
    const auto n = static_cast<double>(p_values.size());
    for (std::size_t i = p_values.size(); i > 0; --i)
        if (p_values[i - 1] <= false_discovery_rate * static_cast<double>(i) / n) return p_values[i - 1];
    return -1;
}

struct Compared {
    GateFinding finding;
    Difference difference;
    bool testable = false;  ///< has a p-value
    double worse_by = 0;    ///< in the bad direction
};

Compared compare_row(const json& base, const MetricRow* row, bool paired) {
    Compared compared;
    GateFinding& finding = compared.finding;
    finding.dataset = base.at("dataset");
    finding.generator = base.at("generator");
    finding.metric = base.at("metric");
    finding.group = base.at("group");
    finding.unit = base.at("unit");
    finding.lower_is_better = base.at("direction") == "lower";
    const auto seeds = base.at("seeds").get<std::vector<double>>();
    finding.baseline = mean(seeds);
    if (row == nullptr || row->status != "ok") {
        finding.outcome = "missing";
        finding.message = row == nullptr ? "the run has no such value" : row->status + ": " + row->reason;
        return compared;
    }
    finding.current = row->value;
    if (row->version != base.at("version").get<int>() || row->lower_is_better != finding.lower_is_better ||
        row->unit != finding.unit) {
        finding.outcome = "not_comparable";
        finding.message = fmt::format("the metric changed (version {} then, {} now)", base.at("version").get<int>(),
                                      row->version);
        return compared;
    }
    const double range = std::abs(number(base.value("ceiling", json())) - number(base.value("floor", json())));
    finding.tolerance =
        std::isfinite(range) && range > 0 ? 0.05 * range : std::max(0.05 * std::abs(finding.baseline), 0.005);
    const double sign = finding.lower_is_better ? 1 : -1;
    compared.difference = compare(seeds, row->seeds, paired && seeds.size() == row->seeds.size(), sign);
    compared.worse_by = sign * compared.difference.value;
    compared.testable = std::isfinite(compared.difference.low);
    finding.ci95[0] = compared.difference.low;
    finding.ci95[1] = compared.difference.high;
    return compared;
}

void decide(Compared& compared, double threshold) {
    GateFinding& finding = compared.finding;
    if (finding.outcome == "missing" || finding.outcome == "not_comparable") return;
    const std::string change = fmt::format("{:.4g} then, {:.4g} now", finding.baseline, finding.current);
    if (compared.worse_by > finding.tolerance) {
        const bool certain = compared.testable && compared.difference.p_worse <= threshold;
        finding.outcome = certain ? "regression" : "inconclusive";
        finding.message = change + (certain               ? ": worse, beyond the tolerance and beyond what seeds explain"
                                    : compared.testable ? ": worse, but seeds could explain it; add seeds"
                                                        : ": worse, but one seed cannot tell; add seeds");
    } else if (-compared.worse_by > finding.tolerance) {
        finding.outcome = "improved";
        finding.message = change + ": better";
    } else {
        finding.outcome = "pass";
        finding.message = change;
    }
}

int badness(const std::string& outcome) {
    static const std::vector<std::string> order = {"regression", "missing",  "not_comparable",
                                                   "inconclusive", "improved", "pass"};
    return static_cast<int>(std::find(order.begin(), order.end(), outcome) - order.begin());
}

/// Why the two cannot be compared at all; empty where they can.
std::string mismatch(const RunRecord& run, const json& baseline) {
    if (baseline.at("rows").empty()) return "the baseline holds no values";
    if (run.document.at("manifest").at("sha256") != baseline.at("manifest_sha256"))
        return "the manifest is another one; run the baseline's manifest or update the baseline";
    json datasets = json::object();
    for (const json& dataset : run.document.at("datasets"))
        datasets[dataset.at("name").get<std::string>()] = dataset.at("sha256");
    if (datasets != baseline.at("datasets")) return "the data differ from the baseline's";
    return "";
}

}  // namespace

GateResult check_regression(const RunRecord& run, const json& baseline, const std::string& run_name,
                            const std::string& baseline_name) {
    GateResult result;
    result.summary.results = run_name;
    result.summary.baseline = baseline_name;
    if (const std::string why = mismatch(run, baseline); !why.empty()) {
        result.summary.outcome = "not_comparable";
        result.summary.sentence = "Not comparable: " + why + ".";
        result.exit_code = exit_code::not_comparable;
        return result;
    }
    std::map<std::tuple<std::string, std::string, std::string, std::string>, const MetricRow*> rows;
    for (const MetricRow& row : run.metrics) rows[{row.dataset, row.generator, row.metric, row.group}] = &row;
    const bool paired = run.document.value("seeds", json()) == baseline.value("seeds", json(nullptr));

    std::vector<Compared> all;
    std::vector<double> p_values;
    for (const json& base : baseline.at("rows")) {
        const auto found = rows.find({base.at("dataset"), base.at("generator"), base.at("metric"), base.at("group")});
        all.push_back(compare_row(base, found == rows.end() ? nullptr : found->second, paired));
        if (all.back().testable) p_values.push_back(all.back().difference.p_worse);
    }
    const double threshold = rejection_threshold(p_values);
    std::map<std::string, std::size_t> counts;
    for (Compared& compared : all) {
        decide(compared, threshold);
        ++counts[compared.finding.outcome];
    }
    std::stable_sort(all.begin(), all.end(), [](const Compared& a, const Compared& b) {
        return badness(a.finding.outcome) < badness(b.finding.outcome);
    });
    for (Compared& compared : all) result.findings.push_back(std::move(compared.finding));

    const std::size_t worse = counts["regression"] + counts["missing"];
    const std::string tail =
        fmt::format("{} values compared: {} regressions, {} missing, {} inconclusive, {} improved, {} unchanged.",
                    all.size(), counts["regression"], counts["missing"], counts["inconclusive"], counts["improved"],
                    counts["pass"]);
    if (worse > 0) {
        result.summary.outcome = "regression";
        result.summary.sentence = "Regression: " + tail;
        result.exit_code = exit_code::failed;
    } else if (counts["not_comparable"] > 0) {
        result.summary.outcome = "not_comparable";
        result.summary.sentence = fmt::format("Not comparable: {} metrics changed; update the baseline. {}",
                                              counts["not_comparable"], tail);
        result.exit_code = exit_code::not_comparable;
    } else if (counts["inconclusive"] > 0) {
        result.summary.outcome = "inconclusive";
        result.summary.sentence = "Inconclusive: " + tail;
        result.exit_code = exit_code::inconclusive;
    } else {
        result.summary.outcome = "pass";
        result.summary.sentence = "Pass: " + tail;
    }
    return result;
}

}  // namespace tracebench
