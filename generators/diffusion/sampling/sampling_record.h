#pragma once
/// What sampling was: how much repair altered, what it cost, how a sample came out of noise.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "generators/diffusion/repair/image_repair.h"

namespace tracebench::diffusion {

/// The first sample of a label, decoded while it was still noise.
struct DenoisingStrip {
    std::string label;  ///< printable
    /// Step, counted from 1, and the image (PNG) of the first rows then.
    std::vector<std::pair<std::int64_t, std::string>> steps;
};

struct SamplingRecord {
    std::uint64_t samples = 0, rows = 0, packets = 0;
    double network_s = 0;      ///< denoising and decoding
    double repair_s = 0;       ///< identities, repair, frames
    ImageRepairReport repair;  ///< of constrained samples
    std::vector<DenoisingStrip> strips;

    void add(SamplingRecord other);
    /// {"samples","rows","packets","network_s","repair_s","packets_per_s","repair":{"bits","altered",
    ///  "packets_altered","fields":[{"name","bits","altered"}],"rules":{}},"denoising":[{"label","steps":
    ///  [{"step","png"}]}]}; `png` in base64. Fields without a bit are left out.
    nlohmann::json to_json() const;
};

}  // namespace tracebench::diffusion
