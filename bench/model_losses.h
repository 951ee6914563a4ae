#pragma once
/// What a generator's model makes of the real samples, kept beside its synthetic ones for the metrics, which
/// never see a generator.

#include <filesystem>
#include <optional>

#include "generators/generator.h"
#include "metrics/metric.h"

namespace tracebench {

/// `losses.csv` (`set,sample,loss`) into the folder, where the generator has losses.
void write_losses(Generator& generator, const Samples& train, const Samples& heldout,
                  const std::filesystem::path& folder, Progress& progress);

/// Nothing where the folder has no such file. Throws InputError where it is damaged.
std::optional<ModelLosses> read_losses(const std::filesystem::path& folder);

}  // namespace tracebench
