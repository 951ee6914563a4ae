#pragma once
/// A manifest as a graph of tasks. Any task can be run alone, on any machine that sees the output folder:
/// that is what makes resuming, --jobs and a cluster the same mechanism.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "datasets/dataset.h"
#include "datasets/manifest.h"

namespace tracebench {

class Workspace;

struct Task {
    std::string id;                  ///< `sample:lab:markov:2`; unique, stable, fit for a command line
    std::string kind;                ///< fit, sample, describe, measure, classify, c2st
    std::string dataset, generator;  ///< generator "real" and "ceiling" stand for themselves
    std::uint64_t seed = 0;
    std::vector<std::string> needs;  ///< ids of tasks that must have succeeded
    double weight = 1;               ///< expected cost relative to others, for the ETA only
    /// SHA-256 over everything the result depends on: the program, the settings, the data, the keys of
    /// `needs`. Equal keys, equal results.
    std::string key;
    std::function<nlohmann::json(Workspace&, Progress&)> run;
};

struct PlannedDataset {
    Dataset data;
    Split split;
};

/// Tasks point into the plan: it stays where it was made.
struct Plan {
    Plan() = default;
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    Manifest manifest;
    std::vector<PlannedDataset> datasets;
    std::vector<Task> tasks;  ///< needs come before those who need them

    const Task& find(const std::string& id) const;  ///< throws InputError with the nearest ids
};

/// Reads the datasets' captures once (to count, split and hash) and lays out the tasks.
/// Throws InputError for unknown generators, metrics and classifiers, before anything runs.
std::unique_ptr<Plan> make_plan(const Manifest& manifest);

/// Keeps the named tasks (a full id, or a part that ends at a ':') and what they need.
void keep_only(Plan& plan, const std::vector<std::string>& ids);

}  // namespace tracebench
