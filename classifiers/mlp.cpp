#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

#include "base/error.h"
#include "classifiers/models.h"

namespace tracebench {
namespace {

constexpr const char* library_name = "libtracebench_neural.so";

/// Beside the program, as built; or in ../lib/tracebench, as installed. Empty where there is none.
std::filesystem::path find_library() {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const auto& folder : {program, program / ".." / "lib" / "tracebench"})
        if (std::filesystem::exists(folder / library_name, error)) return folder / library_name;
    return {};
}

using Factory = Classifier*();

Factory* load_factory() {
    const std::filesystem::path path = find_library();
    // Never closed: LibTorch does not survive being unloaded.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
        throw InputError(library_name, fmt::format("cannot be loaded: {}", dlerror()),
                         "install LibTorch (libtorch1.13), or use another model");
    void* symbol = dlsym(library, "tracebench_make_mlp");
    if (symbol == nullptr) throw std::runtime_error(fmt::format("{}: no tracebench_make_mlp", library_name));
    return reinterpret_cast<Factory*>(symbol);
}

class LazyMlp : public Classifier {
  public:
    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        static Factory* const factory = load_factory();
        inner_.reset(factory());
        inner_->fit(features, classes, class_count, seed);
    }
    std::vector<int> predict(MatrixView features) const override { return inner_->predict(features); }

  private:
    std::unique_ptr<Classifier> inner_;
};

}  // namespace

bool mlp_available() {
    return !find_library().empty();
}

std::unique_ptr<Classifier> make_mlp() {
    if (!mlp_available())
        throw InputError("model", "'mlp' needs LibTorch, which this build does not have",
                         "build with TRACEBENCH_TORCH=ON, or use another model");
    return std::make_unique<LazyMlp>();
}

}  // namespace tracebench
