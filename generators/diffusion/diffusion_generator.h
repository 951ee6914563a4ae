#pragma once
/// `diffusion`: NetDiffusion, latent diffusion over nPrint images with protocol repair (Jiang et al.,
/// "NetDiffusion: Network Data Augmentation Through Protocol-Constrained Traffic Generation", SIGMETRICS
/// 2024), trained and run natively.

#include <memory>

#include "generators/diffusion/class_book.h"
#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/diffusion_settings.h"
#include "generators/diffusion/model_files.h"
#include "generators/diffusion/sampling/sampling_record.h"
#include "generators/generator.h"

namespace tracebench::diffusion {

/// Settings: docs/diffusion.md. Takes turns with other generators that use every core (generators/turn.h).
class DiffusionGenerator : public Generator {
  public:
    static std::unique_ptr<Generator> make(const CheckedJson& settings);
    /// Tests put in a simpler model.
    explicit DiffusionGenerator(DiffusionSettings settings, ModelMaker make_model = make_diffusion_model);

    std::string kind() const override { return "diffusion"; }
    void fit(const Samples& samples, const FitContext& context) override;
    void sample(const tracebench::SampleRequest& request, Progress& progress, const Sink& sink) override;
    void save(const std::filesystem::path& folder) const override;
    void load(const std::filesystem::path& folder) override;
    nlohmann::json describe() const override;
    std::vector<std::string> labels() const override { return classes_.labels(); }

  private:
    /// The samples as rows; their classes are added to `book` as they are met in sorted order.
    struct Encoded;
    Encoded encode(const Samples& samples, ClassBook book, const Progress& progress) const;
    ModelFiles starting_point(const Samples& samples, const FitContext& context, Encoded& encoded) const;

    DiffusionSettings settings_;
    ModelMaker make_model_;
    std::unique_ptr<DiffusionModel> model_;
    ClassBook classes_;
    TrainingRecord training_;
    SamplingRecord sampling_;
};

}  // namespace tracebench::diffusion
