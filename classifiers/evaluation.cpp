#include "classifiers/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "base/random.h"
#include "classifiers/scores.h"

namespace tracebench {
namespace {

/// A row of one of the tables.
struct RowReference {
    const FeatureTable* table;
    std::size_t row;
};

std::vector<RowReference> all_rows(const FeatureTable& table) {
    std::vector<RowReference> rows;
    for (std::size_t i = 0; i < table.rows(); ++i) rows.push_back({&table, i});
    return rows;
}

const std::string& label_of(const RowReference& reference) {
    return reference.table->labels[reference.row];
}

void check_table(const FeatureTable& table, const FeatureTable& like, std::string_view name) {
    if (table.rows() == 0)
        throw InputError(name, "the set has no samples", "check its labels and min_packets");
    if (table.columns != like.columns)
        throw InputError(name, "feature columns differ from those of the other set", "extract both alike");
    if (table.values.size() != table.rows() * table.columns.size() || table.sessions.size() != table.rows())
        throw std::invalid_argument("feature table: parts disagree in length");
}

/// Real training rows plus, label by label, synthetic ones.
std::vector<RowReference> augmented(const FeatureTable& real, const FeatureTable& synthetic,
                                    const EvaluationRequest& request, std::vector<std::string>& warnings) {
    std::map<std::string, std::size_t> real_counts;
    for (const std::string& label : real.labels) ++real_counts[label];
    std::map<std::string, std::vector<std::size_t>> synthetic_rows;
    for (std::size_t i = 0; i < synthetic.rows(); ++i) synthetic_rows[synthetic.labels[i]].push_back(i);

    std::vector<RowReference> rows = all_rows(real);
    for (const auto& [label, count] : real_counts) {
        std::vector<std::size_t>& pool = synthetic_rows[label];
        Random random(stream_seed(request.seed, "augment/" + label));
        random.shuffle(pool);
        const auto wanted =
            static_cast<std::size_t>(std::llround(request.mixing_ratio * static_cast<double>(count)));
        if (wanted > pool.size())
            warnings.push_back(
                fmt::format("class '{}': {} synthetic samples of {} wanted", label, pool.size(), wanted));
        for (std::size_t k = 0; k < std::min(wanted, pool.size()); ++k) rows.push_back({&synthetic, pool[k]});
    }
    return rows;
}

struct Sets {
    std::vector<RowReference> train, test;
};

Sets choose_sets(const FeatureTable& real_train, const FeatureTable& real_heldout,
                 const FeatureTable& synthetic, const EvaluationRequest& request,
                 std::vector<std::string>& warnings) {
    const bool uses_synthetic = request.protocol == Protocol::tstr || request.protocol == Protocol::trts ||
                                (request.protocol == Protocol::aug && request.mixing_ratio > 0);
    const FeatureTable& like = request.protocol == Protocol::tstr ? real_heldout : real_train;
    if (request.protocol != Protocol::tstr) check_table(real_train, like, "training set");
    if (request.protocol != Protocol::trts) check_table(real_heldout, like, "test set");
    if (uses_synthetic) check_table(synthetic, like, "synthetic set");
    switch (request.protocol) {
        case Protocol::trtr:
            return {all_rows(real_train), all_rows(real_heldout)};
        case Protocol::tstr:
            return {all_rows(synthetic), all_rows(real_heldout)};
        case Protocol::trts:
            return {all_rows(real_train), all_rows(synthetic)};
        case Protocol::aug:
            return {augmented(real_train, synthetic, request, warnings), all_rows(real_heldout)};
    }
    throw std::invalid_argument("evaluation: unknown protocol");
}

std::vector<float> gather(const std::vector<RowReference>& rows) {
    std::vector<float> values;
    for (const auto& [table, row] : rows) {
        const auto begin = table->values.begin() + static_cast<std::ptrdiff_t>(row * table->columns.size());
        values.insert(values.end(), begin, begin + static_cast<std::ptrdiff_t>(table->columns.size()));
    }
    return values;
}

/// Index of each row's label in `labels` (sorted).
std::vector<int> classes_of(const std::vector<RowReference>& rows, const std::vector<std::string>& labels) {
    std::vector<int> classes;
    for (const RowReference& row : rows)
        classes.push_back(
            static_cast<int>(std::lower_bound(labels.begin(), labels.end(), label_of(row)) - labels.begin()));
    return classes;
}

/// Sorted labels of both sets, with warnings about those that only one of them has.
std::vector<std::string> join_labels(const Sets& sets, std::vector<std::string>& warnings) {
    std::set<std::string> train, test;
    for (const RowReference& row : sets.train) train.insert(label_of(row));
    for (const RowReference& row : sets.test) test.insert(label_of(row));
    if (train.size() < 2)
        throw InputError("training set", fmt::format("has {} label", train.size()),
                         "a classifier needs samples of two labels or more");
    for (const std::string& label : test)
        if (!train.contains(label))
            warnings.push_back(fmt::format("class '{}' has no training samples", label));
    for (const std::string& label : train)
        if (!test.contains(label))
            warnings.push_back(fmt::format(
                "class '{}' has no test samples: it counts in macro_f1 only if predicted", label));
    train.merge(test);
    return {train.begin(), train.end()};
}

void bootstrap(const std::vector<RowReference>& test, const std::vector<int>& truth,
               const std::vector<int>& predicted, const EvaluationRequest& request,
               EvaluationResult& result) {
    std::map<std::string_view, std::vector<std::size_t>> by_session;
    for (std::size_t i = 0; i < test.size(); ++i)
        by_session[test[i].table->sessions[test[i].row]].push_back(i);
    if (by_session.size() < 2) return;
    std::vector<const std::vector<std::size_t>*> sessions;
    for (const auto& [session, rows] : by_session) sessions.push_back(&rows);

    // Independent of the model: results of different generators and models resample the same sessions.
    Random random(stream_seed(request.seed, "bootstrap"));
    for (std::size_t b = 0; b < request.bootstrap; ++b) {
        ConfusionMatrix confusion(result.labels.size(), std::vector<std::size_t>(result.labels.size(), 0));
        for (std::size_t draw = 0; draw < sessions.size(); ++draw)
            for (const std::size_t i : *sessions[random.below(sessions.size())])
                ++confusion[static_cast<std::size_t>(truth[i])][static_cast<std::size_t>(predicted[i])];
        const Scores scores = score(confusion);
        result.accuracy_replicates.push_back(scores.accuracy);
        result.f1_replicates.push_back(scores.macro_f1);
    }
}

nlohmann::json interval_json(const std::vector<double>& replicates) {
    const auto interval = interval95(replicates);
    if (!interval) return nullptr;
    return {interval->first, interval->second};
}

}  // namespace

std::string evaluation_protocol_name(Protocol protocol) {
    switch (protocol) {
        case Protocol::trtr:
            return "TRTR";
        case Protocol::tstr:
            return "TSTR";
        case Protocol::trts:
            return "TRTS";
        case Protocol::aug:
            return "AUG";
    }
    throw std::invalid_argument("evaluation: unknown protocol");
}

EvaluationResult evaluate(const FeatureTable& real_train, const FeatureTable& real_heldout,
                          const FeatureTable& synthetic, const EvaluationRequest& request) {
    if (!(request.mixing_ratio >= 0 && request.mixing_ratio <= 1))
        throw InputError("mixing ratio", fmt::format("is {}", request.mixing_ratio), "use 0 to 1");
    EvaluationResult result;
    const Sets sets = choose_sets(real_train, real_heldout, synthetic, request, result.warnings);
    result.labels = join_labels(sets, result.warnings);
    result.n_train = sets.train.size();
    result.n_test = sets.test.size();

    const std::size_t columns = sets.train.front().table->columns.size();
    const auto classifier = make_classifier(request.model);
    {
        const std::vector<float> values = gather(sets.train);
        classifier->fit({values, columns}, classes_of(sets.train, result.labels),
                        static_cast<int>(result.labels.size()), request.seed);
    }
    const std::vector<float> values = gather(sets.test);
    const std::vector<int> predicted = classifier->predict({values, columns});
    const std::vector<int> truth = classes_of(sets.test, result.labels);

    result.confusion.assign(result.labels.size(), std::vector<std::size_t>(result.labels.size(), 0));
    for (std::size_t i = 0; i < truth.size(); ++i)
        ++result.confusion[static_cast<std::size_t>(truth[i])][static_cast<std::size_t>(predicted[i])];
    Scores scores = score(result.confusion);
    result.accuracy = scores.accuracy;
    result.macro_f1 = scores.macro_f1;
    result.precision = std::move(scores.precision);
    result.recall = std::move(scores.recall);
    result.f1 = std::move(scores.f1);
    result.support = std::move(scores.support);
    bootstrap(sets.test, truth, predicted, request, result);
    return result;
}

std::optional<std::pair<double, double>> interval95(std::vector<double> replicates) {
    if (replicates.empty()) return std::nullopt;
    std::sort(replicates.begin(), replicates.end());
    const auto quantile = [&](double share) {
        const double position = share * static_cast<double>(replicates.size() - 1);
        const auto low = static_cast<std::size_t>(position);
        const std::size_t high = std::min(low + 1, replicates.size() - 1);
        return std::lerp(replicates[low], replicates[high], position - static_cast<double>(low));
    };
    return std::pair{quantile(0.025), quantile(0.975)};
}

nlohmann::json to_json(const EvaluationResult& result) {
    nlohmann::json per_class = nlohmann::json::array();
    for (std::size_t c = 0; c < result.labels.size(); ++c)
        per_class.push_back({{"label", result.labels[c]},
                             {"precision", result.precision[c]},
                             {"recall", result.recall[c]},
                             {"f1", result.f1[c]},
                             {"support", result.support[c]}});
    return {{"accuracy", result.accuracy},
            {"accuracy_ci95", interval_json(result.accuracy_replicates)},
            {"macro_f1", result.macro_f1},
            {"macro_f1_ci95", interval_json(result.f1_replicates)},
            {"n_train", result.n_train},
            {"n_test", result.n_test},
            {"labels", result.labels},
            {"per_class", per_class},
            {"confusion_matrix", result.confusion},
            {"warnings", result.warnings}};
}

}  // namespace tracebench
