#pragma once
/// A whole file in memory, read as its pages are touched.

#include <cstdint>
#include <filesystem>
#include <span>

namespace tracebench {

class MappedFile {
  public:
    /// Throws InputError: not there, not readable, not a regular file, empty.
    explicit MappedFile(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    /// At least one byte. Whoever shortens the file meanwhile ends this process (SIGBUS), as with every map.
    std::span<const std::uint8_t> bytes() const { return bytes_; }

  private:
    std::span<const std::uint8_t> bytes_;
};

}  // namespace tracebench
