#pragma once
/// The output folder of a run, and what its tasks share in memory while they run.
///
///     DIR/store/KEY.json               one finished task each
///     DIR/models/DATASET/GENERATOR/SEED/
///     DIR/synthetic/GENERATOR/SEED/    captures + labels.csv (DATASET/ in between where there are several)
///     DIR/ceiling/DATASET/             the independent-marginals samples that scores are measured against
///     DIR/results.json, DIR/report.html

#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "bench/plan.h"
#include "metrics/metric.h"

namespace tracebench {

class Workspace {
  public:
    /// Makes the folder and locks it: two runs in one folder would spoil each other. Throws InputError where
    /// it cannot be written or another run holds it. `shared` skips the lock, for tasks of a cluster run.
    Workspace(std::filesystem::path folder, const Plan& plan, bool shared = false);
    ~Workspace();

    const std::filesystem::path& folder() const { return folder_; }
    const Plan& plan() const { return plan_; }
    std::filesystem::path model_folder(const std::string& dataset, const std::string& generator,
                                       std::uint64_t seed) const;
    std::filesystem::path synthetic_folder(const std::string& dataset, const std::string& generator,
                                           std::uint64_t seed) const;

    /// Read and observed once and shared; synthetic sets are dropped when no task holds them.
    std::shared_ptr<const SampleSet> real_train(const PlannedDataset& dataset);
    std::shared_ptr<const SampleSet> real_heldout(const PlannedDataset& dataset);
    std::shared_ptr<const SampleSet> synthetic(const PlannedDataset& dataset, const std::string& generator,
                                               std::uint64_t seed);

  private:
    using Loader = std::function<std::shared_ptr<const SampleSet>()>;
    std::shared_ptr<const SampleSet> shared(const std::string& name, bool keep, const Loader& load);

    struct Slot {
        std::mutex loading;
        std::weak_ptr<const SampleSet> set;
        std::shared_ptr<const SampleSet> kept;
    };
    std::filesystem::path folder_;
    const Plan& plan_;
    int lock_ = -1;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Slot>> slots_;
};

}  // namespace tracebench
