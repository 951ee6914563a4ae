#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "traffic/capture_source.h"

namespace tracebench::capture {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t release_window = 64 << 20;

class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ > STDERR_FILENO) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }

  private:
    int value_;
};

[[noreturn]] void fail(const std::string& name, std::string_view doing, std::string_view remedy = {}) {
    throw InputError(name, fmt::format("cannot {}: {}", doing, std::strerror(errno)), remedy);
}

void copy_all(int from, int to, const std::string& name) {
    std::array<char, 1 << 16> block;
    for (;;) {
        const ssize_t got = ::read(from, block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(name, "read");
        if (got == 0) return;
        for (ssize_t done = 0; done < got;) {
            const ssize_t written = ::write(to, block.data() + done, static_cast<std::size_t>(got - done));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0)
                fail(name, "be kept in a temporary file", "free space there or set TMPDIR to another folder");
            done += written;
        }
    }
}

/// An unlinked file holding all that `from` gives.
int spool(int from, const std::string& name) {
    std::string pattern = (fs::temp_directory_path() / "tracebench-XXXXXX").string();
    const int file = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (file < 0) fail(name, "be kept in a temporary file", "set TMPDIR to a folder that can be written");
    ::unlink(pattern.c_str());
    try {
        copy_all(from, file, name);
    } catch (...) {
        ::close(file);
        throw;
    }
    return file;
}

int open_file(const fs::path& path, const std::string& name) {
    if (path == "-") return STDIN_FILENO;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(name, "read", errno == ENOENT ? "check the name" : "");
    return file;
}

}  // namespace

Mapping::Mapping(const fs::path& path) {
    const std::string name = path == "-" ? "standard input" : path.string();
    const Descriptor opened(open_file(path, name));
    struct stat status {};
    if (::fstat(opened.get(), &status) != 0) fail(name, "read");
    if (S_ISDIR(status.st_mode)) throw InputError(name, "is a folder", "name a capture file");

    const bool regular = S_ISREG(status.st_mode);
    const Descriptor spooled(regular ? -1 : spool(opened.get(), name));
    const int source = regular ? opened.get() : spooled.get();
    if (!regular && ::fstat(source, &status) != 0) fail(name, "read");
    if (status.st_size == 0) throw InputError(name, "is empty", "a pcap or pcapng file was expected");

    size_ = static_cast<std::size_t>(status.st_size);
    void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, source, 0);
    if (address == MAP_FAILED) fail(name, "map into memory");
    data_ = static_cast<const std::uint8_t*>(address);
    ::madvise(address, size_, MADV_SEQUENTIAL);
}

Mapping::~Mapping() {
    ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

std::uint64_t Mapping::release_before(std::uint64_t offset) {
    const std::uint64_t window = offset / release_window;
    if (window >= 2) {
        const std::uint64_t end = (window - 1) * release_window;
        if (end > released_)
            ::madvise(const_cast<std::uint8_t*>(data_ + released_), end - released_, MADV_DONTNEED);
        released_ = std::max(released_, end);
    }
    return (window + 1) * release_window;
}

}  // namespace tracebench::capture
