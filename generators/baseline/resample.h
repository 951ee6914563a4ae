#pragma once
/// `resample`: training sessions again, with fresh identifiers: the upper end of fidelity (and of copying).

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "generators/checked_json.h"
#include "generators/generator.h"

namespace tracebench {

/// Takes no settings. A label's sessions are drawn in a random order without repeats, again and again.
/// Lengths, contents and relative times stay as they were; addresses, client ports, MACs (SessionIdentity)
/// and the start time are new. With `constrained`, wrong checksums of packets captured whole are corrected
/// (real captures have them from checksum offload); without, they stay as wrong as they were.
/// A saved model is the training captures themselves: samples/00001.pcap ... and labels.csv.
class ResampleGenerator : public Generator {
  public:
    static std::unique_ptr<Generator> make(const CheckedJson& settings);

    std::string kind() const override { return "resample"; }
    void fit(const Samples& samples, const FitContext& context) override;
    void sample(const SampleRequest& request, Progress& progress, const Sink& sink) override;
    void save(const std::filesystem::path& folder) const override;
    void load(const std::filesystem::path& folder) override;
    nlohmann::json describe() const override;
    std::vector<std::string> labels() const override;

  private:
    std::map<std::string, std::vector<Trace>> sessions_;  // by label; Ethernet, none empty
};

}  // namespace tracebench
