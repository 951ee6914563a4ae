#include "bench/workspace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "datasets/source.h"

namespace tracebench {
namespace fs = std::filesystem;

Workspace::Workspace(fs::path folder, const Plan& plan, bool shared) : folder_(std::move(folder)), plan_(plan) {
    std::error_code error;
    fs::create_directories(folder_ / "store", error);
    if (error)
        throw InputError(folder_.string(), "cannot be made or written: " + error.message(),
                         "choose another output folder with -o");
    if (shared) return;
    const fs::path lock_file = folder_ / ".lock";
    lock_ = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock_ < 0)
        throw InputError(lock_file.string(), fmt::format("cannot be written: {}", std::strerror(errno)),
                         "choose another output folder with -o");
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock_);
        throw InputError(folder_.string(), "another run is writing here", "wait for it or choose another -o");
    }
}

Workspace::~Workspace() {
    if (lock_ >= 0) ::close(lock_);
}

fs::path Workspace::model_folder(const std::string& dataset, const std::string& generator,
                                 std::uint64_t seed) const {
    return folder_ / "models" / dataset / generator / std::to_string(seed);
}

fs::path Workspace::synthetic_folder(const std::string& dataset, const std::string& generator,
                                     std::uint64_t seed) const {
    if (generator == "ceiling") return folder_ / "ceiling" / dataset;
    const fs::path base = folder_ / "synthetic";
    return (plan_.datasets.size() > 1 ? base / dataset : base) / generator / std::to_string(seed);
}

std::shared_ptr<const SampleSet> Workspace::shared(const std::string& name, bool keep, const Loader& load) {
    std::shared_ptr<Slot> slot;
    {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<Slot>& entry = slots_[name];
        if (!entry) entry = std::make_shared<Slot>();
        slot = entry;
    }
    const std::lock_guard lock(slot->loading);
    if (auto set = slot->set.lock()) return set;
    auto set = load();
    slot->set = set;
    if (keep) slot->kept = set;
    return set;
}

namespace {
std::shared_ptr<const SampleSet> observed(const std::string& name, Samples samples) {
    auto set = std::make_shared<SampleSet>();
    set->name = name;
    set->samples = std::move(samples);
    set->observations = observe(set->samples);
    return set;
}
}  // namespace

std::shared_ptr<const SampleSet> Workspace::real_train(const PlannedDataset& dataset) {
    return shared("train:" + dataset.data.name, true,
                  [&] { return observed("real", Samples(dataset.data, dataset.split.train)); });
}

std::shared_ptr<const SampleSet> Workspace::real_heldout(const PlannedDataset& dataset) {
    return shared("heldout:" + dataset.data.name, true,
                  [&] { return observed("real", Samples(dataset.data, dataset.split.heldout)); });
}

std::shared_ptr<const SampleSet> Workspace::synthetic(const PlannedDataset& dataset, const std::string& generator,
                                                      std::uint64_t seed) {
    const fs::path folder = synthetic_folder(dataset.data.name, generator, seed);
    return shared(folder.string(), generator == "ceiling", [&] {
        const Dataset data = load_folder(folder);
        std::vector<std::size_t> all(data.samples.size());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
        return observed(generator, Samples(data, all));
    });
}

}  // namespace tracebench
