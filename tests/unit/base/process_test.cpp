#include "base/process.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace tracebench {
namespace {

TEST(Process, PassesInputAndTakesOutput) {
    const ProcessResult result = run_process({.arguments = {"cat"}, .input = "hello"});
    EXPECT_TRUE(result.succeeded());
    EXPECT_EQ(result.output, "hello");
}

TEST(Process, ArgumentsReachTheProgramUnchanged) {
    const ProcessResult result = run_process({.arguments = {"printf", "%s|", "a b", "$HOME", "`id`"}});
    EXPECT_EQ(result.output, "a b|$HOME|`id`|");
}

TEST(Process, ReportsExitCodeAndErrors) {
    const ProcessResult result = run_process({.arguments = {"sh", "-c", "echo broken >&2; exit 3"}});
    EXPECT_FALSE(result.succeeded());
    EXPECT_EQ(result.code, 3);
    EXPECT_EQ(result.errors, "broken\n");
    EXPECT_EQ(result.outcome(), "exit code 3");
}

TEST(Process, SaysWhatCannotBeStarted) {
    const ProcessResult result = run_process({.arguments = {"no-such-program-anywhere"}});
    EXPECT_EQ(result.end, ProcessResult::End::not_started);
    EXPECT_NE(result.outcome().find("No such file"), std::string::npos);
}

TEST(Process, KillsAWholeGroupAtTheTimeLimit) {
    const ProcessResult result = run_process({.arguments = {"sh", "-c", "sleep 60 & sleep 60"}, .timeout_s = 0.3});
    EXPECT_EQ(result.end, ProcessResult::End::timed_out);
    EXPECT_LT(result.seconds, 10);
}

TEST(Process, StopsAProgramThatFillsItsFolder) {
    const auto folder = std::filesystem::temp_directory_path() / "tracebench-process-test";
    std::filesystem::create_directories(folder);
    const ProcessResult result = run_process({.arguments = {"sh", "-c", "head -c 2000000 /dev/zero > big"},
                                              .working_folder = folder,
                                              .watched_folder = folder,
                                              .watched_bytes = 1'000'000});
    EXPECT_EQ(result.end, ProcessResult::End::output_too_large);
    std::filesystem::remove_all(folder);
}

TEST(Process, KeepsTheEndOfLongOutput) {
    const ProcessResult result =
        run_process({.arguments = {"sh", "-c", "yes | head -c 100000; printf end"}, .output_limit = 100});
    EXPECT_EQ(result.output.size(), 100u);
    EXPECT_TRUE(result.output.ends_with("end"));
}

}  // namespace
}  // namespace tracebench
