#include "classifiers/two_sample.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "classifiers/flow_rows.h"
#include "tests/unit/classifiers/session_builder.h"
#include "tests/unit/classifiers/two_sample_support.h"

namespace tracebench {
namespace {

using testing_two_sample::clustered;
using testing_two_sample::joined;
using testing_two_sample::make_naive_bayes;

TwoSampleOptions with(MakeScorer scorer, std::size_t folds = 3) {
    TwoSampleOptions options;
    options.scorer = std::move(scorer);
    options.folds = folds;
    return options;
}

/// Four rows of a side each, scores as given, all of one label, a session a row.
TwoSampleScores scores_of(const std::vector<float>& first, const std::vector<float>& second) {
    TwoSampleScores scores;
    scores.score = first;
    scores.score.insert(scores.score.end(), second.begin(), second.end());
    scores.weight.assign(scores.score.size(), 1);
    for (std::size_t i = 0; i < scores.score.size(); ++i)
        scores.session.push_back(static_cast<std::uint32_t>(i));
    scores.first_labels.assign(first.size(), "a");
    scores.second_labels.assign(second.size(), "a");
    return scores;
}

// tests/golden/two_sample/make.py: the same folds, weights and model by scikit-learn's cross_val_predict.
TEST(TwoSample, AgreesWithScikitLearn) {
    const auto golden =
        nlohmann::json::parse(read_file(TRACEBENCH_SOURCE_DIR "/tests/golden/two_sample/expected.json"));
    const std::size_t columns = golden.at("columns");
    FeatureTable tables[2];
    for (std::size_t i = 0; i < golden.at("sides").size(); ++i) {
        FeatureTable& table = tables[golden["sides"][i].get<std::size_t>()];
        for (std::size_t c = 0; c < columns; ++c)
            table.values.push_back(golden["values"][i * columns + c].get<float>());
        table.labels.push_back(std::to_string(golden["labels"][i].get<int>()));
        table.sessions.push_back("session-" + table.labels.back());
    }
    for (FeatureTable& table : tables) table.columns = {"x", "y", "z"};

    const auto scores = two_sample_scores(tables[0], tables[1], with(make_naive_bayes, golden.at("folds")));
    ASSERT_TRUE(scores);
    ASSERT_EQ(scores->score.size(), golden.at("scores").size());
    EXPECT_EQ(scores->weight, golden.at("weights").get<std::vector<double>>());
    for (std::size_t i = 0; i < scores->score.size(); ++i)
        EXPECT_NEAR(scores->score[i], golden["scores"][i].get<float>(), 1e-6) << i;
    const auto result = TwoSampleMeasure(*scores)();
    EXPECT_NEAR(result.auc, golden.at("auc").get<double>(), 1e-12);
    EXPECT_NEAR(result.accuracy, golden.at("accuracy").get<double>(), 1e-12);

    TwoSampleScores coarse = *scores, plain = *scores;
    for (float& score : coarse.score) score = std::nearbyint(score * 4) / 4;
    EXPECT_NEAR(TwoSampleMeasure(coarse)().auc, golden.at("coarse_auc").get<double>(), 1e-12);
    plain.weight.assign(plain.weight.size(), 1);
    EXPECT_NEAR(TwoSampleMeasure(plain)().auc, golden.at("plain_auc").get<double>(), 1e-12);
}

TEST(TwoSample, AreaAndAccuracyByHand) {
    const TwoSampleMeasure apart(scores_of({0.1F, 0.2F}, {0.7F, 0.9F}));
    EXPECT_EQ(apart().auc, 1);
    EXPECT_EQ(apart().accuracy, 1);
    const TwoSampleMeasure tied(scores_of({0.5F, 0.5F}, {0.5F, 0.5F}));
    EXPECT_EQ(tied().auc, 0.5);
    EXPECT_EQ(tied().accuracy, 0.5);
    // Pairs: 0.4 beats 0.1 and ties with 0.4, 0.9 beats both: 3.5 of 4. Right: 2 of 2, 1 of 2.
    const TwoSampleMeasure mixed(scores_of({0.1F, 0.4F}, {0.4F, 0.9F}));
    EXPECT_EQ(mixed().auc, 3.5 / 4);
    EXPECT_EQ(mixed().accuracy, 0.75);
    // The second session of the first side counts three times: (1 + 3 * 0.5 + 1 + 3) of 8.
    const auto weighted = mixed(std::vector<double>{1, 3, 1, 1});
    ASSERT_TRUE(weighted);
    EXPECT_EQ(weighted->auc, 6.5 / 8);
    EXPECT_FALSE(mixed(std::vector<double>{0, 0, 1, 1}));
}

/// Remembers the sessions (first column) it was fitted on and gives 1 to rows of those.
class Spy : public SideScorer {
  public:
    void fit(MatrixView rows, std::span<const float> second, std::span<const float> weights,
             std::uint64_t) override {
        double side_weights[2] = {0, 0};
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            known_.insert(rows.row(i)[0]);
            side_weights[second[i] == 1] += static_cast<double>(weights[i]);
        }
        EXPECT_NEAR(side_weights[0], side_weights[1], 1e-3);
    }
    std::vector<float> score(MatrixView rows) const override {
        std::vector<float> seen;
        for (std::size_t i = 0; i < rows.rows(); ++i)
            seen.push_back(known_.contains(rows.row(i)[0]) ? 1.0F : 0.0F);
        return seen;
    }

  private:
    std::set<float> known_;
};

TEST(TwoSample, NeverTrainsOnASessionThatItTests) {
    Random random(1);
    FeatureTable first = clustered(random, 7, 4, 0), second = clustered(random, 12, 9, 0);
    for (std::size_t i = 0; i < first.rows(); ++i)
        first.values[2 * i] = std::stof(first.sessions[i].substr(8));
    for (std::size_t i = 0; i < second.rows(); ++i)
        second.values[2 * i] = 100 + std::stof(second.sessions[i].substr(8));
    const auto scores = two_sample_scores(first, second, with([] { return std::make_unique<Spy>(); }, 5));
    ASSERT_TRUE(scores);
    EXPECT_EQ(scores->rows(false), 28U);
    EXPECT_EQ(scores->rows(true), 108U);
    for (const float score : scores->score) EXPECT_EQ(score, 0);
}

TEST(TwoSample, LabelsWeighTheSameOnBothSidesAndOneSidedOnesNothing) {
    FeatureTable first, second;
    const auto add = [](FeatureTable& table, const std::string& label, std::size_t rows) {
        table.columns = {"x"};
        for (std::size_t i = 0; i < rows; ++i) {
            table.values.push_back(static_cast<float>(i));
            table.labels.push_back(label);
            table.sessions.push_back(label + std::to_string(i / 2));
        }
    };
    add(first, "a", 12);
    add(first, "b", 4);
    add(first, "only real", 6);
    add(second, "a", 6);
    add(second, "b", 8);
    const auto scores = two_sample_scores(first, second, with(make_xgboost_scorer));
    ASSERT_TRUE(scores);
    std::map<std::pair<bool, std::string>, double> weights;
    for (std::size_t i = 0; i < scores->score.size(); ++i) {
        const std::size_t session = scores->session[i], firsts = scores->first_labels.size();
        const std::string& label =
            session < firsts ? scores->first_labels[session] : scores->second_labels[session - firsts];
        weights[{scores->is_second(i), label}] += scores->weight[i];
    }
    // Sessions of two rows: of `a` six and three, of `b` two and four.
    EXPECT_DOUBLE_EQ((weights[{false, "a"}]), 4.5);
    EXPECT_DOUBLE_EQ((weights[{true, "a"}]), 4.5);
    EXPECT_DOUBLE_EQ((weights[{false, "b"}]), 3);
    EXPECT_DOUBLE_EQ((weights[{true, "b"}]), 3);
    EXPECT_EQ((weights[{false, "only real"}]), 0);
}

TEST(TwoSample, RowsAreThinnedToTheLimitSessionBySession) {
    Random random(2);
    TwoSampleOptions options = with(make_naive_bayes);
    options.max_rows = 55;
    const FeatureTable many = clustered(random, 10, 20, 0), few = clustered(random, 4, 5, 0);
    const auto scores = two_sample_scores(many, few, options);
    ASSERT_TRUE(scores);
    EXPECT_EQ(scores->rows(false), 50U);  // five of each session
    EXPECT_EQ(scores->rows(true), 20U);
    EXPECT_EQ(std::count(scores->session.begin(), scores->session.end(), 3), 5);
    options.max_rows = 7;  // fewer than sessions
    EXPECT_EQ(two_sample_scores(many, few, options)->rows(false), 7U);

    const std::vector<std::size_t> rows = {1, 100, 7, 3};
    EXPECT_EQ(rows_per_session(rows, 1000), 1000U);
    EXPECT_EQ(rows_per_session(rows, 111), 111U);
    EXPECT_EQ(rows_per_session(rows, 110), 99U);
    EXPECT_EQ(rows_per_session(rows, 17), 6U);  // 1 + 6 + 6 + 3
    EXPECT_EQ(rows_per_session(rows, 4), 1U);
    EXPECT_EQ(rows_per_session(rows, 3), 0U);
}

TEST(TwoSample, SameSeedSameScores) {
    Random random(3);
    const FeatureTable first = clustered(random, 6, 5, 0), second = clustered(random, 6, 5, 1);
    TwoSampleOptions options;
    const auto once = two_sample_scores(first, second, options),
               again = two_sample_scores(first, second, options);
    EXPECT_EQ(once->score, again->score);
    options.seed = 2;
    EXPECT_NE(two_sample_scores(first, second, options)->score, once->score);
    const auto wanted = count_sessions(first);
    EXPECT_EQ(two_sample_null(second, wanted, wanted, 2, options).draws[1].auc,
              two_sample_null(second, wanted, wanted, 2, options).draws[1].auc);
}

TEST(TwoSample, XgboostFindsAShiftAndNoMoreThanThereIs) {
    Random random(4);
    double before = 0;
    for (const double shift : {0.0, 1.0, 2.0, 3.0}) {
        const FeatureTable first = clustered(random, 500, 1, 0), second = clustered(random, 500, 1, shift);
        const double auc = TwoSampleMeasure(*two_sample_scores(first, second, {}))().auc;
        // A row's deviation is sqrt 2: no test can do better than Phi(shift / sqrt 2 / sqrt 2).
        const double best = std::erfc(-shift / 2 / std::numbers::sqrt2) / 2;
        EXPECT_GT(auc, best - 0.07) << shift;
        EXPECT_LT(auc, best + 0.04) << shift;
        EXPECT_GT(auc, before);
        before = auc;
    }
}

TEST(TwoSample, PValuesAreRanks) {
    TwoSampleNull null;
    for (int i = 1; i <= 19; ++i) null.draws.push_back({0.4 + 0.01 * i, 0.5});
    EXPECT_DOUBLE_EQ(two_sample_p_value(0.9, null), 0.05);
    EXPECT_DOUBLE_EQ(two_sample_p_value(0.1, null), 1);
    EXPECT_DOUBLE_EQ(two_sample_p_value(0.575, null), 3.0 / 20);
}

TEST(TwoSample, RightFalsePositiveRateForSessionsAndPowerThatRises) {
    // Rows of a session are alike: a test that took them as independent would find nearly everything
    // different.
    constexpr int trials = 200;
    std::map<double, int> found;
    for (const double shift : {0.0, 1.0, 2.5}) {
        for (int trial = 0; trial < (shift == 0 ? 2 * trials : trials / 4); ++trial) {
            Random random(stream_seed(static_cast<std::uint64_t>(trial), std::to_string(shift)));
            const FeatureTable heldout = clustered(random, 8, 4, 0),
                               synthetic = clustered(random, 8, 4, shift), train = clustered(random, 8, 4, 0);
            TwoSampleOptions options = with(make_naive_bayes);
            options.seed = random.bits();
            const auto scores = two_sample_scores(heldout, synthetic, options);
            const TwoSampleNull null = two_sample_null(joined(train, heldout), count_sessions(heldout),
                                                       count_sessions(train), 19, options);
            EXPECT_EQ(null.first_sessions, 8U);
            EXPECT_EQ(null.second_sessions, 8U);
            found[shift] += two_sample_p_value(TwoSampleMeasure(*scores)().auc, null) <= 0.05 ? 1 : 0;
        }
    }
    // 400 trials at 5%: 20 are expected, with a deviation of 4.4.
    EXPECT_GT(found[0], 6);
    EXPECT_LT(found[0], 36);
    EXPECT_GT(found[1], trials / 4 * 0.15);
    EXPECT_GT(found[2.5], trials / 4 * 0.8);
    EXPECT_GT(found[2.5], found[1]);
}

TEST(TwoSample, TooFewSessionsGiveNothing) {
    Random random(5);
    const FeatureTable one = clustered(random, 1, 10, 0), many = clustered(random, 6, 4, 0);
    EXPECT_FALSE(two_sample_scores(one, many, {}));
    EXPECT_FALSE(two_sample_scores(many, {}, {}));
    const auto counts = count_sessions(many);
    EXPECT_EQ(counts, (std::map<std::string, std::size_t>{{"a", 3}, {"b", 3}}));
    EXPECT_TRUE(two_sample_null(one, counts, counts, 5, {}).draws.empty());
    const auto drawn = [&](std::size_t first, std::size_t second) {
        const TwoSampleNull null = two_sample_null(clustered(random, 20, 1, 0), {{"a", first}, {"b", first}},
                                                   {{"a", second}, {"b", second}}, 1, with(make_naive_bayes));
        return std::pair{null.first_sessions, null.second_sessions};
    };
    EXPECT_EQ(drawn(3, 7), (std::pair<std::size_t, std::size_t>{6, 14}));   // of ten a label
    EXPECT_EQ(drawn(9, 9), (std::pair<std::size_t, std::size_t>{10, 10}));  // too few: halves
    EXPECT_EQ(drawn(9, 2), (std::pair<std::size_t, std::size_t>{16, 4}));
    EXPECT_EQ(drawn(2, 9), (std::pair<std::size_t, std::size_t>{4, 16}));
    FeatureTable other = many;
    other.labels.assign(other.labels.size(), "another");
    EXPECT_FALSE(two_sample_scores(many, other, {}));
    other.columns = {"y", "z"};
    EXPECT_THROW(two_sample_scores(many, other, {}), InputError);
}

TEST(TwoSample, FlowRowsAreOneAFlow) {
    const Trace trace = build_session(example_events());
    const std::vector<LabelledTrace> samples = {{"a.pcap", "web", trace},
                                                {"b.pcap#TCP|192.0.2.1|1|192.0.2.2|2", "dns", trace}};
    EXPECT_EQ(flow_rows(samples, 2, 1).sessions, (std::vector<std::string>{"a.pcap", "b.pcap"}));
    const FeatureTable table = flow_rows(samples, 4, 1);
    ASSERT_EQ(table.rows(), 4U);
    EXPECT_EQ(table.sessions, (std::vector<std::string>{"a.pcap", "a.pcap", "b.pcap", "b.pcap"}));
    EXPECT_EQ(table.labels, (std::vector<std::string>{"web", "web", "dns", "dns"}));
    EXPECT_EQ(table.columns, extract_features({}, {FeatureKind::flow}).columns);
    const auto packets = std::find(table.columns.begin(), table.columns.end(), "packets.both");
    ASSERT_NE(packets, table.columns.end());
    const auto column = static_cast<std::size_t>(packets - table.columns.begin());
    EXPECT_EQ(table.values[column], 6);
    EXPECT_EQ(table.values[table.columns.size() + column], 1);
}

}  // namespace
}  // namespace tracebench
