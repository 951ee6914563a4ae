#include "bench/store.h"

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace fs = std::filesystem;
using nlohmann::json;

bool Store::contains(const Task& task) const { return fs::exists(file(task)); }

std::optional<json> Store::find(const Task& task) const {
    if (!contains(task)) return std::nullopt;
    try {
        const json entry = json::parse(read_file(file(task)));
        if (entry.at("key") != task.key || !entry.contains("result")) return std::nullopt;
        for (const auto& [path, hash] : entry.at("outputs").items())
            if (sha256_file(folder_ / path) != hash.get<std::string>()) return std::nullopt;
        return entry;
    } catch (const json::exception&) {  // cut off or damaged: do the task again
        return std::nullopt;
    } catch (const InputError&) {  // an output is gone
        return std::nullopt;
    }
}

void Store::put(const Task& task, const json& result, double seconds) const {
    json entry = {{"task", task.id}, {"kind", task.kind}, {"key", task.key}, {"seconds", seconds},
                  {"result", result}, {"outputs", json::object()}};
    if (result.contains("outputs"))
        for (const auto& path : result["outputs"])
            entry["outputs"][path.get<std::string>()] = sha256_file(folder_ / path.get<std::string>());
    write_file(file(task), entry.dump());
}

void Store::remove(const Task& task) const {
    std::error_code ignored;
    fs::remove(file(task), ignored);
}

}  // namespace tracebench
