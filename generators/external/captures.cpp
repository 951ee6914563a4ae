#include "generators/external/captures.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "datasets/labels.h"
#include "datasets/source.h"
#include "generators/ethernet.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {
constexpr const char* model_file = "captures.json";

/// The path of one seed's captures.
fs::path with_seed(const fs::path& path, std::uint64_t seed) {
    constexpr std::string_view mark = "{seed}";
    std::string text = path.string();
    const std::string number = fmt::to_string(seed);
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + number.size()))
        text.replace(at, mark.size(), number);
    return text;
}

}  // namespace

Trace external_sample(const Trace& trace, std::size_t max_packets) {
    Trace sample = to_ethernet(trace).trace;
    if (max_packets != 0 && sample.packets.size() > max_packets) sample.packets.resize(max_packets);
    return sample;
}

std::unique_ptr<Generator> CapturesGenerator::make(const CheckedJson& settings) {
    settings.allow_only({"folder", "labels"});
    auto generator = std::make_unique<CapturesGenerator>();
    generator->folder_ = fs::absolute(settings.at("folder").text());
    const std::string labels = settings.text("labels", "");
    if (!labels.empty()) generator->labels_ = fs::absolute(labels);
    return generator;
}

void CapturesGenerator::scan() {
    if (!fs::is_directory(folder_))
        throw InputError("generator 'captures'", fmt::format("has no folder {}", folder_.string()),
                         "set 'folder' to where the captures are");
    if (labels_.empty()) {
        dataset_ = load_folder(folder_);
        return;
    }
    SourceOptions options;
    options.name = folder_.filename().string();
    options.folder = folder_;
    options.labels = labels_;
    options.min_packets = 1;
    const Labels labels = read_labels(labels_);
    options.unit = labels.per_flow && labels.files.empty() ? Unit::flow : Unit::session;
    dataset_ = load_dataset(options);
}

void CapturesGenerator::fit(const Samples&, const FitContext& context) {
    folder_ = with_seed(folder_, context.seed);
    labels_ = with_seed(labels_, context.seed);
    scan();
}

void CapturesGenerator::sample(const SampleRequest& request, Progress& progress, const Sink& sink) {
    require_label(*this, request.label);
    std::size_t given = 0;
    for (const Sample& sample : dataset_.samples) {
        if (given == request.count) break;
        if (sample.label != request.label) continue;
        progress.check_interrupted();
        Trace trace = external_sample(load_sample(sample), request.max_packets);
        if (trace.empty()) continue;
        sink(std::move(trace));
        progress.update(static_cast<double>(++given), static_cast<double>(request.count), "samples");
    }
    if (given == 0)
        throw InputError(folder_.string(), fmt::format("has no packets for label '{}'", request.label));
    if (given < request.count)
        progress.update(
            static_cast<double>(given), static_cast<double>(request.count), "samples",
            fmt::format("{} holds no more for '{}'", printable(folder_.string()), printable(request.label)));
}

void CapturesGenerator::save(const fs::path& folder) const {
    const nlohmann::json json = {{"folder", folder_.string()}, {"labels", labels_.string()}};
    write_file(folder / model_file,
               json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void CapturesGenerator::load(const fs::path& folder) {
    const fs::path path = folder / model_file;
    const nlohmann::json json = parse_json_file(path, 1 << 20);
    const CheckedJson checked(json, path.string());
    folder_ = checked.at("folder").text();
    labels_ = checked.at("labels").text();
    scan();
}

nlohmann::json CapturesGenerator::describe() const {
    std::map<std::string, std::size_t> counts;
    for (const Sample& sample : dataset_.samples) ++counts[printable(sample.label)];
    return {{"kind", kind()},
            {"what", "captures that another generator wrote"},
            {"folder", printable(folder_.string())},
            {"samples", counts},
            {"content_sha256", dataset_.content_sha256}};
}

}  // namespace tracebench
