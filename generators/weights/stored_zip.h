#pragma once
/// Zip archives whose members are stored as they are, which is how PyTorch keeps tensors.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct archive;

namespace tracebench {

/// The members one after the other, in the order of their place in the file.
class StoredZip {
  public:
    struct Member {
        std::string name;
        std::uint64_t size = 0;
    };

    /// `bytes` must outlive it. Throws InputError naming `name` where this is no zip archive.
    StoredZip(std::span<const std::uint8_t> bytes, const std::string& name);

    /// Goes on to the next member; nothing after the last. Throws InputError: damaged, a member is compressed
    /// or encrypted, all together claim to be larger than the archive (members that share bytes).
    std::optional<Member> next();
    /// The content of the member that next() gave, once. Throws InputError: cut short, wrong CRC, over
    /// `limit` bytes.
    std::vector<std::uint8_t> read(std::uint64_t limit = UINT64_MAX);

  private:
    [[noreturn]] void fail(const char* problem) const;

    std::string name_;
    std::uint64_t archive_size_, claimed_ = 0;
    Member member_;
    std::unique_ptr<archive, int (*)(archive*)> reader_;
};

}  // namespace tracebench
