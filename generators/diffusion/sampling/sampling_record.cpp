#include "generators/diffusion/sampling/sampling_record.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "traffic/nprint.h"

namespace tracebench::diffusion {

using nlohmann::json;

void SamplingRecord::add(SamplingRecord other) {
    samples += other.samples;
    rows += other.rows;
    packets += other.packets;
    network_s += other.network_s;
    repair_s += other.repair_s;
    repair.merge(other.repair);
    for (DenoisingStrip& strip : other.strips) strips.push_back(std::move(strip));
}

json SamplingRecord::to_json() const {
    const double seconds = network_s + repair_s;
    json text = {
        {"samples", samples},   {"rows", rows},
        {"packets", packets},   {"network_s", network_s},
        {"repair_s", repair_s}, {"packets_per_s", seconds > 0 ? static_cast<double>(packets) / seconds : 0}};
    if (repair.packets > 0) {
        json fields = json::array();
        std::uint64_t bits = 0, altered = 0;
        const auto names = nprint_fields();
        for (std::size_t f = 0; f < repair.fields.size(); ++f) {
            const FieldChange& change = repair.fields[f];
            if (change.bits == 0) continue;
            fields.push_back({{"name", names[f].name}, {"bits", change.bits}, {"altered", change.altered}});
            if (names[f].checksum) continue;
            bits += change.bits;
            altered += change.altered;
        }
        text["repair"] = {{"packets", repair.packets},
                          {"packets_altered", repair.packets_altered},
                          {"bits", bits},
                          {"altered", altered},
                          {"fields", std::move(fields)},
                          {"rules", repair.rules}};
    }
    for (const DenoisingStrip& strip : strips) {
        json steps = json::array();
        for (const auto& [step, png] : strip.steps) steps.push_back({{"step", step}, {"png", base64(png)}});
        text["denoising"].push_back({{"label", strip.label}, {"steps", std::move(steps)}});
    }
    return text;
}

}  // namespace tracebench::diffusion
