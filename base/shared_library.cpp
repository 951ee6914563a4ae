#include "base/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <stdexcept>

#include "base/error.h"

namespace tracebench {

std::filesystem::path find_program_library(const std::string& name) {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const auto& folder : {program, program / ".." / "lib" / "tracebench"})
        if (std::filesystem::exists(folder / name, error)) return folder / name;
    return {};
}

void* load_program_symbol(const std::string& library, const char* symbol) {
    const std::filesystem::path path = find_program_library(library);
    if (path.empty())
        throw InputError(library, "is not beside the program: this build is without LibTorch",
                         "build with TRACEBENCH_TORCH=ON");
    // Never closed: LibTorch does not survive being unloaded.
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
        throw InputError(library, fmt::format("cannot be loaded: {}", dlerror()), "install LibTorch (libtorch1.13)");
    void* address = dlsym(handle, symbol);
    if (address == nullptr) throw std::runtime_error(fmt::format("{}: no {}", library, symbol));
    return address;
}

}  // namespace tracebench
