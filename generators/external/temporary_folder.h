#pragma once
/// A scratch folder for exchanging files with other programs.

#include <cstdint>
#include <filesystem>

namespace tracebench {

/// A folder of our own under the system's temporary one, removed with everything in it.
class TemporaryFolder {
  public:
    /// Throws InputError where it cannot be made.
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// Throws InputError where something other than files and folders lies below `folder`: links a program made
/// could lead anywhere.
void require_plain_files(const std::filesystem::path& folder);

}  // namespace tracebench
