#pragma once
/// Finished tasks, by the hash of all that they depend on: `DIR/store/KEY.json`, each complete or absent.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/plan.h"

namespace tracebench {

class Store {
  public:
    explicit Store(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// The stored entry {"task","kind","key","seconds","result","outputs"}; nothing where there is none,
    /// where it is damaged, or where a file it vouches for ("outputs": path -> SHA-256) is gone or changed.
    std::optional<nlohmann::json> find(const Task& task) const;
    /// Only whether find() would find it, without reading the outputs.
    bool contains(const Task& task) const;
    void put(const Task& task, const nlohmann::json& result, double seconds) const;
    void remove(const Task& task) const;

  private:
    std::filesystem::path file(const Task& task) const { return folder_ / "store" / (task.key + ".json"); }
    std::filesystem::path folder_;
};

}  // namespace tracebench
