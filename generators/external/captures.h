#pragma once
/// `captures`: what any other generator wrote to disk.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "generators/checked_json.h"
#include "generators/generator.h"

namespace tracebench {

/// Settings: {"folder": "...", "labels": "labels.csv" (optional)}. Without `labels` the folder's own
/// labels.csv counts, or else each capture's subfolder is its label. `{seed}` in either path is the seed of
/// fit(). Samples are a label's captures (or
/// flows, where flows are labelled) in name order, from the first one whatever the seed, and as they are:
/// nothing is repaired. Where there are fewer than asked for, those there are; progress says so.
/// fit() learns nothing; a saved model remembers the folder's absolute path, not its content.
class CapturesGenerator : public Generator {
  public:
    static std::unique_ptr<Generator> make(const CheckedJson& settings);

    std::string kind() const override { return "captures"; }
    void fit(const Samples& samples, const FitContext& context) override;
    void sample(const SampleRequest& request, Progress& progress, const Sink& sink) override;
    void save(const std::filesystem::path& folder) const override;
    void load(const std::filesystem::path& folder) override;
    nlohmann::json describe() const override;
    std::vector<std::string> labels() const override { return dataset_.labels; }

  private:
    void scan();

    std::filesystem::path folder_, labels_;
    Dataset dataset_;
};

/// A capture of another program as a sample: Ethernet, at most `max_packets` (0: all). May be empty.
Trace external_sample(const Trace& trace, std::size_t max_packets);

}  // namespace tracebench
