#include "generators/ssm/encoding/netssm_times.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "generators/checked_json.h"

namespace tracebench::ssm {
namespace {

constexpr const char* file_name = "iat.json";
constexpr std::uint64_t largest_file = 64 << 20, longest_ns = 3'600'000'000'000;
constexpr int precision = 5;  ///< buckets of at most 3% bound a label's counts to about 1,300

}  // namespace

void InterArrivalTimes::observe(const std::string& label, const Trace& trace) {
    Histogram& times = labels_.try_emplace(label, precision).first->second;
    for (std::size_t i = 1; i < trace.size(); ++i) {
        const std::int64_t gap = trace.packets[i].time_ns - trace.packets[i - 1].time_ns;
        times.add(std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(gap, 0)), longest_ns));
    }
}

Histogram InterArrivalTimes::of(const std::string& label) const {
    const auto found = labels_.find(label);
    return found == labels_.end() ? Histogram(precision) : found->second;
}

void InterArrivalTimes::save(const std::filesystem::path& folder) const {
    if (labels_.empty()) return;
    nlohmann::json labels = nlohmann::json::object();
    for (const auto& [label, times] : labels_) labels[label] = times.to_json();
    write_file(folder / file_name, nlohmann::json{{"labels", std::move(labels)}}.dump() + "\n");
}

InterArrivalTimes InterArrivalTimes::load(const std::filesystem::path& folder) {
    InterArrivalTimes result;
    const std::filesystem::path path = folder / file_name;
    if (!std::filesystem::exists(path)) return result;
    const nlohmann::json document = parse_json_file(path, largest_file);
    const CheckedJson checked(document, path.string());
    checked.allow_only({"labels"});
    const CheckedJson labels = checked.at("labels");
    if (!labels.value().is_object()) labels.fail("is not an object of labels");
    for (const auto& [label, times] : labels.value().items())
        result.labels_.emplace(label, Histogram::from_json(labels.at(label), longest_ns, precision));
    return result;
}

}  // namespace tracebench::ssm
