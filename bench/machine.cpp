#include "bench/machine.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <Eigen/Core>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/file.h"
#include "bench/build_info.h"

// BLAS has no header of its own in Debian's generic package; this is its Fortran interface.
extern "C" void sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
                       const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
                       const float* beta, float* c, const int* ldc);

namespace tracebench {
namespace {

/// The value after `key` in a "key : value" file such as /proc/cpuinfo; empty where there is none.
std::string proc_value(const char* file, const std::string& key) {
    std::ifstream in(file);
    std::string line;
    while (std::getline(in, line)) {
        if (!line.starts_with(key)) continue;
        const std::size_t colon = line.find_first_of(":=");
        if (colon == std::string::npos) continue;
        std::string value = line.substr(colon + 1);
        std::erase_if(value, [](char c) { return c == '"' || c == '\t'; });
        return value.substr(value.find_first_not_of(' ') == std::string::npos ? 0 : value.find_first_not_of(' '));
    }
    return "";
}

}  // namespace

nlohmann::json tool_info() {
    return {{"name", "tracebench"},
            {"version", build_info::version},
            {"git_commit", build_info::git_commit},
            {"libraries",
             {{"libtins", build_info::libtins},
              {"libpcap", build_info::libpcap},
              {"Eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
              {"XGBoost", build_info::xgboost},
              {"LibTorch", build_info::torch},
              {"nlohmann_json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                            NLOHMANN_JSON_VERSION_PATCH)}}}};
}

nlohmann::json machine_info() {
    const double pages = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
    return {{"cpu", proc_value("/proc/cpuinfo", "model name")},
            {"cores", std::thread::hardware_concurrency()},
            {"memory_gib", std::round(pages / (1 << 30) * 10) / 10},
            {"os", proc_value("/etc/os-release", "PRETTY_NAME")}};
}

const std::string& program_sha256() {
    static const std::string hash = sha256_file("/proc/self/exe");
    return hash;
}

std::string blas_name() {
    std::ifstream maps("/proc/self/maps");
    std::string line, found = "unknown";
    while (std::getline(maps, line)) {
        if (line.find("openblas") != std::string::npos) return "OpenBLAS";
        if (line.find("libmkl") != std::string::npos) return "MKL";
        if (line.find("libblis") != std::string::npos) return "BLIS";
        if (line.find("atlas") != std::string::npos) return "ATLAS";
        if (line.find("libblas.so") != std::string::npos) found = "reference BLAS";
    }
    return found;
}

double blas_gflops(int n) {
    const auto size = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    std::vector<float> a(size, 0.5f), b(size, 0.25f), c(size, 0);
    const float one = 1, zero = 0;
    double best = 0;
    for (int round = 0; round < 3; ++round) {
        const auto start = std::chrono::steady_clock::now();
        sgemm_("N", "N", &n, &n, &n, &one, a.data(), &n, b.data(), &n, &zero, c.data(), &n);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        best = std::max(best, 2.0 * n * n * n / seconds.count() * 1e-9);
    }
    return best;
}

}  // namespace tracebench
