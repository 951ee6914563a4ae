#include "bench/runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

class RunnerTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("tracebench-runner-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        fs::remove_all(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    void add(const std::string& id, std::vector<std::string> needs, std::function<json()> work) {
        Task task;
        task.id = id;
        task.kind = "test";
        task.needs = std::move(needs);
        task.key = sha256(id + "-v1");
        task.run = [work = std::move(work)](Workspace&, Progress&) { return work(); };
        plan_.tasks.push_back(std::move(task));
    }

    std::vector<TaskOutcome> run(RunnerOptions options = {}) {
        Workspace workspace(folder_, plan_);
        return run_plan(plan_, workspace, Store(folder_), options);
    }

    fs::path folder_;
    Plan plan_;
};

TEST_F(RunnerTest, RunsNeedsFirst) {
    std::atomic<int> first{0};
    add("a", {}, [&] { first = 1; return json{{"x", 1}}; });
    add("b", {"a"}, [&] { return json{{"saw", first.load()}}; });
    const auto outcomes = run();
    EXPECT_EQ(outcomes[1].status, TaskOutcome::Status::done);
    EXPECT_EQ(Store(folder_).find(plan_.tasks[1])->at("result").at("saw"), 1);
}

TEST_F(RunnerTest, TakesFinishedTasksFromTheStore) {
    int runs = 0;
    add("a", {}, [&] { ++runs; return json{{"x", 1}}; });
    run();
    EXPECT_EQ(run()[0].status, TaskOutcome::Status::reused);
    EXPECT_EQ(runs, 1);
    run({.jobs = 1, .fresh = true});
    EXPECT_EQ(runs, 2);
}

TEST_F(RunnerTest, AFailureStopsOnlyWhatNeedsIt) {
    add("bad", {}, []() -> json { throw InputError("x.pcap", "is broken", "mend it"); });
    add("after", {"bad"}, [] { return json::object(); });
    add("other", {}, [] { return json::object(); });
    const auto outcomes = run();
    EXPECT_EQ(outcomes[0].status, TaskOutcome::Status::failed);
    EXPECT_TRUE(outcomes[0].bad_input);
    EXPECT_EQ(outcomes[1].status, TaskOutcome::Status::skipped);
    EXPECT_NE(outcomes[1].error.find("bad"), std::string::npos);
    EXPECT_EQ(outcomes[2].status, TaskOutcome::Status::done);
}

TEST_F(RunnerTest, DoesAgainWhatWasCutOffOrWhoseOutputChanged) {
    int runs = 0;
    add("a", {}, [&] {
        ++runs;
        write_file(folder_ / "out.txt", "content");
        return json{{"outputs", {"out.txt"}}};
    });
    run();
    const Store store(folder_);
    ASSERT_TRUE(store.find(plan_.tasks[0]));
    std::ofstream(folder_ / "out.txt") << "tampered";
    EXPECT_FALSE(store.find(plan_.tasks[0]));
    run();
    EXPECT_EQ(runs, 2);
    std::ofstream(folder_ / "store" / (plan_.tasks[0].key + ".json")) << "{\"key\": \"";
    EXPECT_FALSE(store.find(plan_.tasks[0]));
}

TEST_F(RunnerTest, TwoRunsCannotShareAFolder) {
    const Workspace first(folder_, plan_);
    EXPECT_THROW(Workspace(folder_, plan_), InputError);
}

TEST_F(RunnerTest, OneTaskAloneWantsItsNeeds) {
    add("a", {}, [] { return json::object(); });
    add("b", {"a"}, [] { return json::object(); });
    Workspace workspace(folder_, plan_);
    const Store store(folder_);
    Progress progress;
    EXPECT_THROW(run_task(plan_, plan_.tasks[1], workspace, store, progress), InputError);
    run_task(plan_, plan_.tasks[0], workspace, store, progress);
    run_task(plan_, plan_.tasks[1], workspace, store, progress);
    EXPECT_TRUE(store.find(plan_.tasks[1]));
}

TEST_F(RunnerTest, KeepOnlyKeepsNeeds) {
    add("fit:lab:m:1", {}, [] { return json::object(); });
    add("sample:lab:m:1", {"fit:lab:m:1"}, [] { return json::object(); });
    add("fit:lab:other:1", {}, [] { return json::object(); });
    keep_only(plan_, {"sample:lab:m"});
    ASSERT_EQ(plan_.tasks.size(), 2u);
    EXPECT_EQ(plan_.tasks[0].id, "fit:lab:m:1");
    EXPECT_THROW(keep_only(plan_, {"nothing"}), InputError);
}

}  // namespace
}  // namespace tracebench
