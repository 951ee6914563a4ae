/// Every generator there is. A new one is a line here.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "generators/baseline/marginal.h"
#include "generators/baseline/markov.h"
#include "generators/baseline/resample.h"
#include "generators/checked_json.h"
#include "generators/diffusion/diffusion_generator.h"
#include "generators/external/captures.h"
#include "generators/external/command.h"
#include "generators/generator.h"
#include "generators/ssm/ssm_generator.h"

namespace tracebench {
namespace {

struct Entry {
    const char* kind;
    std::unique_ptr<Generator> (*make)(const CheckedJson& settings);  // rejects settings it does not know
};

constexpr Entry registry[] = {
    {"resample", &ResampleGenerator::make},               // baseline: the upper end of fidelity
    {"markov", &MarkovGenerator::make},                   // baseline: what a small model does
    {"marginal", &MarginalGenerator::make},               // baseline: the ceiling of badness
    {"ssm", &ssm::SsmGenerator::make},                    // NetSSM: a state-space model of tokens
    {"diffusion", &diffusion::DiffusionGenerator::make},  // NetDiffusion: latent diffusion of packet rows
    {"captures", &CapturesGenerator::make},               // what another generator wrote
    {"command", &CommandGenerator::make},                 // another generator's program
};

}  // namespace

std::unique_ptr<Generator> make_generator(const std::string& kind, const nlohmann::json& settings) {
    const auto entry = std::find_if(std::begin(registry), std::end(registry),
                                    [&](const Entry& candidate) { return candidate.kind == kind; });
    if (entry == std::end(registry))
        throw InputError(fmt::format("generator '{}'", kind), "is not known",
                         fmt::format("use one of: {}", fmt::join(generator_kinds(), ", ")));
    static const nlohmann::json none = nlohmann::json::object();
    return entry->make(
        CheckedJson(settings.is_null() ? none : settings, fmt::format("generator '{}'", kind)));
}

std::vector<std::string> generator_kinds() {
    std::vector<std::string> kinds;
    for (const Entry& entry : registry) kinds.emplace_back(entry.kind);
    return kinds;
}

}  // namespace tracebench
