#include "generators/weights/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace tracebench {

MappedFile::MappedFile(const std::filesystem::path& path) {
    const auto fail = [&](int error) {
        throw InputError(path.string(), fmt::format("cannot read: {}", std::strerror(error)),
                         error == ENOENT ? "check the name" : "");
    };
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not block us
    if (file < 0) fail(errno);
    struct Close {
        int file;
        ~Close() { ::close(file); }
    } const close{file};
    struct stat status {};
    if (::fstat(file, &status) != 0) fail(errno);
    if (!S_ISREG(status.st_mode))
        throw InputError(path.string(), "is not a regular file", "name a file of weights");
    if (status.st_size == 0) throw InputError(path.string(), "is empty", "copy or download it again");

    const auto size = static_cast<std::size_t>(status.st_size);
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED) fail(errno);
    ::madvise(address, size, MADV_SEQUENTIAL);
    bytes_ = {static_cast<const std::uint8_t*>(address), size};
}

MappedFile::~MappedFile() {
    ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

}  // namespace tracebench
