#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <string_view>

#include "base/error.h"
#include "generators/weights/mapped_file.h"
#include "generators/weights/state_dict.h"
#include "generators/weights/stored_zip.h"
#include "generators/weights/weight_file.h"

namespace tracebench {
namespace {

constexpr std::uint64_t largest_pickle = 16 << 20;  // about 100 bytes a tensor

struct Contents {
    std::string folder;                            ///< `archive/` of `archive/data.pkl`
    std::vector<std::uint8_t> pickle;              ///< data.pkl
    std::map<std::string, std::uint64_t> members;  ///< their sizes; of two with one name, the first

    std::string storage(const TensorView& view) const {
        return fmt::format("{}data/{}", folder, view.storage);
    }
};

/// The pickle need not be first, so that storages are read in a second pass.
Contents read_contents(std::span<const std::uint8_t> file, const std::string& name) {
    constexpr std::string_view pickle = "data.pkl", byte_order = "byteorder";
    Contents contents;
    StoredZip zip(file, name);
    while (const auto member = zip.next()) {
        contents.members.emplace(member->name, member->size);
        const std::size_t base = member->name.rfind('/') + 1;  // 0 where there is none
        const std::string_view last = std::string_view(member->name).substr(base);
        if (last == pickle && contents.pickle.empty()) {
            contents.folder = member->name.substr(0, base);
            contents.pickle = zip.read(largest_pickle);
        } else if (last == byte_order) {
            const auto content = zip.read(64);
            if (std::string_view(reinterpret_cast<const char*>(content.data()), content.size()) != "little")
                throw InputError(name, "was saved on a big-endian machine", "save it on a little-endian one");
        }
    }
    if (contents.pickle.empty())
        throw InputError(name, "holds no data.pkl", "save the model's state_dict() with torch.save()");
    return contents;
}

/// Before anything is allocated by what the pickle claims.
void require_storage(const TensorView& view, const Contents& contents, const std::string& name) {
    const std::string member = contents.storage(view);
    const auto found = contents.members.find(member);
    if (found == contents.members.end())
        throw InputError(name, fmt::format("'{}' needs {}, which is missing", view.name, member),
                         "copy or download it again");
    const std::uint64_t bytes = found->second;
    if (bytes / width(view.format) != view.storage_size || bytes % width(view.format) != 0)
        throw InputError(name,
                         fmt::format("'{}' needs a storage of {} elements of {} bytes; {} has {} bytes",
                                     view.name, view.storage_size, width(view.format), member, bytes),
                         "copy or download it again");
}

}  // namespace

std::vector<NamedTensor> read_pytorch_bin(const std::filesystem::path& path) {
    const MappedFile file(path);
    const std::string name = path.string();
    const Contents contents = read_contents(file.bytes(), name);
    const auto views = read_state_dict(
        {reinterpret_cast<const char*>(contents.pickle.data()), contents.pickle.size()}, name);

    std::vector<NamedTensor> tensors;
    std::multimap<std::string, std::size_t> waiting;  // tensors by the member that they are in
    for (const TensorView& view : views) {
        if (*element_count(view.shape) > 0) {
            require_storage(view, contents, name);
            waiting.emplace(contents.storage(view), tensors.size());
        }
        tensors.push_back({view.name, view.shape, {}});
    }
    StoredZip zip(file.bytes(), name);
    while (!waiting.empty()) {
        const auto member = zip.next();
        if (!member) throw std::logic_error("a zip archive with other members the second time");
        const auto [first, last] = waiting.equal_range(member->name);
        if (first == last) continue;
        const auto storage = zip.read();
        for (auto entry = first; entry != last; ++entry)
            tensors[entry->second].values = views[entry->second].gather(storage);
        waiting.erase(first, last);
    }
    return tensors;
}

}  // namespace tracebench
