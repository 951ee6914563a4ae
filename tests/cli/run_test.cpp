/// The main job from outside: run, resume after a kill, check, compare, single tasks.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/cli/cli.h"

namespace tracebench::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json results(const std::string& folder) { return json::parse(read_file(folder + "/results.json")); }

class Run : public CliTest {};

TEST_F(Run, WritesRecordReportAndCaptures) {
    const ProcessResult result = tracebench({"run", small_manifest(), "-o", path("out"), "--jobs", "2"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const json record = results(path("out"));
    EXPECT_EQ(record.at("schema_version"), 1);
    std::size_t scores = 0;
    for (const json& row : record.at("metrics")) {
        for (const char* key : {"dataset", "generator", "metric", "group", "value", "direction", "unit", "n", "seeds",
                                "ci95", "floor", "ceiling", "score", "status", "reason", "version"})
            EXPECT_TRUE(row.contains(key)) << key;
        if (row["status"] != "ok") EXPECT_NE(row["reason"], "");
        else EXPECT_EQ(row["seeds"].size(), 2u) << row.dump();
        scores += row["metric"] == "score" && row["group"] == "overall" ? 1 : 0;
    }
    EXPECT_EQ(scores, 2u);
    EXPECT_TRUE(std::filesystem::exists(path("out/report.html")));
    EXPECT_TRUE(std::filesystem::exists(path("out/synthetic/markov/1/labels.csv")));
    const json flows = json::parse(
        tracebench({"flows", path("out/synthetic/markov/1/00-dns-0000.pcap"), "--json"}).output);
    EXPECT_GT(flows.at("packets").get<int>(), 0);
}

TEST_F(Run, SameSeedsGiveTheSameBytes) {
    ASSERT_EQ(tracebench({"run", small_manifest(), "-o", path("a"), "--jobs", "1"}).code, 0);
    ASSERT_EQ(tracebench({"run", small_manifest(), "-o", path("b"), "--jobs", "2"}).code, 0);
    EXPECT_EQ(results(path("a")).at("metrics"), results(path("b")).at("metrics"));
    EXPECT_EQ(read_file(path("a/synthetic/markov/2/01-ssh-0001.pcap")),
              read_file(path("b/synthetic/markov/2/01-ssh-0001.pcap")));
}

TEST_F(Run, AKilledRunContinuesAndEndsInTheSameResults) {
    const std::string manifest = small_manifest();
    ASSERT_EQ(tracebench({"run", manifest, "-o", path("whole")}).code, 0);

    const std::string output = path("killed");
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl(TRACEBENCH_BINARY, "tracebench", "run", manifest.c_str(), "-o", output.c_str(), "--jobs", "1", nullptr);
        ::_exit(127);
    }
    // Killed without a chance to clean up, once some tasks are in the store.
    const auto stored = [&] {
        std::error_code error;
        std::size_t count = 0;
        for (auto it = std::filesystem::directory_iterator(output + "/store", error); !error && it != end(it); ++it)
            count += it->path().extension() == ".json" ? 1 : 0;
        return count;
    };
    for (int i = 0; i < 2000 && stored() < 5; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_GE(stored(), 5u);

    const ProcessResult resumed = tracebench({"run", manifest, "-o", output});
    ASSERT_EQ(resumed.code, 0) << resumed.errors;
    EXPECT_EQ(results(output).at("metrics"), results(path("whole")).at("metrics"));
    std::size_t reused = 0;
    const json record = results(output);
    for (const json& task : record.at("tasks")) reused += task.at("reused").get<bool>() ? 1 : 0;
    EXPECT_GE(reused, 5u);
}

TEST_F(Run, InterruptEndsWith130AndKeepsWhatIsDone) {
    const std::string manifest = small_manifest(), output = path("out");
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl(TRACEBENCH_BINARY, "tracebench", "run", manifest.c_str(), "-o", output.c_str(), "--jobs", "1", nullptr);
        ::_exit(127);
    }
    for (int i = 0; i < 2000 && !std::filesystem::exists(output + "/store"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ::kill(child, SIGINT);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 130);
    EXPECT_FALSE(std::filesystem::exists(output + "/results.json"));
}

TEST_F(Run, AFailingGeneratorFailsAloneAndSaysWhy) {
    const ProcessResult result = tracebench(
        {"run", small_manifest(R"([{"name":"resample"},{"name":"broken","kind":"command","settings":{"command":["false"]}}])"),
         "-o", path("out")});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.errors, HasSubstr("broken"));
    bool failed = false, fine = false;
    const json record = results(path("out"));
    for (const json& row : record.at("metrics")) {
        if (row["generator"] == "broken") {
            EXPECT_EQ(row["status"], "failed");
            EXPECT_TRUE(row["value"].is_null());
            EXPECT_NE(row["reason"], "");
            failed = true;
        }
        fine = fine || (row["generator"] == "resample" && row["status"] == "ok");
    }
    EXPECT_TRUE(failed);
    EXPECT_TRUE(fine);
}

TEST_F(Run, PlanTaskCheckAndCompare) {
    const std::string manifest = small_manifest(), output = path("out");
    EXPECT_EQ(tracebench({"task", "sample:lab:markov:1", manifest, "-o", output}).code, 2);  // its needs are missing
    EXPECT_EQ(tracebench({"task", "fit:lab:markov:1", manifest, "-o", output}).code, 0);
    EXPECT_EQ(tracebench({"task", "sample:lab:markov:1", manifest, "-o", output}).code, 0);
    const json plan = json::parse(tracebench({"plan", manifest, "-o", output, "--json"}).output);
    std::size_t stored = 0;
    for (const json& task : plan.at("tasks")) stored += task.at("stored").get<bool>() ? 1 : 0;
    EXPECT_EQ(stored, 2u);

    ASSERT_EQ(tracebench({"run", manifest, "-o", output}).code, 0);
    ASSERT_EQ(tracebench({"baseline", "update", output, "-o", path("base.json")}).code, 0);
    const ProcessResult same = tracebench({"check", output, "--baseline", path("base.json"), "--junit", path("j.xml"),
                                           "--markdown", path("m.md"), "--json"});
    EXPECT_EQ(same.code, 0) << same.output;
    EXPECT_EQ(json::parse(same.output).at("outcome"), "pass");
    EXPECT_THAT(read_file(path("j.xml")), HasSubstr("<testsuite"));

    // A baseline that was better than this run: a regression, exit code 1.
    json better = json::parse(read_file(path("base.json")));
    for (json& row : better["rows"])
        if (row["metric"] == "jsd")
            for (json& seed : row["seeds"]) seed = seed.get<double>() - 0.5;
    EXPECT_EQ(tracebench({"check", output, "--baseline", write("better.json", better.dump())}).code, 1);
    better["manifest_sha256"] = "another";
    EXPECT_EQ(tracebench({"check", output, "--baseline", write("other.json", better.dump())}).code, 4);

    EXPECT_EQ(tracebench({"compare", output, output, "-o", path("c.html")}).code, 0);
    EXPECT_TRUE(std::filesystem::exists(path("c.html")));
    EXPECT_EQ(tracebench({"report", output, "-o", path("again.html")}).code, 0);
    EXPECT_EQ(read_file(path("again.html")), read_file(output + "/report.html"));
}

TEST_F(Run, SlurmRunsTheSameTasks) {
    // A stand-in for the cluster: sbatch runs the job at once, squeue finds nothing left.
    std::filesystem::create_directories(folder_ / "bin");
    write("bin/sbatch", "#!/bin/sh\nfor a in \"$@\"; do case \"$a\" in --wrap=*) sh -c \"${a#--wrap=}\" >&2 || exit 1;; "
                        "esac; done\ndate +%N\n");
    write("bin/squeue", "#!/bin/sh\nexit 0\n");
    for (const char* name : {"bin/sbatch", "bin/squeue"})
        std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
    const std::string manifest = small_manifest(R"([{"name":"resample"}])");
    ProcessRequest request;
    request.arguments = {"env", "PATH=" + path("bin") + ":/usr/bin:/bin", TRACEBENCH_BINARY, "run", manifest, "-o",
                         path("slurm"), "--executor", "slurm"};
    const ProcessResult result = run_process(request);
    ASSERT_EQ(result.code, 0) << result.errors;
    ASSERT_EQ(tracebench({"run", manifest, "-o", path("local")}).code, 0);
    EXPECT_EQ(results(path("slurm")).at("metrics"), results(path("local")).at("metrics"));
}

}  // namespace
}  // namespace tracebench::test
