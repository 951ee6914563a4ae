// Distances beside SciPy's and scikit-learn's on the same numbers (distance_peer.py, started from here), one
// thread: prints both processor times, their ratio and how far the values are apart, and our wall clock with
// one thread and two. Needs python3-scipy and python3-sklearn. Ours for `mmd` has the energy distance of the
// vectors in it.
//
//     build/speed_distance [PYTHON]

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "metrics/distance/ordered.h"
#include "metrics/joint/kernel_distances.h"
#include "metrics/joint/neighbours.h"

namespace {

using namespace tracebench;

constexpr std::size_t numbers = 200'000, vectors = 2'000, width = 21, repeats = 9;

struct Input {
    std::vector<double> a, b;
    Points x{width, {}, {}, 1}, y{width, {}, {}, 1};
    double bandwidth = 6;

    Input() {
        Random random(1);
        for (std::size_t i = 0; i < numbers; ++i) {
            a.push_back(std::exp(2 * random.normal()));
            b.push_back(std::exp(2 * random.normal() + 0.2));
        }
        std::vector<double> row(width);
        for (Points* points : {&x, &y})
            for (std::size_t i = 0; i < vectors; ++i) {
                for (double& value : row) value = random.normal() + (points == &y ? 0.1 : 0);
                points->add(row, 0);
            }
    }
    void write(const std::filesystem::path& path) const {
        std::ofstream file(path, std::ios::binary);
        for (const auto* values : {&a, &b, &x.values, &y.values})
            file.write(reinterpret_cast<const char*>(values->data()),
                       static_cast<std::streamsize>(values->size() * sizeof(double)));
        file.write(reinterpret_cast<const char*>(&bandwidth), sizeof bandwidth);
    }
};

struct Measured {
    double seconds = 0, value = 0;
    double wall_seconds = 0;
};

template <typename Run>
Measured best_of(Run run) {
    using Clock = std::chrono::steady_clock;
    Measured best{1e300, 0, 1e300};
    for (std::size_t i = 0; i < repeats; ++i) {
        const std::clock_t before = std::clock();
        const auto start = Clock::now();
        best.value = run();
        const std::chrono::duration<double> wall = Clock::now() - start;
        best.wall_seconds = std::min(best.wall_seconds, wall.count());
        best.seconds = std::min(best.seconds, static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
    }
    return best;
}

std::map<std::string, Measured> ours(const Input& input) {
    const std::vector<double> left{1, 0}, right{0, 1};
    return {
        {"wasserstein", best_of([&] { return wasserstein1(input.a, input.b); })},
        {"energy", best_of([&] { return energy_distance(input.a, input.b); })},
        {"mmd", best_of([&] {
             return KernelSums(PairDistances(input.x, input.y), input.bandwidth).compare(left, right)->mmd;
         })},
        {"manifolds", best_of([&] {
             const auto found = *compare_manifolds(PairDistances(input.x, input.y), left, right, 5);
             return found.precision + found.recall + found.density + found.coverage;
         })}};
}

std::map<std::string, Measured> theirs(const Input& input, const std::string& python) {
    const auto path =
        std::filesystem::temp_directory_path() / fmt::format("tracebench-speed-{}.f64", ::getpid());
    input.write(path);
    ::setenv("OMP_NUM_THREADS", "1", 1);
    ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
    const std::string command =
        fmt::format("{} {}/tests/speed/distance_peer.py {} {} {} {} {}", python, TRACEBENCH_SOURCE_DIR,
                    path.string(), numbers, vectors, width, repeats);
    const std::unique_ptr<FILE, int (*)(FILE*)> peer(::popen(command.c_str(), "r"), ::pclose);
    std::map<std::string, Measured> result;
    char name[32];
    Measured measured;
    while (peer && std::fscanf(peer.get(), "%31s %lf %lf", name, &measured.seconds, &measured.value) == 3)
        result[name] = measured;
    std::filesystem::remove(path);
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    const Input input;
    const auto peers = theirs(input, argc > 1 ? argv[1] : "python3");
    if (peers.empty()) {
        fmt::print(stderr, "no peer: install python3-scipy and python3-sklearn, or name the interpreter\n");
        return 2;
    }
    fmt::print("{} numbers, {} vectors of {} a side; processor time, best of {}\n", numbers, vectors, width,
               repeats);
    const std::map<std::string, const char*> libraries = {{"wasserstein", "SciPy"},
                                                          {"energy", "SciPy"},
                                                          {"mmd", "scikit-learn"},
                                                          {"manifolds", "scikit-learn"}};
    set_compute_threads(1);
    const auto alone = ours(input);
    set_compute_threads(2);
    const auto both = ours(input);
    for (const auto& [name, own] : alone) {
        const Measured& peer = peers.at(name);
        fmt::print(
            "{:12} {:8.1f} ms, {:12} {:8.1f} ms: {:5.2f} times as fast; values {:.1e} apart; "
            "wall clock {:.1f} ms, two threads {:.1f} ms\n",
            name, own.seconds * 1e3, libraries.at(name), peer.seconds * 1e3, peer.seconds / own.seconds,
            std::abs(own.value - peer.value), own.wall_seconds * 1e3, both.at(name).wall_seconds * 1e3);
    }
    return 0;
}
