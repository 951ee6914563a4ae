#pragma once
/// `command`: any program as a generator. docs/external-generators.md is its contract.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "generators/checked_json.h"
#include "generators/external/temporary_folder.h"
#include "generators/generator.h"

namespace tracebench {

/// Settings: {"command": ["program", "argument", ...], "timeout_s": 600, "memory_mib": 8192,
/// "output_mib": 1024}. The program gets one JSON request on standard input for each fit() and each
/// sample(); what it writes into the output folder are the samples, in name order, as they are: nothing is
/// repaired. fit() always runs the program; sample() throws InputError where it wrote no capture with
/// packets, and gives fewer samples than asked for where it wrote fewer.
class CommandGenerator : public Generator {
  public:
    static std::unique_ptr<Generator> make(const CheckedJson& settings);

    std::string kind() const override { return "command"; }
    void fit(const Samples& samples, const FitContext& context) override;
    void sample(const SampleRequest& request, Progress& progress, const Sink& sink) override;
    void save(const std::filesystem::path& folder) const override;
    void load(const std::filesystem::path& folder) override;
    nlohmann::json describe() const override;
    std::vector<std::string> labels() const override { return labels_; }

  private:
    void run(const nlohmann::json& request, const std::filesystem::path& output) const;

    std::vector<std::string> command_;
    double timeout_s_ = 0;
    std::uint64_t memory_bytes_ = 0, output_bytes_ = 0;
    std::vector<std::string> labels_;
    std::unique_ptr<TemporaryFolder> work_;  // what fit() made
    std::filesystem::path model_folder_;     // the program's own, in work_ or in the model that was loaded
};

}  // namespace tracebench
