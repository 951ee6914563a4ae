#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "generators/weights/mapped_file.h"
#include "generators/weights/safetensors_header.h"
#include "generators/weights/weight_file.h"

namespace tracebench {
namespace {

constexpr std::uint64_t largest_header = 100'000'000;  // as in the reference implementation
constexpr std::size_t prefix = 8;                      // the header's size

std::string header_of(const std::vector<NamedTensor>& tensors, const nlohmann::json& metadata) {
    std::string header = "{";
    if (!metadata.is_null()) header += fmt::format("\"__metadata__\":{},", metadata.dump());
    std::unordered_set<std::string_view> names;
    std::uint64_t begin = 0;
    for (const NamedTensor& tensor : tensors) {
        if (std::cmp_not_equal(tensor.values.size(), tensor.size()) || !names.insert(tensor.name).second)
            throw std::invalid_argument(
                "safetensors: a tensor's shape and values disagree, or a name is there twice");
        const std::uint64_t end = begin + tensor.values.size() * sizeof(float);
        header +=
            fmt::format("{}:{{\"dtype\":\"F32\",\"shape\":{},\"data_offsets\":[{},{}]}},",
                        nlohmann::json(tensor.name).dump(), nlohmann::json(tensor.shape).dump(), begin, end);
        begin = end;
    }
    if (header.back() == ',') header.pop_back();
    header += '}';
    header.resize((header.size() + 7) / 8 * 8, ' ');
    return header;
}

}  // namespace

std::vector<NamedTensor> read_safetensors(const std::filesystem::path& path,
                                          std::map<std::string, std::string>* metadata) {
    const MappedFile file(path);
    const std::string name = path.string();
    const auto bytes = file.bytes();
    if (bytes.size() < prefix)
        throw InputError(name, fmt::format("has only {} bytes", bytes.size()),
                         "a safetensors file was expected");
    std::uint64_t header_size = 0;
    std::memcpy(&header_size, bytes.data(), prefix);
    if (header_size > largest_header)
        throw InputError(
            name, fmt::format("claims a header of {} bytes", header_size),
            fmt::format("at most {} are allowed; a safetensors file was expected", largest_header));
    if (header_size > bytes.size() - prefix)
        throw InputError(
            name,
            fmt::format("ends within its header of {} bytes, after {}", header_size, bytes.size() - prefix),
            "copy or download it again");

    const auto data = bytes.subspan(prefix + header_size);
    const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + prefix, header_size);
    std::vector<NamedTensor> tensors;
    for (SafetensorsEntry& entry : parse_safetensors_header(header, data.size(), name, metadata)) {
        NamedTensor& tensor = tensors.emplace_back();
        tensor.name = std::move(entry.name);
        tensor.shape = std::move(entry.shape);
        tensor.values.resize((entry.end - entry.begin) / width(entry.format));
        read_floats(entry.format, data.subspan(entry.begin, entry.end - entry.begin), 1, tensor.values);
    }
    return tensors;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const nlohmann::json& metadata) {
    const std::string header = header_of(tensors, metadata);
    const std::uint64_t header_size = header.size();
    PendingFile pending(path);
    errno = 0;
    std::ofstream file(pending.temporary(), std::ios::binary);
    file.write(reinterpret_cast<const char*>(&header_size), prefix);
    file.write(header.data(), static_cast<std::streamsize>(header.size()));
    for (const NamedTensor& tensor : tensors)
        file.write(reinterpret_cast<const char*>(tensor.values.data()),
                   static_cast<std::streamsize>(tensor.values.size() * sizeof(float)));
    file.close();
    if (!file) {
        const int error = errno;
        throw InputError(path.string(), fmt::format("cannot write: {}", std::strerror(error)),
                         error == ENOSPC ? "free some disk space or choose another place" : "");
    }
    pending.commit();
}

}  // namespace tracebench
