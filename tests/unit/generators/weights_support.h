#pragma once
/// Files of weights made by hand, byte by byte.

#include <unistd.h>

#include <boost/crc.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "generators/weights/weight_file.h"

namespace tracebench::testing {

/// `size` bytes, the lowest first.
inline std::string little(std::uint64_t value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i, value >>= 8) bytes += static_cast<char>(value & 0xFF);
    return bytes;
}

inline std::string safetensors(std::string_view header, std::string_view data = {}) {
    return little(header.size(), 8) + std::string(header) + std::string(data);
}

struct ZipMember {
    std::string name, content;
    std::uint16_t method = 0;            ///< 0 stored, 8 deflated
    std::uint16_t flags = 0;             ///< 1: encrypted
    std::uint32_t claimed = UINT32_MAX;  ///< uncompressed size, where it is not the content's
};

/// PKWARE's APPNOTE, 4.3: local headers with content, the central directory, its end.
inline std::string zip(const std::vector<ZipMember>& members) {
    std::string file, directory;
    for (const ZipMember& member : members) {
        const std::uint64_t size = member.claimed == UINT32_MAX ? member.content.size() : member.claimed;
        boost::crc_32_type sum;
        sum.process_bytes(member.content.data(), member.content.size());
        const std::string common = little(20, 2) + little(member.flags, 2) + little(member.method, 2) +
                                   little(0, 4) + little(sum.checksum(), 4) +
                                   little(member.content.size(), 4) + little(size, 4) +
                                   little(member.name.size(), 2) + little(0, 2);
        directory += "PK\1\2" + little(20, 2) + common + little(0, 10) + little(file.size(), 4) + member.name;
        file += "PK\3\4" + common + member.name + member.content;
    }
    const std::string end = little(0, 4) + little(members.size(), 2) + little(members.size(), 2) +
                            little(directory.size(), 4) + little(file.size(), 4) + little(0, 2);
    return file + directory + "PK\5\6" + end;
}

/// Opcodes of pickle protocol 2.
namespace pickle {

inline std::string text(std::string_view text) {
    return "X" + little(text.size(), 4) + std::string(text);
}
inline std::string integer(std::int64_t value) {
    return "\x8a\x08" + little(static_cast<std::uint64_t>(value), 8);
}
inline std::string global(std::string_view module, std::string_view name) {
    return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(const std::vector<std::string>& items) {
    std::string out = "(";
    for (const std::string& item : items) out += item;
    return out + "t";
}
inline std::string integers(const std::vector<std::int64_t>& values) {
    std::vector<std::string> items;
    for (const std::int64_t value : values) items.push_back(integer(value));
    return tuple(items);
}
inline std::string storage(std::string_view key, std::int64_t elements,
                           std::string_view type = "FloatStorage") {
    return tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(elements)}) + "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset,
                          const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
    return global("torch._utils", "_rebuild_tensor_v2") +
           tuple({storage, integer(offset), integers(shape), integers(strides), "\x89", "}"}) + "R";
}
/// A dict of `items`: key, value, key, value.
inline std::string dict(const std::vector<std::string>& items) {
    std::string out = "}(";
    for (const std::string& item : items) out += item;
    return out + "u";
}
inline std::string whole(const std::string& value) {
    return "\x80\x02" + value + ".";
}

}  // namespace pickle

/// A folder of its own, removed at the end.
class WeightFolder {
  public:
    WeightFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tracebench-weights-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = pattern;
    }
    ~WeightFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    WeightFolder(const WeightFolder&) = delete;
    WeightFolder& operator=(const WeightFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(std::string_view name, std::string_view bytes) const {
        std::ofstream(path_ / name, std::ios::binary)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return path_ / name;
    }

  private:
    std::filesystem::path path_;
};

}  // namespace tracebench::testing
