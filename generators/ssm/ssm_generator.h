#pragma once
/// `ssm`: NetSSM, a Mamba-2 language model of traffic (Chu et al., "NetSSM: Multi-Flow and State-Aware
/// Network Trace Generation using State Space Models", 2025), trained and run natively.

#include <functional>
#include <memory>

#include "generators/generator.h"
#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/generation/generate_traces.h"
#include "generators/ssm/model_files.h"
#include "generators/ssm/sequence_model.h"
#include "generators/ssm/ssm_settings.h"

namespace tracebench::ssm {

/// What the generator is made of; tests put in simpler ones.
struct SsmParts {
    std::function<std::unique_ptr<SequenceModel>(const ModelConfig&, const ComputeOptions&,
                                                 std::uint64_t seed)>
        make_model = make_sequence_model;
    std::function<std::unique_ptr<Encoding>(const std::string& name, const nlohmann::json& settings,
                                            const std::vector<std::string>& labels)>
        make_encoding = tracebench::ssm::make_encoding;
    EncodingLoader load_encoding = tracebench::ssm::load_encoding;
};

/// Settings: docs/ssm.md. Several in one process take turns, each with all its threads: training uses every
/// core by itself, and how many threads there are must not depend on what else happens to run.
class SsmGenerator : public Generator {
  public:
    static std::unique_ptr<Generator> make(const CheckedJson& settings);
    explicit SsmGenerator(SsmSettings settings, SsmParts parts = {});

    std::string kind() const override { return "ssm"; }
    void fit(const Samples& samples, const FitContext& context) override;
    void sample(const SampleRequest& request, Progress& progress, const Sink& sink) override;
    bool stream(const SampleRequest& request, Progress& progress, const PacketSink& sink) override;
    /// A token, of a sample's first 512 (what a call of the model takes at once); those that are given to the
    /// model and never asked of it are left out.
    std::optional<std::vector<double>> losses(const Samples& samples, Progress& progress) override;
    void save(const std::filesystem::path& folder) const override;
    /// Also reads a folder that another program wrote: see read_model_files().
    void load(const std::filesystem::path& folder) override;
    nlohmann::json describe() const override;
    std::vector<std::string> labels() const override;

  private:
    ModelFiles starting_point(const Samples& samples, std::uint64_t seed) const;
    void build(ModelFiles files, std::uint64_t seed, const std::string& name);
    TracesRequest traces_request(const SampleRequest& request) const;
    void require_fitted(const std::string& label) const;

    SsmSettings settings_;
    SsmParts parts_;
    std::unique_ptr<Encoding> encoding_;
    std::unique_ptr<SequenceModel> model_;
    TrainingRecord training_;
    PlanCalibration calibration_;
    SamplingStatistics sampling_;
    double sampling_s_ = 0;
};

}  // namespace tracebench::ssm
