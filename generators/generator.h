#pragma once
/// A generator learns from a training split, then makes labelled samples with timestamps.
///
/// To add one: a file that implements Generator, a line in registry.cpp, a test. See docs/extending.md.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "datasets/samples.h"

namespace tracebench {

struct FitContext {
    std::uint64_t seed = 1;
    double budget_s = 0;           ///< wall clock; 0: none
    Progress* progress = nullptr;  ///< null: nobody listens
    /// An existing folder of this fit's own, for what lets an interrupted fit() go on where it stopped when
    /// it is called again with the same samples, settings and seed: files named `checkpoint*`. Empty: none.
    std::filesystem::path checkpoints;

    /// `progress`, or one that says nothing (interrupts still count).
    Progress& listener() const;
};

struct SampleRequest {
    std::string label;
    std::size_t count = 1;  ///< samples wanted
    /// Limits of a sample; 0: as the generator sees fit. Only generators that make a sample step by step know
    /// the other two; others leave them out of account.
    std::size_t max_packets = 0;
    double max_seconds = 0;  ///< of traffic, from the first packet on
    std::uint64_t max_tokens = 0;
    std::uint64_t seed = 1;
    bool constrained = true;  ///< protocol constraints and repair on
    double budget_s = 0;
};

class Generator {
  public:
    using Sink = std::function<void(Trace)>;                    ///< called once a sample, in order
    using PacketSink = std::function<void(const PacketView&)>;  ///< the view is valid during the call

    virtual ~Generator() = default;
    /// Registry name: `resample`, `marginal`, `ssm`, ...
    virtual std::string kind() const = 0;
    /// Throws InputError where the samples do not suffice. Empty training data is an error.
    virtual void fit(const Samples& samples, const FitContext& context) = 0;
    /// `request.count` traces of one label. Same seed, same bytes. Throws InputError for an unknown label.
    virtual void sample(const SampleRequest& request, Progress& progress, const Sink& sink) = 0;
    /// One single trace of any length in constant memory: packets in time order until a limit of the request
    /// is reached, of which there must be one (InputError). False, and nothing done: it cannot.
    virtual bool stream(const SampleRequest& request, Progress& progress, const PacketSink& sink);
    /// One loss a sample: the mean negative log-likelihood, in nats, of what the fitted model predicts (a
    /// token, a packet) while it reads the sample. Infinite where the model rules the sample out, NaN where
    /// it cannot say (a label that it does not know). Nothing: the model has no likelihood. What membership
    /// inference by loss asks for.
    virtual std::optional<std::vector<double>> losses(const Samples& samples, Progress& progress);
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

/// Removes what fit() keeps in a checkpoint folder, and the folder if nothing else is in it.
void remove_checkpoints(const std::filesystem::path& folder);

/// For sample(): throws InputError that lists the labels there are.
void require_label(const Generator& generator, const std::string& label);

/// A model folder holds `generator.json` {"kind","settings","describe"} and the generator's own files in
/// `model/`. It appears whole or not at all: an older model there is replaced, a folder or file that is no
/// model is left alone (InputError).
void save_model(const Generator& generator, const nlohmann::json& settings,
                const std::filesystem::path& folder);
/// Throws InputError: no such folder, not a model, damaged. A model of kind `command` names a program, which
/// sample() runs: load such a folder only from whom you would run a script.
/// A bare folder of NetSSM's (config.json, tokenizer.json, weights) is loaded as an `ssm`.
std::unique_ptr<Generator> load_model(const std::filesystem::path& folder);
/// The same with some of its settings replaced: members of the object `overrides`.
std::unique_ptr<Generator> load_model(const std::filesystem::path& folder, const nlohmann::json& overrides);

}  // namespace tracebench
