#include "generators/training/checkpoint.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "generators/checked_json.h"
#include "generators/weights/weight_file.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

constexpr const char* index_file = "checkpoint.json";
constexpr const char* tensor_files[] = {"checkpoint-a.safetensors", "checkpoint-b.safetensors"};
constexpr std::uint64_t max_index_bytes = std::uint64_t{256} << 20;

struct Part {
    std::string_view prefix;
    std::vector<NamedTensor> Checkpoint::*tensors;
};
constexpr Part parts[] = {{"parameters/", &Checkpoint::parameters},
                          {"training/", &Checkpoint::training},
                          {"best/", &Checkpoint::best}};

constexpr const char* remedy = "remove the folder to begin anew";

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path folder, std::string fingerprint)
    : folder_(std::move(folder)), fingerprint_(std::move(fingerprint)) {}

std::optional<Checkpoint> CheckpointFolder::load(std::string& note) const {
    const fs::path index = folder_ / index_file;
    if (!enabled() || !fs::exists(index)) return std::nullopt;
    const nlohmann::json json = parse_json_file(index, max_index_bytes);
    const CheckedJson checked(json, index.string());
    if (checked.at("fingerprint").text() != fingerprint_) {
        note =
            fmt::format("{}: is of other samples, settings or seed; began anew", printable(index.string()));
        return std::nullopt;
    }
    const std::string name = checked.at("tensors").text();
    if (name != tensor_files[0] && name != tensor_files[1])
        checked.at("tensors").fail("is no tensor file of a checkpoint", remedy);

    Checkpoint checkpoint;
    checkpoint.state = checked.at("state").value();
    for (NamedTensor& tensor : read_safetensors(folder_ / name)) {
        bool known = false;
        for (const Part& part : parts) {
            if (!tensor.name.starts_with(part.prefix)) continue;
            tensor.name.erase(0, part.prefix.size());
            (checkpoint.*part.tensors).push_back(std::move(tensor));
            known = true;
            break;
        }
        if (!known)
            throw InputError((folder_ / name).string(),
                             fmt::format("holds '{}', which no checkpoint has", tensor.name), remedy);
    }
    return checkpoint;
}

void CheckpointFolder::save(const Checkpoint& checkpoint) const {
    if (!enabled()) return;
    const fs::path index = folder_ / index_file;
    std::string current;
    if (fs::exists(index)) {
        const nlohmann::json json = parse_json_file(index, max_index_bytes);
        current = CheckedJson(json, index.string()).text("tensors", "");
    }
    const char* const name = tensor_files[current == tensor_files[0] ? 1 : 0];

    std::vector<NamedTensor> tensors;
    for (const Part& part : parts)
        for (NamedTensor tensor : checkpoint.*part.tensors) {
            tensor.name.insert(0, part.prefix);
            tensors.push_back(std::move(tensor));
        }
    write_safetensors(folder_ / name, tensors, nullptr);
    const nlohmann::json json = {
        {"fingerprint", fingerprint_}, {"tensors", name}, {"state", checkpoint.state}};
    write_file(index, json.dump());
    std::error_code ignored;
    fs::remove(folder_ / tensor_files[name == tensor_files[0] ? 1 : 0], ignored);
}

}  // namespace tracebench
