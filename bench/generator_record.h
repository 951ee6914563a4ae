#pragma once
/// One generator's entry in results.json: what it is, what training and sampling cost, seed by seed.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "datasets/manifest.h"

namespace tracebench {

/// What the store holds of one seed; null where that task failed or did not run.
struct SeedResults {
    std::uint64_t seed = 0;
    const nlohmann::json* fit = nullptr;     ///< result of run_fit()
    const nlohmann::json* sample = nullptr;  ///< result of run_sample()
};

/// The shape `generators` of docs/results.md. All lists have one place a seed, in the order given, null where
/// there is no value. "training" and "sampling" are there only where a seed has them. Of `describe` the first
/// seed's is kept, its training curve moved to "training"; "pictures" are the first seed's that has them, as
/// are those of denoising in "sampling".
nlohmann::json generator_entry(const GeneratorPlan& generator, const std::string& dataset,
                               const std::vector<SeedResults>& seeds);

/// A training curve [{"tokens","steps","seconds","train_loss","validation_loss","bits_per_packet"}, ...] of
/// at most `most` (2 or more) points that spans the same range: the first point stays, the others are joined
/// in runs of neighbours. A joined point has the place of the run's last point, the mean of its training
/// losses and the last of its validation values, since validation is seldom and already an average. Values
/// that are no finite numbers become null, entries that are no objects are dropped; anything but an array
/// gives an empty curve.
nlohmann::json thinned_curve(const nlohmann::json& curve, std::size_t most);

}  // namespace tracebench
