#pragma once
/// What an interrupted training goes on from.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "generators/weights/named_tensor.h"

namespace tracebench {

struct Checkpoint {
    nlohmann::json state;  ///< the trainer's own
    std::vector<NamedTensor> parameters, training, best;
};

/// `checkpoint.json` names one of two tensor files; a new checkpoint is written to the other one before the
/// index is replaced, so that the two always belong together, whenever the process dies.
class CheckpointFolder {
  public:
    /// `fingerprint`: of all that the training depends on. An empty `folder` keeps nothing.
    CheckpointFolder(std::filesystem::path folder, std::string fingerprint);

    bool enabled() const { return !folder_.empty(); }
    /// Nothing where there is none, or one of another training: then `note` says so. Throws InputError where
    /// it is damaged.
    std::optional<Checkpoint> load(std::string& note) const;
    /// Throws InputError where it cannot be written.
    void save(const Checkpoint& checkpoint) const;

  private:
    std::filesystem::path folder_;
    std::string fingerprint_;
};

}  // namespace tracebench
