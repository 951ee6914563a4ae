#include "generators/external/temporary_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace tracebench {
namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "tracebench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw InputError(name, fmt::format("cannot be made: {}", std::strerror(errno)),
                         "set TMPDIR to a writable folder");
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void require_plain_files(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        const fs::file_type type = entry.symlink_status().type();
        if (type != fs::file_type::regular && type != fs::file_type::directory)
            throw InputError(entry.path().string(), "is neither a file nor a folder",
                             "write plain files only");
    }
}

}  // namespace tracebench
