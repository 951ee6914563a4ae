#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "datasets/dataset.h"
#include "datasets/ndpi.h"
#include "datasets/source.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

/// nDPI 4.2 as released and as Debian 12 ships it.
constexpr const char* known_archive = "ndpi_4.2.orig.tar.gz";
constexpr const char* known_sha256 = "e54ce8fe13adc5d747be7553513657fae78f796e0bd459e122c280cc06ce4daf";
constexpr std::uint64_t largest_file = 256 << 20;
constexpr std::uint64_t largest_set = std::uint64_t{2} << 30;
constexpr std::size_t flows_for_a_class = 20;

std::string apt_get(const std::vector<std::string>& options, const std::vector<std::string>& words,
                    const fs::path& folder, const std::string& program = "apt-get") {
    ProcessRequest request;
    request.arguments = {program};
    request.arguments.insert(request.arguments.end(), options.begin(), options.end());
    request.arguments.insert(request.arguments.end(), words.begin(), words.end());
    request.working_folder = folder;
    request.timeout_s = 1800;
    const ProcessResult result = run_process(request);
    if (!result.succeeded()) {
        const std::string last = result.errors.substr(0, result.errors.find_last_not_of('\n') + 1);
        throw InputError(
            program + " " + words.front(),
            result.outcome() + ": " +
                last.substr(last.rfind('\n') == std::string::npos ? 0 : last.rfind('\n') + 1),
            "check the network and that this is Debian, or unpack the ndpi source package yourself");
    }
    return result.output;
}

/// Where this machine already gets Debian's packages from: "URI|codename|component" of the main archive.
std::string debian_source(const fs::path& work) {
    const std::string targets =
        apt_get({},
                {"indextargets", "--format", "$(REPO_URI)|$(CODENAME)|$(COMPONENT)|$(LABEL)|$(ORIGIN)",
                 "Created-By: Packages"},
                work);
    std::istringstream lines(targets);
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string> parts;
        std::istringstream cells(line);
        for (std::string cell; std::getline(cells, cell, '|');) parts.push_back(cell);
        const bool release = parts.size() == 5 && parts[1].find('-') == std::string::npos;
        if (release && parts[2] == "main" && parts[3] == "Debian" && parts[4] == "Debian")
            return fmt::format(
                "Types: deb-src\nURIs: {}\nSuites: {}\nComponents: main\n"
                "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
                parts[0], parts[1]);
    }
    throw InputError("apt-get indextargets", "names no Debian archive",
                     "run 'apt-get update' on a Debian machine");
}

fs::path download(const fs::path& work) {
    fs::create_directories(work / "lists" / "partial");
    write_file(work / "debian.sources", debian_source(work));
    const std::vector<std::string> options = {"-q",
                                              "-o",
                                              "Dir::Etc::SourceList=" + (work / "debian.sources").string(),
                                              "-o",
                                              "Dir::Etc::SourceParts=/dev/null",
                                              "-o",
                                              "Dir::State::lists=" + (work / "lists").string(),
                                              "-o",
                                              "APT::Sandbox::User=root"};
    apt_get(options, {"update"}, work);
    apt_get(options, {"source", "--download-only", "--tar-only", "ndpi"}, work);
    for (const auto& entry : fs::directory_iterator(work)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("ndpi_") || name.find(".orig.tar") == std::string::npos) continue;
        if (name == known_archive && sha256_file(entry.path()) != known_sha256)
            throw InputError(name, "is not the archive that was released (SHA-256 differs)", "do not use it");
        return entry.path();
    }
    throw InputError("apt-get source ndpi", "brought no source archive");
}

struct Unpacked {
    std::set<std::string> captures;              // file names
    std::map<std::string, std::string> results;  // capture name -> text of its result file
};

/// tests/pcap/* into `captures`, tests/result/*.out into memory. Names from the archive are used only when
/// they are plain file names; sizes are bounded.
Unpacked unpack(const fs::path& archive_file, const fs::path& captures, Progress& progress) {
    const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), &archive_read_free);
    archive_read_support_filter_all(reader.get());
    archive_read_support_format_tar(reader.get());
    const auto fail = [&](const std::string& what) {
        throw InputError(archive_file.filename().string(), what, "remove it and fetch again");
    };
    if (archive_read_open_filename(reader.get(), archive_file.c_str(), 1 << 20) != ARCHIVE_OK)
        fail(archive_error_string(reader.get()));
    fs::create_directories(captures);
    Unpacked unpacked;
    std::uint64_t total = 0;
    archive_entry* entry = nullptr;
    int status;
    while ((status = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK) {
        progress.check_interrupted();
        const char* raw = archive_entry_pathname(entry);
        const fs::path path = raw == nullptr ? "" : raw;
        const std::string folder = path.parent_path().filename().string(), name = path.filename().string();
        const bool capture = folder == "pcap" &&
                             (name.ends_with(".pcap") || name.ends_with(".pcapng") || name.ends_with(".cap"));
        const bool result = folder == "result" && name.ends_with(".out");
        if (archive_entry_filetype(entry) != AE_IFREG || !(capture || result) || name.starts_with("."))
            continue;
        std::string content;
        char block[1 << 16];
        la_ssize_t size;
        while ((size = archive_read_data(reader.get(), block, sizeof block)) > 0) {
            content.append(block, static_cast<std::size_t>(size));
            total += static_cast<std::uint64_t>(size);
            if (content.size() > largest_file || total > largest_set) fail("holds more than expected");
        }
        if (size < 0) fail(archive_error_string(reader.get()));
        if (result) {
            unpacked.results[name.substr(0, name.size() - 4)] = std::move(content);
        } else {
            write_file(captures / name, content);
            unpacked.captures.insert(name);
        }
        progress.update(static_cast<double>(unpacked.captures.size()), 0, "captures");
    }
    if (status != ARCHIVE_EOF) fail(archive_error_string(reader.get()));
    if (unpacked.captures.empty() || unpacked.results.empty()) fail("holds no captures or no verdicts");
    return unpacked;
}

/// Verdicts that say how a flow is carried or that it is unknown, not what it is for.
bool is_application(const std::string& label) {
    static const std::set<std::string> carriers = {
        "unknown", "tls",       "http",  "quic",      "dtls",           "stun",       "http_proxy", "google",
        "apple",   "microsoft", "azure", "amazonaws", "googleservices", "cloudflare", "appleicloud"};
    return !carriers.contains(label);
}

/// Classes with enough flows that are long enough to say something, counted in the captures themselves.
std::vector<std::string> choose_classes(const fs::path& folder) {
    SourceOptions options;
    options.name = "ndpi";
    options.folder = folder / "captures";
    options.labels = folder / "labels.csv";
    options.unit = Unit::flow;
    options.min_packets = 5;
    std::map<std::string, std::size_t> counts;
    for (const Sample& sample : load_dataset(options).samples) ++counts[sample.label];
    std::vector<std::string> classes;
    for (const auto& [label, count] : counts)
        if (count >= flows_for_a_class && is_application(label)) classes.push_back(label);
    return classes;
}

json manifest_for(const std::vector<std::string>& classes) {
    return {{"name", "ndpi"},
            {"description",
             "Application flows of nDPI's test captures; labels are nDPI's own verdicts, not ground truth."},
            {"datasets",
             {{{"name", "ndpi"},
               {"folder", "captures"},
               {"labels", "labels.csv"},
               {"unit", "flow"},
               {"classes", classes},
               {"min_packets", 5},
               {"max_samples_per_class", 60},
               {"split", {{"train", 0.5}, {"seed", 1}}}}}},
            {"generators",
             {{{"name", "resample"}},
              {{"name", "markov"}},
              {{"name", "marginal"}},
              {{"name", "ssm"}, {"settings", {{"preset", "small"}, {"epochs", 10}, {"threads", 1}}}},
              {{"name", "diffusion"},
               {"settings", {{"preset", "small"}, {"steps", 800}, {"control", "class"}, {"threads", 1}}}}}},
            {"metrics",
             {"distance", "joint", "sequence", "cicflow", "nprint", "netshare", "compliance", "consistency",
              "summary", "privacy"}},
            {"classifiers",
             {{"models", {"xgboost", "forest"}},
              {"features", {"nprint", "flow"}},
              {"mixing", {0, 0.25, 0.5, 0.75, 1}}}},
            {"seeds", {1, 2, 3}}};
}

}  // namespace

FetchReport fetch_ndpi(const fs::path& folder, Progress& progress) {
    if (fs::exists(folder))
        throw InputError(folder.string(), "exists already", "remove it or choose another place with -o");
    const fs::path work = folder.string() + ".tmp";
    fs::remove_all(work);
    fs::create_directories(work / "download");
    try {
        const fs::path archive_file = download(fs::absolute(work / "download"));
        const Unpacked unpacked = unpack(archive_file, work / "captures", progress);
        fs::remove_all(work / "download");

        FetchReport report;
        std::string labels = csv_row({"file", "flow_id", "label"});
        for (const std::string& capture : unpacked.captures) {
            const auto result = unpacked.results.find(capture);
            if (result == unpacked.results.end()) continue;
            ++report.captures;
            std::map<std::string, std::string>
                flows;  // a 5-tuple used twice: the first verdict that says something
            for (const NdpiVerdict& verdict : parse_ndpi_result(result->second)) {
                const auto [entry, is_new] = flows.try_emplace(verdict.flow_id, verdict.label);
                if (!is_new && !is_application(entry->second)) entry->second = verdict.label;
            }
            for (const auto& [flow_id, label] : flows) labels += csv_row({capture, flow_id, label});
            report.flows += flows.size();
        }
        write_file(work / "labels.csv", labels);
        report.classes = choose_classes(work);
        write_file(work / "manifest.json", manifest_for(report.classes).dump(2) + "\n");
        fs::rename(work, folder);
        report.manifest = folder / "manifest.json";
        return report;
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(work, ignored);
        throw;
    }
}

}  // namespace tracebench
