#include "base/error.h"
#include "base/shared_library.h"
#include "classifiers/models.h"

namespace tracebench {
namespace {

constexpr const char* library_name = "libtracebench_neural.so";

using Factory = Classifier*();

class LazyMlp : public Classifier {
  public:
    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        static Factory* const factory =
            reinterpret_cast<Factory*>(load_program_symbol(library_name, "tracebench_make_mlp"));
        inner_.reset(factory());
        inner_->fit(features, classes, class_count, seed);
    }
    std::vector<int> predict(MatrixView features) const override { return inner_->predict(features); }

  private:
    std::unique_ptr<Classifier> inner_;
};

}  // namespace

bool mlp_available() {
    return !find_program_library(library_name).empty();
}

std::unique_ptr<Classifier> make_mlp() {
    if (!mlp_available())
        throw InputError("model", "'mlp' needs LibTorch, which this build does not have",
                         "build with TRACEBENCH_TORCH=ON, or use another model");
    return std::make_unique<LazyMlp>();
}

}  // namespace tracebench
