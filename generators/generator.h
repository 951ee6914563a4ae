#pragma once
/// A generator learns from a training split, then makes labelled samples with timestamps.
///
/// To add one: a file that implements Generator, a line in registry.cpp, a test. See docs/extending.md.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "datasets/dataset.h"

namespace tracebench {

struct FitContext {
    std::uint64_t seed = 1;
    double budget_s = 0;           ///< wall clock; 0: none
    Progress* progress = nullptr;  ///< null: nobody listens
    /// An existing folder of this fit's own, for what lets an interrupted fit() go on where it stopped when
    /// it is called again with the same samples, settings and seed. Empty: no checkpoints.
    std::filesystem::path checkpoints;

    /// `progress`, or one that says nothing (interrupts still count).
    Progress& listener() const;
};

struct SampleRequest {
    std::string label;
    std::size_t count = 1;        ///< samples wanted
    std::size_t max_packets = 0;  ///< per sample; 0: as the generator sees fit
    std::uint64_t seed = 1;
    bool constrained = true;  ///< protocol constraints and repair on
    double budget_s = 0;
};

class Generator {
  public:
    using Sink = std::function<void(Trace)>;  ///< called once a sample, in order

    virtual ~Generator() = default;
    /// Registry name: `resample`, `marginal`, `ssm`, ...
    virtual std::string kind() const = 0;
    /// Throws InputError where the samples do not suffice. Empty training data is an error.
    virtual void fit(const std::vector<LabelledTrace>& samples, const FitContext& context) = 0;
    /// `request.count` traces of one label. Same seed, same bytes. Throws InputError for an unknown label.
    virtual void sample(const SampleRequest& request, Progress& progress, const Sink& sink) = 0;
    /// Into an existing empty folder; `load` reads it back. Everything loaded is treated as hostile.
    virtual void save(const std::filesystem::path& folder) const = 0;
    virtual void load(const std::filesystem::path& folder) = 0;
    /// What it is, what it learned, what it cost: goes into results.json as it is.
    virtual nlohmann::json describe() const = 0;
    /// Labels it can sample; empty before fit() or load().
    virtual std::vector<std::string> labels() const = 0;
};

/// `settings` are the manifest's settings object for this generator. Throws InputError for an unknown kind
/// (listing those there are) or a setting that is unknown or out of range.
std::unique_ptr<Generator> make_generator(const std::string& kind, const nlohmann::json& settings);
std::vector<std::string> generator_kinds();

/// For sample(): throws InputError that lists the labels there are.
void require_label(const Generator& generator, const std::string& label);

/// A model folder holds `generator.json` {"kind","settings","describe"} and the generator's own files in
/// `model/`. It appears whole or not at all: an older model there is replaced, a folder or file that is no
/// model is left alone (InputError).
void save_model(const Generator& generator, const nlohmann::json& settings,
                const std::filesystem::path& folder);
/// Throws InputError: no such folder, not a model, damaged. A model of kind `command` names a program, which
/// sample() runs: load such a folder only from whom you would run a script.
std::unique_ptr<Generator> load_model(const std::filesystem::path& folder);

}  // namespace tracebench
