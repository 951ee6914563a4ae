#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "datasets/dataset.h"

namespace tracebench {
namespace {

Dataset dataset(const std::vector<std::pair<std::string, std::string>>& label_and_session) {
    Dataset data;
    std::set<std::string> labels;
    for (const auto& [label, session] : label_and_session) {
        Sample sample;
        sample.id = session + "#" + std::to_string(data.samples.size());
        sample.label = label;
        sample.session = session;
        data.samples.push_back(sample);
        labels.insert(label);
    }
    data.labels.assign(labels.begin(), labels.end());
    return data;
}

TEST(Split, KeepsSessionsWholeAndClassesOnBothSides) {
    std::vector<std::pair<std::string, std::string>> samples;
    for (int session = 0; session < 10; ++session)
        for (int flow = 0; flow < 3; ++flow)
            for (const char* label : {"a", "b"})
                samples.emplace_back(label, label + std::to_string(session));
    const Dataset data = dataset(samples);
    const Split split = split_by_session(data, 0.5, 1);
    EXPECT_EQ(split.train.size() + split.heldout.size(), data.samples.size());
    std::set<std::string> train, heldout;
    for (const std::size_t i : split.train) train.insert(data.samples[i].session);
    for (const std::size_t i : split.heldout) heldout.insert(data.samples[i].session);
    for (const std::string& session : train) EXPECT_FALSE(heldout.contains(session));
    EXPECT_EQ(train.size(), 10u);
    EXPECT_EQ(std::count_if(train.begin(), train.end(), [](const auto& s) { return s[0] == 'a'; }), 5);
    EXPECT_TRUE(split.warnings.empty());
}

TEST(Split, ACaptureWithSeveralClassesStaysOnOneSide) {
    std::vector<std::pair<std::string, std::string>> samples;
    for (int session = 0; session < 8; ++session)
        for (const char* label : {"a", "b", "c"}) samples.emplace_back(label, "capture" + std::to_string(session));
    const Dataset data = dataset(samples);
    const Split split = split_by_session(data, 0.5, 3);
    std::set<std::string> train;
    for (const std::size_t i : split.train) train.insert(data.samples[i].session);
    for (const std::size_t i : split.heldout) EXPECT_FALSE(train.contains(data.samples[i].session));
    EXPECT_FALSE(split.train.empty());
    EXPECT_FALSE(split.heldout.empty());
}

TEST(Split, WarnsWhereAClassHasOneCapture) {
    const Dataset data = dataset({{"a", "one"}, {"a", "one"}, {"a", "one"}, {"a", "one"}});
    const Split split = split_by_session(data, 0.5, 1);
    EXPECT_EQ(split.train.size(), 2u);
    EXPECT_EQ(split.heldout.size(), 2u);
    ASSERT_EQ(split.warnings.size(), 1u);
    EXPECT_NE(split.warnings[0].find("one capture"), std::string::npos);
}

TEST(Split, DependsOnTheSeedAndOnNothingElse) {
    std::vector<std::pair<std::string, std::string>> samples;
    for (int session = 0; session < 20; ++session) samples.emplace_back("a", std::to_string(session));
    const Dataset data = dataset(samples);
    EXPECT_EQ(split_by_session(data, 0.5, 1).train, split_by_session(data, 0.5, 1).train);
    EXPECT_NE(split_by_session(data, 0.5, 1).train, split_by_session(data, 0.5, 2).train);
    EXPECT_EQ(split_by_session(data, 0.01, 1).train.size(), 1u);
    EXPECT_EQ(split_by_session(data, 0.99, 1).heldout.size(), 1u);
}

}  // namespace
}  // namespace tracebench
