#include "classifiers/two_sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "classifiers/flow_rows.h"

namespace tracebench {
namespace {

struct Session {
    const FeatureTable* table;
    std::string label;
    std::vector<std::size_t> rows;
    std::uint32_t number = 0;  ///< within its side
};
using Side = std::vector<Session>;

std::string commonest_label(const FeatureTable& table, const std::vector<std::size_t>& rows) {
    std::map<std::string, std::size_t> counts;
    for (const std::size_t row : rows) ++counts[table.labels[row]];
    return std::max_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

/// By name.
Side sessions_of(const FeatureTable& table) {
    std::map<std::string, std::vector<std::size_t>> rows;
    for (std::size_t i = 0; i < table.rows(); ++i) rows[table.sessions[i]].push_back(i);
    Side side;
    for (auto& [name, of_session] : rows) {
        std::string label = commonest_label(table, of_session);
        side.push_back(
            {&table, std::move(label), std::move(of_session), static_cast<std::uint32_t>(side.size())});
    }
    return side;
}

/// In the order of their numbers.
std::vector<std::string> labels_of(const Side& side) {
    std::vector<std::string> labels(side.size());
    for (const Session& session : side) labels[session.number] = session.label;
    return labels;
}

/// At random, with those of one label together.
void arrange(Side& side, Random& random) {
    random.shuffle(side);
    std::stable_sort(side.begin(), side.end(),
                     [](const Session& a, const Session& b) { return a.label < b.label; });
}

/// At most so many rows: as many of each session as that allows, drawn at random. Where there are more
/// sessions than rows are wanted some have none.
void thin(Side& side, std::size_t max_rows, Random& random) {
    std::vector<std::size_t> counts;
    for (const Session& session : side) counts.push_back(session.rows.size());
    const std::size_t limit = rows_per_session(counts, max_rows);
    std::size_t left = side.size(), wanted = limit == 0 ? max_rows : left;
    for (Session& session : side) {
        const bool drawn = random.below(left--) < wanted;
        wanted -= drawn ? 1 : 0;
        const std::size_t keep = drawn ? std::max<std::size_t>(limit, 1) : 0;
        if (session.rows.size() <= keep) continue;
        random.shuffle(session.rows);
        session.rows.resize(keep);
    }
}

/// A row of the pooled data.
struct PooledRow {
    const FeatureTable* table;
    std::size_t row;
    std::uint32_t session;
    std::uint32_t fold;
    bool second;

    const std::string& label() const { return table->labels[row]; }
};

std::vector<PooledRow> pooled(const Side& first, const Side& second, std::size_t folds) {
    std::vector<PooledRow> rows;
    for (const Side* side : {&first, &second}) {
        const auto before = static_cast<std::uint32_t>(side == &second ? first.size() : 0);
        std::size_t dealt = 0;
        for (const Session& session : *side) {
            const auto fold = static_cast<std::uint32_t>(dealt++ % folds);
            for (const std::size_t row : session.rows)
                rows.push_back({session.table, row, before + session.number, fold, side == &second});
        }
    }
    return rows;
}

/// A label weighs as much on either side, as its sessions (their mean over the sides) do, and so does each of
/// its sessions within a side: flows of one session are alike, and one of a thousand flows is not to outvote
/// the others. 0 where one side alone has the label.
std::vector<double> balance(const std::vector<PooledRow>& rows) {
    std::map<std::string, std::array<double, 2>> sessions;
    std::map<std::pair<std::string, std::uint32_t>, double> rows_of_session;
    for (const PooledRow& row : rows)
        if (++rows_of_session[{row.label(), row.session}] == 1) ++sessions[row.label()][row.second ? 1 : 0];
    std::vector<double> weights;
    for (const PooledRow& row : rows) {
        const std::array<double, 2>& of_label = sessions[row.label()];
        const bool both = of_label[0] > 0 && of_label[1] > 0;
        const double session = (of_label[0] + of_label[1]) / 2 / of_label[row.second ? 1 : 0];
        weights.push_back(both ? session / rows_of_session[{row.label(), row.session}] : 0);
    }
    return weights;
}

/// Rows as a learner wants them. Infinite values become the largest float.
struct Rows {
    std::vector<float> values;
    std::size_t columns = 0;

    MatrixView view() const { return {values, columns}; }
    void add(const PooledRow& row) {
        columns = row.table->columns.size();
        constexpr float most = std::numeric_limits<float>::max();
        for (std::size_t c = 0; c < columns; ++c) {
            const float value = row.table->values[row.row * columns + c];
            values.push_back(std::isinf(value) ? std::copysign(most, value) : value);
        }
    }
};

/// Fits on the rows and gives the scores of others; none where there is nothing to learn from.
std::vector<float> fit_and_score(const std::vector<PooledRow>& training,
                                 const std::vector<PooledRow>& testing, const MakeScorer& make,
                                 std::uint64_t seed) {
    const std::vector<double> weights = balance(training);
    Rows known, asked;
    std::vector<float> second, positive;
    for (std::size_t i = 0; i < training.size(); ++i) {
        if (weights[i] == 0) continue;
        known.add(training[i]);
        second.push_back(training[i].second ? 1.0F : 0.0F);
        positive.push_back(static_cast<float>(weights[i]));
    }
    if (second.empty() || testing.empty()) return {};
    // A mean of 1: learners bound leaves by the weight in them.
    const float sum = std::accumulate(positive.begin(), positive.end(), 0.0F);
    for (float& weight : positive) weight *= static_cast<float>(positive.size()) / sum;
    for (const PooledRow& row : testing) asked.add(row);
    const auto scorer = make();
    scorer->fit(known.view(), second, positive, seed);
    return scorer->score(asked.view());
}

TwoSampleScores cross_fit(const Side& first, const Side& second, const TwoSampleOptions& options) {
    const std::size_t folds =
        std::min({std::max<std::size_t>(options.folds, 2), first.size(), second.size()});
    const std::vector<PooledRow> rows = pooled(first, second, folds);
    TwoSampleScores scores;
    scores.first_labels = labels_of(first);
    scores.second_labels = labels_of(second);
    for (const PooledRow& row : rows) scores.session.push_back(row.session);
    scores.weight = balance(rows);
    scores.score.assign(rows.size(), 0.5F);
    for (std::size_t fold = 0; fold < folds; ++fold) {
        std::vector<PooledRow> training, testing;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            (rows[i].fold == fold ? testing : training).push_back(rows[i]);
            if (rows[i].fold == fold) places.push_back(i);
        }
        const std::vector<float> given =
            fit_and_score(training, testing, options.scorer,
                          stream_seed(options.seed, "c2st/fold/" + std::to_string(fold)));
        for (std::size_t i = 0; i < given.size(); ++i) scores.score[places[i]] = given[i];
    }
    return scores;
}

std::size_t wanted(const std::map<std::string, std::size_t>& counts, const std::string& label) {
    const auto found = counts.find(label);
    return found == counts.end() ? 0 : found->second;
}

}  // namespace

std::size_t TwoSampleScores::rows(bool second) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < session.size(); ++i) count += is_second(i) == second ? 1 : 0;
    return count;
}

std::map<std::string, std::size_t> count_sessions(const FeatureTable& table) {
    std::map<std::string, std::size_t> counts;
    for (const Session& session : sessions_of(table)) ++counts[session.label];
    return counts;
}

std::optional<TwoSampleScores> two_sample_scores(const FeatureTable& first, const FeatureTable& second,
                                                 const TwoSampleOptions& options) {
    if (first.rows() > 0 && second.rows() > 0 && first.columns != second.columns)
        throw InputError("two-sample test", "the two sets have different feature columns",
                         "extract both alike");
    Side a = sessions_of(first), b = sessions_of(second);
    if (a.size() < 2 || b.size() < 2) return std::nullopt;
    // A stream for each side: which rows of one are used does not depend on the other.
    Random a_random(stream_seed(options.seed, "c2st/first")),
        b_random(stream_seed(options.seed, "c2st/second"));
    arrange(a, a_random);
    arrange(b, b_random);
    thin(a, options.max_rows, a_random);
    thin(b, options.max_rows, b_random);
    TwoSampleScores scores = cross_fit(a, b, options);
    const bool comparable =
        std::any_of(scores.weight.begin(), scores.weight.end(), [](double weight) { return weight > 0; });
    if (!comparable) return std::nullopt;
    return scores;
}

TwoSampleNull two_sample_null(const FeatureTable& pool,
                              const std::map<std::string, std::size_t>& first_wanted,
                              const std::map<std::string, std::size_t>& second_wanted, std::size_t draws,
                              const TwoSampleOptions& options, const std::function<void()>& before_draw) {
    struct Stratum {
        Side sessions;
        std::size_t first = 0, second = 0;
    };
    std::map<std::string, Stratum> strata;
    for (Session& session : sessions_of(pool)) strata[session.label].sessions.push_back(std::move(session));
    TwoSampleNull null;
    for (auto& [label, stratum] : strata) {
        const std::size_t all = stratum.sessions.size(), b = wanted(second_wanted, label);
        stratum.first = std::min(wanted(first_wanted, label), std::max(all / 2, all - std::min(all, b)));
        stratum.second = std::min(b, all - stratum.first);
        null.first_sessions += stratum.first;
        null.second_sessions += stratum.second;
    }
    if (null.first_sessions < 2 || null.second_sessions < 2) return null;
    Random random(stream_seed(options.seed, "c2st/null"));
    for (std::size_t draw = 0; draw < draws; ++draw) {
        if (before_draw) before_draw();
        Side first, second;
        for (auto& [label, stratum] : strata) {
            random.shuffle(stratum.sessions);
            const auto begin = stratum.sessions.begin();
            const auto middle = begin + static_cast<std::ptrdiff_t>(stratum.first);
            first.insert(first.end(), begin, middle);
            second.insert(second.end(), middle, middle + static_cast<std::ptrdiff_t>(stratum.second));
        }
        for (Side* side : {&first, &second}) {
            for (std::uint32_t s = 0; s < side->size(); ++s) (*side)[s].number = s;
            thin(*side, options.max_rows, random);
        }
        TwoSampleOptions own = options;
        own.seed = random.bits();
        null.draws.push_back(TwoSampleMeasure(cross_fit(first, second, own))());
    }
    return null;
}

double two_sample_p_value(double auc, const TwoSampleNull& null) {
    const auto as_large = std::count_if(null.draws.begin(), null.draws.end(),
                                        [auc](const auto& draw) { return draw.auc >= auc; });
    return static_cast<double>(as_large + 1) / static_cast<double>(null.draws.size() + 1);
}

}  // namespace tracebench
