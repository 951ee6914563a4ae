#pragma once
/// Files: whole reads with a bound, writes that appear complete or not at all, content hashes.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tracebench {

/// The whole file (`-` is standard input). Throws InputError when it cannot be read or is larger than
/// `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit = std::uint64_t{1} << 31);

/// Writes `content` to a temporary file beside `path`, then renames it: a reader sees the old file or the
/// new one, never half of it. `-` writes to standard output. Makes missing parent folders.
/// Throws InputError when it cannot (no permission, disk full); nothing is left behind then.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A file under construction for writers that stream: write to `temporary()`, then `commit()`.
/// Without commit() the temporary file is removed. A device or pipe (/dev/null) is written to as it is.
class PendingFile {
  public:
    explicit PendingFile(std::filesystem::path target);
    ~PendingFile();
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;

    const std::filesystem::path& temporary() const { return temporary_; }
    /// Flushes to disk and renames. Throws InputError on failure.
    void commit();

  private:
    std::filesystem::path target_;
    std::filesystem::path temporary_;
    bool committed_ = false;
};

/// SHA-256, in lower-case hexadecimal (64 characters).
std::string sha256(std::string_view content);
std::string sha256(std::span<const std::uint8_t> content);
/// Of a file's content, streamed. Throws InputError when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace tracebench
