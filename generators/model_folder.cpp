/// Saving and loading of fitted generators.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "generators/checked_json.h"
#include "generators/generator.h"
#include "generators/ssm/model_files.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

constexpr const char* index_file = "generator.json";
constexpr const char* content_folder = "model";

/// A folder under construction beside its place: what is there when it ends is removed.
class PendingFolder {
  public:
    explicit PendingFolder(fs::path target) : target_(std::move(target)) {
        std::error_code error;
        if (target_.has_parent_path()) fs::create_directories(target_.parent_path(), error);
        temporary_ = target_.string() + fmt::format(".{}.tmp", ::getpid());
        fs::remove_all(temporary_, error);
        fs::create_directory(temporary_, error);
        if (error)
            throw InputError(target_.string(), fmt::format("cannot be made: {}", error.message()),
                             "check the permissions or choose another place with -o");
    }
    ~PendingFolder() {
        std::error_code ignored;
        fs::remove_all(temporary_, ignored);
    }
    PendingFolder(const PendingFolder&) = delete;
    PendingFolder& operator=(const PendingFolder&) = delete;

    const fs::path& path() const { return temporary_; }

    void commit() {
        // A folder cannot be renamed over one with content: they change places, and the destructor removes
        // the old one.
        const bool replace = fs::exists(target_);
        const int result =
            replace ? ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE)
                    : ::rename(temporary_.c_str(), target_.c_str());
        if (result == 0) return;
        const int error = errno;
        throw InputError(
            target_.string(),
            fmt::format("cannot be {}: {}", replace ? "replaced" : "written", std::strerror(error)),
            replace ? "remove it first" : "check the permissions or choose another place");
    }

  private:
    fs::path target_, temporary_;
};

/// An empty folder or an older model may be replaced; anything else may be somebody's work.
void require_replaceable(const fs::path& folder) {
    const bool usable = !fs::exists(folder) || (fs::is_directory(folder) &&
                                                (fs::is_empty(folder) || fs::exists(folder / index_file)));
    if (!usable)
        throw InputError(folder.string(), "exists and is not a model folder",
                         "remove it or choose another place");
}

}  // namespace

void save_model(const Generator& generator, const nlohmann::json& settings, const fs::path& folder) {
    fs::path target = fs::absolute(folder).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();  // written with a slash at the end
    require_replaceable(target);
    PendingFolder pending(target);
    fs::create_directory(pending.path() / content_folder);
    generator.save(pending.path() / content_folder);
    const nlohmann::json index = {{"kind", generator.kind()},
                                  {"settings", settings.is_null() ? nlohmann::json::object() : settings},
                                  {"describe", generator.describe()}};
    write_file(pending.path() / index_file,
               index.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    pending.commit();
}

std::unique_ptr<Generator> load_model(const fs::path& folder) {
    return load_model(folder, nlohmann::json::object());
}

std::unique_ptr<Generator> load_model(const fs::path& folder, const nlohmann::json& overrides) {
    const fs::path index = folder / index_file;
    if (!fs::is_regular_file(index) && ssm::holds_model_files(folder)) {
        auto generator = make_generator("ssm", overrides);
        generator->load(folder);
        return generator;
    }
    if (!fs::is_regular_file(index))
        throw InputError(folder.string(), fmt::format("is not a model folder: {} is missing", index_file),
                         "name a folder that 'tracebench train' wrote");
    const nlohmann::json json = parse_json_file(index, std::uint64_t{64} << 20);
    const CheckedJson checked(json, index.string());
    nlohmann::json settings = checked.at("settings").value();
    if (settings.is_object()) settings.update(overrides);
    auto generator = make_generator(checked.at("kind").text(), settings);
    generator->load(folder / content_folder);
    return generator;
}

}  // namespace tracebench
