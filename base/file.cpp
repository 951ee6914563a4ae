#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/error.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path, std::string_view doing, int error) {
    throw InputError(path.string(), fmt::format("cannot {}: {}", doing, std::strerror(error)),
                     error == ENOSPC   ? "free some disk space or choose another place with -o"
                     : error == EACCES ? "check the permissions or choose another place"
                                       : "");
}

class Sha256 {
  public:
    Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
        EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
    }
    void add(const void* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned int length = 0;
        EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
        std::string out;
        for (unsigned int i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
        return out;
    }

  private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string read_file(const fs::path& path, std::uint64_t limit) {
    std::string content;
    std::array<char, 1 << 16> block;
    std::ifstream file;
    const bool standard_input = path == "-";
    if (!standard_input) {
        if (fs::is_directory(path)) throw InputError(path.string(), "is a folder", "name a file");
        file.open(path, std::ios::binary);
        if (!file) fail(path, "read", errno);
    }
    std::istream& in = standard_input ? std::cin : file;
    while (in.read(block.data(), block.size()) || in.gcount() > 0) {
        content.append(block.data(), static_cast<std::size_t>(in.gcount()));
        if (content.size() > limit)
            throw InputError(path.string(), fmt::format("is larger than {} bytes", limit), "name a smaller file");
    }
    if (in.bad()) fail(path, "read", errno);
    return content;
}

PendingFile::PendingFile(fs::path target) : target_(std::move(target)) {
    std::error_code error;
    if (fs::is_directory(target_, error)) throw InputError(target_.string(), "is a folder", "name a file");
    if (fs::is_symlink(target_, error)) {  // replace what it points to, not the link
        const fs::path pointed = fs::canonical(target_, error);
        if (!error) target_ = pointed;
    }
    if (fs::exists(target_, error) && !fs::is_regular_file(target_, error)) {
        temporary_ = target_;  // a device or pipe such as /dev/null: renaming over it would destroy it
        committed_ = true;
        return;
    }
    if (target_.has_parent_path()) {
        fs::create_directories(target_.parent_path(), error);
        if (error) fail(target_.parent_path(), "make the folder", error.value());
    }
    static std::atomic<unsigned> counter{0};
    temporary_ = target_;
    temporary_ += fmt::format(".{}-{}.tmp", ::getpid(), counter++);
}

PendingFile::~PendingFile() {
    std::error_code ignored;
    if (!committed_) fs::remove(temporary_, ignored);
}

void PendingFile::commit() {
    if (committed_) return;
    const int descriptor = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail(target_, "write", errno);
    const int synced = ::fsync(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (synced != 0) fail(target_, "write", error);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(target_, "write", errno);
    committed_ = true;
}

void write_file(const fs::path& path, std::string_view content) {
    if (path == "-") {
        std::cout.write(content.data(), static_cast<std::streamsize>(content.size())).flush();
        if (!std::cout) fail("standard output", "write", errno);
        return;
    }
    PendingFile pending(path);
    const int descriptor = ::open(pending.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) fail(path, "write", errno);
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            const int error = errno;
            ::close(descriptor);
            fail(path, "write", error);
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::close(descriptor) != 0) fail(path, "write", errno);
    pending.commit();
}

std::string sha256(std::string_view content) {
    Sha256 hash;
    hash.add(content.data(), content.size());
    return hash.hex();
}

std::string sha256(std::span<const std::uint8_t> content) {
    return sha256(std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
}

std::string sha256_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(path, "read", errno);
    Sha256 hash;
    std::array<char, 1 << 16> block;
    while (file.read(block.data(), block.size()) || file.gcount() > 0)
        hash.add(block.data(), static_cast<std::size_t>(file.gcount()));
    if (file.bad()) fail(path, "read", errno);
    return hash.hex();
}

}  // namespace tracebench
