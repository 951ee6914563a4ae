#include <fmt/format.h>

#include <chrono>
#include <map>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "bench/model_losses.h"
#include "bench/packet_pictures.h"
#include "bench/tasks.h"
#include "generators/generator.h"
#include "traffic/capture_writer.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A label as part of a file name: labels are somebody else's text.
std::string file_stem(const std::string& label) {
    std::string stem;
    for (const char c : label.substr(0, 60))
        stem += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ? c : '_';
    return stem.empty() ? "_" : stem;
}

void add_outputs(json& result, const fs::path& root, const fs::path& folder) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), root).string());
    std::sort(files.begin(), files.end());
    result["outputs"] = files;
}

/// An empty folder to work in, which takes the place of `target` only when all of it is written.
class PendingFolder {
  public:
    explicit PendingFolder(fs::path target) : target_(std::move(target)), temporary_(target_.string() + ".tmp") {
        fs::remove_all(temporary_);
        fs::create_directories(temporary_);
    }
    ~PendingFolder() {
        std::error_code ignored;
        fs::remove_all(temporary_, ignored);
    }
    const fs::path& path() const { return temporary_; }
    void commit() {
        fs::remove_all(target_);
        fs::rename(temporary_, target_);
    }

  private:
    fs::path target_, temporary_;
};

/// Classes present in training, with how many samples each is to get.
std::map<std::string, std::size_t> wanted_samples(const PlannedDataset& dataset, std::size_t per_class) {
    std::map<std::string, std::size_t> wanted;
    for (const std::size_t i : dataset.split.train) ++wanted[dataset.data.samples[i].label];
    if (per_class > 0)
        for (auto& [label, count] : wanted) count = per_class;
    return wanted;
}

}  // namespace

json run_fit(Workspace& space, const PlannedDataset& dataset, const GeneratorPlan& plan, std::uint64_t seed,
             Progress& progress) {
    const auto start = std::chrono::steady_clock::now();
    const auto generator = make_generator(plan.kind, plan.settings);
    FitContext context;
    context.seed = seed;
    context.budget_s = plan.fit_budget_s;
    context.progress = &progress;
    const fs::path folder = space.model_folder(dataset.data.name, plan.name, seed);
    context.checkpoints = folder.string() + ".checkpoints";
    fs::create_directories(context.checkpoints);
    generator->fit(space.real_train(dataset)->samples, context);
    json result = {{"fit_s", seconds_since(start)}, {"describe", generator->describe()}};
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    fs::create_directories(folder.parent_path());
    save_model(*generator, plan.settings, folder);
    remove_checkpoints(context.checkpoints);
    add_outputs(result, space.folder(), folder);
    return result;
}

json run_sample(Workspace& space, const PlannedDataset& dataset, const GeneratorPlan& plan, std::uint64_t seed,
                std::size_t per_class, Progress& progress) {
    const auto start = std::chrono::steady_clock::now();
    const auto generator = load_model(space.model_folder(dataset.data.name, plan.name, seed));
    const auto wanted = wanted_samples(dataset, per_class);
    std::size_t total = 0, done = 0;
    for (const auto& [label, count] : wanted) total += count;

    const fs::path folder = space.synthetic_folder(dataset.data.name, plan.name, seed);
    fs::create_directories(folder.parent_path());
    PendingFolder pending(folder);
    std::string labels = csv_row({"file", "label"});
    std::uint64_t packets = 0;
    PacketPictures pictures;
    std::size_t label_number = 0;
    for (const auto& [label, count] : wanted) {
        SampleRequest request;
        request.label = label;
        request.count = count;
        request.max_packets = plan.max_packets;
        request.seed = stream_seed(seed, "sample/" + label);
        request.constrained = plan.constrained;
        request.budget_s = plan.sample_budget_s;
        std::size_t index = 0;
        generator->sample(request, progress, [&](const Trace& trace) {
            progress.check_interrupted();
            // Two labels may clean to one stem; their number keeps the files apart.
            const std::string name = fmt::format("{:02}-{}-{:04}.pcap", label_number, file_stem(label), index++);
            write_trace(pending.path() / name, trace);
            pictures.add(label, trace);
            labels += csv_row({name, label});
            packets += trace.size();
            progress.update(static_cast<double>(++done), static_cast<double>(total), "samples");
        });
        if (index == 0) throw InputError(plan.name, fmt::format("made no sample of class '{}'", label));
        ++label_number;
    }
    write_file(pending.path() / "labels.csv", labels);
    const double sample_s = seconds_since(start);
    // Real samples are read only for a generator that has something to say of them.
    if (generator->losses({}, progress))
        write_losses(*generator, space.real_train(dataset)->samples, space.real_heldout(dataset)->samples,
                     pending.path(), progress);
    pending.commit();
    json result = {{"sample_s", sample_s}, {"samples", done}, {"packets", packets}, {"pictures", pictures.to_json()}};
    const json described = generator->describe();
    if (described.contains("sampling")) result["sampling"] = described["sampling"];
    add_outputs(result, space.folder(), folder);
    return result;
}

}  // namespace tracebench
