#pragma once
/// Runs the built executable as a user would.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"

namespace tracebench::test {

inline ProcessResult tracebench(std::vector<std::string> arguments, const std::string& input = "") {
    ProcessRequest request;
    request.arguments = {TRACEBENCH_BINARY};
    request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
    request.input = input;
    request.timeout_s = 250;
    request.output_limit = 64 << 20;
    return run_process(request);
}

/// The folder of captures that travels with the repository.
inline std::filesystem::path lab() { return std::filesystem::path(TRACEBENCH_SOURCE_DIR) / "datasets" / "lab"; }

/// A folder of this test's own, empty at the start and gone at the end.
class CliTest : public testing::Test {
  protected:
    void SetUp() override {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = std::filesystem::temp_directory_path() /
                  (std::string("tracebench-") + info->test_suite_name() + "-" + info->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    std::string write(const std::string& name, const std::string& content) const {
        write_file(folder_ / name, content);
        return path(name);
    }

    /// A manifest over a few short sessions, quick to run.
    std::string small_manifest(const std::string& generators = R"([{"name":"resample"},{"name":"markov"}])") const {
        return write("small.json",
                     R"({"name":"small","datasets":[{"name":"lab","folder":")" + lab().string() + R"(","labels":")" +
                         (lab() / "labels.csv").string() +
                         R"(","classes":["dns","ssh"],"max_samples_per_class":6,"max_packets":60}],"generators":)" +
                         generators +
                         R"(,"metrics":["distance","compliance","summary"],"classifiers":{"models":["tree"],)"
                         R"("features":["flow"],"mixing":[1]},"seeds":[1,2],"bootstrap":20})");
    }

    std::filesystem::path folder_;
};

}  // namespace tracebench::test
