/// `doctor`: what this machine has and lacks, with what to do about each problem.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "bench/machine.h"
#include "generators/ssm/compute_measurement.h"

namespace tracebench::cli {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

/// Below this a product runs on a plain triple loop, whatever the library calls itself.
constexpr double slow_gflops = 15;

bool on_path(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    std::string folder;
    while (std::getline(folders, folder, ':'))
        if (::access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
    return false;
}

json simd() {
    json features = json::array();
    if (__builtin_cpu_supports("sse4.2")) features.push_back("sse4.2");
    if (__builtin_cpu_supports("avx2")) features.push_back("avx2");
    if (__builtin_cpu_supports("fma")) features.push_back("fma");
    if (__builtin_cpu_supports("avx512f")) features.push_back("avx512f");
    if (__builtin_cpu_supports("avx512vnni")) features.push_back("avx512vnni");
    if (__builtin_cpu_supports("avx512bf16")) features.push_back("avx512_bf16");
    return features;
}

const char* precision_name(ssm::Precision precision) {
    return precision == ssm::Precision::bfloat16 ? "bfloat16" : "float32";
}

/// How the state-space generator would train here, and what else was tried; null without LibTorch.
json state_space_compute() {
    if (!ssm::sequence_model_available()) return nullptr;
    constexpr double seconds = 2;
    const ssm::ComputeMeasurement measured = ssm::measure_compute(seconds);
    const auto describe = [](const ssm::ComputeTrial& trial) {
        return json{{"threads", trial.compute.threads},
                    {"chunk", trial.compute.chunk},
                    {"precision", precision_name(trial.compute.precision)},
                    {"tokens_per_second", std::round(trial.tokens_per_second)}};
    };
    json trials = json::array();
    for (const ssm::ComputeTrial& trial : measured.trials) trials.push_back(describe(trial));
    json report = describe(measured.trials.front());
    report["bfloat16_products"] = measured.bfloat16_products;
    report["defaults"] = {{"threads", measured.defaults.threads}, {"chunk", measured.defaults.chunk}};
    report["trials"] = trials;
    return report;
}

json examine() {
    json report = {{"tool", tool_info()}, {"machine", machine_info()}, {"simd", simd()}};
    json problems = json::array();
    const auto problem = [&](const std::string& what, const std::string& remedy) {
        problems.push_back({{"what", what}, {"remedy", remedy}});
    };
    const double gflops = blas_gflops(1024);
    report["blas"] = {{"library", blas_name()}, {"gflops_float32", std::round(gflops * 10) / 10}};
    if (blas_name() == "reference BLAS" || gflops < slow_gflops)
        problem(fmt::format("matrix products run at {:.1f} GFLOP/s on {}", gflops, blas_name()),
                blas_name() == "reference BLAS" ? "apt-get install libopenblas0-pthread"
                                                : "measure again when nothing else keeps the cores busy");
    report["threads"] = {{"cores", machine_info()["cores"]},
                         {"OMP_NUM_THREADS", std::getenv("OMP_NUM_THREADS") ? std::getenv("OMP_NUM_THREADS") : ""}};
    report["gpu"] = fs::exists("/dev/nvidia0") ? json("NVIDIA device present") : json(nullptr);
    report["ssm"] = state_space_compute();
    struct Tool {
        const char* name;
        const char* use;
        const char* package;
    };
    for (const Tool& tool : {Tool{"tshark", "an independent look at captures", "tshark"},
                             Tool{"tcpreplay", "replaying synthetic captures", "tcpreplay"},
                             Tool{"apt-get", "'data fetch ndpi'", "apt"},
                             Tool{"chromium", "the browser tests", "chromium"},
                             Tool{"sbatch", "'run --executor slurm'", "slurm-client"}})
        report["tools"].push_back({{"name", tool.name}, {"present", on_path(tool.name)}, {"use", tool.use},
                                   {"package", tool.package}});
    std::error_code error;
    const fs::space_info space = fs::space(".", error);
    if (!error) {
        report["disk_free_gib"] = std::round(static_cast<double>(space.available) / (1 << 30) * 10) / 10;
        if (space.available < (std::uintmax_t{1} << 30))
            problem("less than 1 GiB of disk is free here", "free some space before a long run");
    }
    report["problems"] = problems;
    return report;
}

int run(bool as_json) {
    const json report = examine();
    if (as_json) {
        fmt::print("{}\n", report.dump(1));
        return exit_code::success;
    }
    const json& machine = report["machine"];
    fmt::print("tracebench {} ({})\n", report["tool"]["version"].get<std::string>(),
               report["tool"]["git_commit"].get<std::string>());
    for (const auto& [name, version] : report["tool"]["libraries"].items())
        fmt::print("  {:<14} {}\n", name, version.get<std::string>());
    fmt::print("machine: {}, {} cores, {} GiB, {}\n", machine["cpu"].get<std::string>(),
               machine["cores"].get<unsigned>(), machine["memory_gib"].get<double>(),
               machine["os"].get<std::string>());
    fmt::print("SIMD: {}\n", fmt::join(report["simd"].get<std::vector<std::string>>(), " "));
    fmt::print("BLAS: {}, {} GFLOP/s (float32, 1024 x 1024)\n", report["blas"]["library"].get<std::string>(),
               report["blas"]["gflops_float32"].get<double>());
    fmt::print("GPU: {}\n", report["gpu"].is_null() ? "none" : report["gpu"].get<std::string>());
    if (const json& ssm = report["ssm"]; !ssm.is_null())
        fmt::print(
            "state-space model: fastest with {} threads, chunks of {}, {} ({} tokens/s, a layer of 256); "
            "bfloat16 products {}; by default {} threads, chunks of {}\n",
            ssm["threads"].get<int>(), ssm["chunk"].get<int>(), ssm["precision"].get<std::string>(),
            ssm["tokens_per_second"].get<double>(),
            ssm["bfloat16_products"].get<bool>() ? "in hardware" : "not in hardware",
            ssm["defaults"]["threads"].get<int>(), ssm["defaults"]["chunk"].get<int>());
    for (const json& tool : report["tools"])
        fmt::print("{:<10} {} (for {}{})\n", tool["name"].get<std::string>(),
                   tool["present"].get<bool>() ? "found" : "not found", tool["use"].get<std::string>(),
                   tool["present"].get<bool>() ? ""
                                               : fmt::format("; package {}", tool["package"].get<std::string>()));
    for (const json& problem : report["problems"])
        fmt::print("problem: {}; do: {}\n", problem["what"].get<std::string>(), problem["remedy"].get<std::string>());
    if (report["problems"].empty()) fmt::print("no problems found\n");
    return exit_code::success;
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
    auto as_json = std::make_shared<bool>(false);
    CLI::App* verb = app.add_subcommand("doctor", "What this machine has and lacks, and what to do about it");
    verb->add_flag("--json", *as_json, "one JSON document on standard output");
    verb->callback([as_json, &action] { action = [as_json] { return run(*as_json); }; });
}

}  // namespace tracebench::cli
