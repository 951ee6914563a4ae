#include "reports/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "reports/render.h"

namespace tracebench {
namespace {

using nlohmann::json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Moments {
    double n = 0, mean = nan, variance = nan;  ///< sample variance (n - 1)
};

Moments moments(const std::vector<double>& values) {
    Moments out;
    double sum = 0;
    for (const double value : values) sum += value;
    out.n = static_cast<double>(values.size());
    if (values.empty()) return out;
    out.mean = sum / out.n;
    if (values.size() < 2) return out;
    double squares = 0;
    for (const double value : values) squares += (value - out.mean) * (value - out.mean);
    out.variance = squares / (out.n - 1);
    return out;
}

std::vector<double> finite(const std::vector<double>& values) {
    std::vector<double> out;
    std::copy_if(values.begin(), values.end(), std::back_inserter(out),
                 [](double v) { return std::isfinite(v); });
    return out;
}

double student_t_975(double degrees) {
    return boost::math::quantile(boost::math::students_t(degrees), 0.975);
}

/// Content hash of each dataset of a record.
std::map<std::string, std::string> dataset_hashes(const RunRecord& record) {
    std::map<std::string, std::string> out;
    for (const json& dataset : record.document.value("datasets", json::array()))
        out[dataset["name"]] = dataset.value("sha256", "");
    return out;
}

bool differs(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b,
             const std::string& dataset) {
    const auto in_a = a.find(dataset), in_b = b.find(dataset);
    return in_a != a.end() && in_b != b.end() && in_a->second != in_b->second;
}

bool equal(double a, double b) {
    return std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}

void judge(Change& change, bool other_data) {
    if (change.a == nullptr || change.b == nullptr) {
        change.outcome = change.a == nullptr ? "only_b" : "only_a";
        change.difference = {nan, {nan, nan}, false};
        return;
    }
    const MetricRow &a = *change.a, &b = *change.b;
    change.difference = seed_difference(a.seeds, b.seeds);
    if (!std::isfinite(change.difference.value)) change.difference.value = b.value - a.value;
    change.outcome = "not_comparable";
    if (other_data) {
        change.reason = "the data set differs";
    } else if (a.version != b.version) {
        change.reason = fmt::format("version {} of the metric against {}", a.version, b.version);
    } else if (a.status != "ok" || b.status != "ok") {
        const bool first = a.status != "ok";
        change.reason = fmt::format("{} in {}: {}", first ? a.status : b.status, first ? "A" : "B",
                                    first ? a.reason : b.reason);
    } else if (!std::isfinite(a.value) || !std::isfinite(b.value)) {
        change.reason = "no value";
    } else if (equal(a.value, b.value)) {
        change.outcome = "same";
    } else {
        const auto& [low, high] = change.difference.ci95;
        const bool decided = low > 0 || high < 0;  // false for NaN
        change.outcome = !decided ? "unclear" : (low > 0) == a.lower_is_better ? "worse" : "better";
    }
}

std::size_t rank(const Change& change) {
    constexpr std::array<std::string_view, 7> order = {"worse",  "better", "unclear", "not_comparable",
                                                       "only_a", "only_b", "same"};
    return static_cast<std::size_t>(std::find(order.begin(), order.end(), change.outcome) - order.begin());
}

double size_of(const Change& change) {
    if (change.a == nullptr || change.b == nullptr) return 0;
    const double size = std::abs(change.b->score - change.a->score);
    return std::isfinite(size) ? size : 0;
}

json number(double value) {
    return std::isfinite(value) ? json(value) : json(nullptr);
}

json to_json(const Change& change) {
    const MetricRow& row = change.either();
    const auto& [low, high] = change.difference.ci95;
    return {{"dataset", row.dataset},
            {"generator", row.generator},
            {"metric", row.metric},
            {"group", row.group},
            {"area", row.area},
            {"unit", row.unit},
            {"direction", row.lower_is_better ? "lower" : "higher"},
            {"a", change.a == nullptr ? json() : number(change.a->value)},
            {"b", change.b == nullptr ? json() : number(change.b->value)},
            {"difference", number(change.difference.value)},
            {"ci95", std::isfinite(low) && std::isfinite(high) ? json::array({low, high}) : json()},
            {"score_a", change.a == nullptr ? json() : number(change.a->score)},
            {"score_b", change.b == nullptr ? json() : number(change.b->score)},
            {"seeds",
             {change.a == nullptr ? 0 : change.a->seeds.size(),
              change.b == nullptr ? 0 : change.b->seeds.size()}},
            {"paired", change.difference.paired},
            {"outcome", change.outcome},
            {"reason", change.reason}};
}

/// Entries of both leaderboards, side by side, in the order of A and then of B.
json leaderboards(const RunRecord& a, const RunRecord& b) {
    json out = json::array();
    const auto place = [&](const json& entry, const char* side) {
        for (json& row : out)
            if (row["dataset"] == entry["dataset"] && row["generator"] == entry["generator"]) {
                row[side] = entry;
                return;
            }
        out.push_back({{"dataset", entry["dataset"]},
                       {"generator", entry["generator"]},
                       {"a", nullptr},
                       {"b", nullptr}});
        out.back()[side] = entry;
    };
    for (const json& entry : a.document.value("leaderboard", json::array())) place(entry, "a");
    for (const json& entry : b.document.value("leaderboard", json::array())) place(entry, "b");
    return out;
}

json about(const RunRecord& record) {
    const json empty = json::object();
    const json tool = record.document.value("tool", empty),
               manifest = record.document.value("manifest", empty);
    return {{"created", record.document.value("created", "")},
            {"version", tool.value("version", "")},
            {"git_commit", tool.value("git_commit", json())},
            {"manifest", {{"path", manifest.value("path", "")}, {"sha256", manifest.value("sha256", "")}}}};
}

}  // namespace

Difference seed_difference(const std::vector<double>& seeds_a, const std::vector<double>& seeds_b) {
    if (seeds_a.size() == seeds_b.size()) {
        std::vector<double> differences;
        for (std::size_t i = 0; i < seeds_a.size(); ++i)
            if (std::isfinite(seeds_a[i]) && std::isfinite(seeds_b[i]))
                differences.push_back(seeds_b[i] - seeds_a[i]);
        if (differences.size() >= 2) {
            const Moments m = moments(differences);
            const double half = student_t_975(m.n - 1) * std::sqrt(m.variance / m.n);
            return {m.mean, {m.mean - half, m.mean + half}, true};
        }
    }
    const Moments a = moments(finite(seeds_a)), b = moments(finite(seeds_b));
    Difference out{b.mean - a.mean, {nan, nan}, false};
    if (a.n < 2 || b.n < 2) return out;
    const double va = a.variance / a.n, vb = b.variance / b.n;
    // Welch-Satterthwaite; without any spread the interval is the difference itself.
    const double degrees =
        va + vb > 0 ? (va + vb) * (va + vb) / (va * va / (a.n - 1) + vb * vb / (b.n - 1)) : 1;
    const double half = student_t_975(degrees) * std::sqrt(va + vb);
    out.ci95[0] = out.value - half;
    out.ci95[1] = out.value + half;
    return out;
}

std::vector<Change> compare_metrics(const RunRecord& a, const RunRecord& b) {
    using Key = std::tuple<std::string, std::string, std::string, std::string>;
    const auto key = [](const MetricRow& row) {
        return Key{row.dataset, row.generator, row.metric, row.group};
    };
    std::map<Key, const MetricRow*> in_b;
    for (const MetricRow& row : b.metrics) in_b[key(row)] = &row;
    const auto hashes_a = dataset_hashes(a), hashes_b = dataset_hashes(b);

    std::vector<Change> changes;
    for (const MetricRow& row : a.metrics) {
        Change change;
        change.a = &row;
        if (const auto found = in_b.find(key(row)); found != in_b.end()) {
            change.b = found->second;
            in_b.erase(found);
        }
        changes.push_back(change);
    }
    for (const MetricRow& row : b.metrics) {
        const auto found = in_b.find(key(row));
        if (found == in_b.end() || found->second != &row) continue;
        changes.emplace_back().b = &row;
    }
    for (Change& change : changes) judge(change, differs(hashes_a, hashes_b, change.either().dataset));
    std::stable_sort(changes.begin(), changes.end(), [](const Change& x, const Change& y) {
        return std::make_tuple(rank(x), -size_of(x)) < std::make_tuple(rank(y), -size_of(y));
    });
    return changes;
}

std::vector<std::string> comparison_warnings(const RunRecord& a, const RunRecord& b) {
    std::vector<std::string> out;
    const auto hashes_a = dataset_hashes(a), hashes_b = dataset_hashes(b);
    for (const auto& [name, hash] : hashes_a) {
        if (differs(hashes_a, hashes_b, name))
            out.push_back(
                fmt::format("Data set {} has another content in B ({:.12} against {:.12}): its values are "
                            "not comparable.",
                            name, hashes_b.at(name), hash));
        if (!hashes_b.contains(name)) out.push_back(fmt::format("Data set {} is only in A.", name));
    }
    for (const auto& [name, hash] : hashes_b)
        if (!hashes_a.contains(name)) out.push_back(fmt::format("Data set {} is only in B.", name));

    const json empty = json::object();
    const json manifest_a = a.document.value("manifest", empty),
               manifest_b = b.document.value("manifest", empty);
    if (manifest_a.value("sha256", "") != manifest_b.value("sha256", "")) {
        const json patch = json::diff(manifest_a.value("content", empty), manifest_b.value("content", empty));
        std::string places;
        for (std::size_t i = 0; i < std::min<std::size_t>(patch.size(), 8); ++i)
            places += (i == 0 ? "" : ", ") +
                      (patch[i]["path"] == "" ? "everything" : patch[i]["path"].get<std::string>());
        if (patch.size() > 8) places += fmt::format(" and {} more places", patch.size() - 8);
        out.push_back("The manifests differ" + (places.empty() ? std::string(".") : ", at " + places + "."));
    }
    const json tool_a = a.document.value("tool", empty), tool_b = b.document.value("tool", empty);
    const json none;
    if (tool_a.value("version", none) != tool_b.value("version", none) ||
        tool_a.value("git_commit", none) != tool_b.value("git_commit", none))
        out.push_back("The runs were made by different builds of tracebench.");
    return out;
}

json comparison_json(const RunRecord& a, const RunRecord& b) {
    json changes = json::array(), counts = json::object();
    for (const char* outcome : {"worse", "better", "unclear", "not_comparable", "only_a", "only_b", "same"})
        counts[outcome] = 0;
    for (const Change& change : compare_metrics(a, b)) {
        counts[change.outcome] = counts[change.outcome].get<int>() + 1;
        changes.push_back(to_json(change));
    }
    return {{"schema_version", 1},
            {"a", about(a)},
            {"b", about(b)},
            {"warnings", comparison_warnings(a, b)},
            {"leaderboard", leaderboards(a, b)},
            {"counts", std::move(counts)},
            {"changes", std::move(changes)}};
}

}  // namespace tracebench
