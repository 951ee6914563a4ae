#include "datasets/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "datasets/labels.h"
#include "traffic/capture_reader.h"
#include "traffic/flow_key.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

/// What one pass over a capture says: packets in all and per 5-tuple.
struct CaptureContent {
    std::size_t packets = 0;
    std::uint64_t bytes = 0;  // on the wire
    std::map<std::string, std::size_t> flows;  // flow_id -> packets
    std::vector<std::string> flow_order;       // by first packet
};

CaptureContent survey(const fs::path& file, std::vector<std::string>& warnings) {
    CaptureReader reader(file);
    CaptureContent content;
    std::map<FlowKey, std::size_t> counts;
    std::vector<FlowKey> order;
    PacketView packet;
    while (reader.next(packet)) {
        ++content.packets;
        content.bytes += packet.original_length;
        PacketFlow flow = flow_of(dissect(packet));
        if (!flow.ok) continue;
        flow.key.vlan = Headers::no_vlan;  // flow_id has no VLAN
        if (++counts[flow.key] == 1) order.push_back(flow.key);
    }
    for (const FlowKey& key : order) {
        content.flow_order.push_back(key.flow_id());
        content.flows[content.flow_order.back()] = counts[key];
    }
    if (reader.damage())
        warnings.push_back(fmt::format("{}: damaged at byte {} ({}); its first {} packets are used", file.string(),
                                       reader.damage()->offset, reader.damage()->what, content.packets));
    return content;
}

struct Builder {
    const SourceOptions& options;
    Dataset dataset;
    std::size_t too_short = 0, not_found = 0;

    bool wanted(const std::string& label) const {
        return options.classes.empty() ||
               std::find(options.classes.begin(), options.classes.end(), label) != options.classes.end();
    }

    void add(const std::string& file, const std::string& flow_id, const std::string& label, std::size_t packets) {
        if (packets < options.min_packets) {
            ++too_short;
            return;
        }
        Sample sample;
        sample.id = flow_id.empty() ? file : file + "#" + flow_id;
        sample.label = label;
        sample.file = options.folder / file;
        sample.flow_id = flow_id;
        sample.session = file;
        sample.max_packets = options.max_packets;
        dataset.samples.push_back(std::move(sample));
    }

    /// All labelled samples of one capture.
    void add_capture(const std::string& file, const Labels& labels) {
        const auto file_label = labels.files.find(file);
        const auto flow_labels = labels.flows.find(file);
        const bool by_flow = options.unit == Unit::flow;
        const CaptureContent content = survey(options.folder / file, dataset.warnings);
        dataset.packets += content.packets;
        dataset.bytes += content.bytes;
        dataset.flows += content.flows.size();
        if (!by_flow) {
            if (wanted(file_label->second)) add(file, "", file_label->second, content.packets);
            return;
        }
        std::set<std::string> done;
        if (flow_labels != labels.flows.end()) {
            for (const auto& [flow_id, label] : flow_labels->second) {
                done.insert(flow_id);
                if (!wanted(label)) continue;
                const auto found = content.flows.find(flow_id);
                if (found == content.flows.end()) ++not_found;
                else add(file, flow_id, label, found->second);
            }
        }
        if (file_label == labels.files.end() || !wanted(file_label->second)) return;
        for (const std::string& flow_id : content.flow_order)
            if (!done.contains(flow_id)) add(file, flow_id, file_label->second, content.flows.at(flow_id));
    }

    /// Keeps max_samples of each class: the first of every capture in turn, so that no capture dominates.
    void limit_classes() {
        if (options.max_samples == 0) return;
        std::map<std::string, std::map<std::string, std::vector<std::size_t>>> by_label;
        for (std::size_t i = 0; i < dataset.samples.size(); ++i)
            by_label[dataset.samples[i].label][dataset.samples[i].session].push_back(i);
        std::vector<Sample> kept;
        for (const auto& [label, sessions] : by_label) {
            std::size_t left = options.max_samples;
            for (std::size_t round = 0; left > 0; ++round) {
                bool any = false;
                for (const auto& [session, indices] : sessions) {
                    if (round >= indices.size() || left == 0) continue;
                    kept.push_back(dataset.samples[indices[round]]);
                    any = true;
                    --left;
                }
                if (!any) break;
            }
        }
        dataset.samples = std::move(kept);
    }
};

void require_files(const SourceOptions& options, const Labels& labels) {
    const auto check = [&](const std::string& file) {
        if (!fs::is_regular_file(options.folder / file))
            throw InputError(options.labels.string(),
                             fmt::format("labels '{}', which is not in {}", file, options.folder.string()),
                             "correct the row or add the capture");
    };
    for (const auto& [file, label] : labels.files) check(file);
    for (const auto& [file, flows] : labels.flows) check(file);
}

void finish(Dataset& dataset, const fs::path& folder) {
    std::sort(dataset.samples.begin(), dataset.samples.end(),
              [](const Sample& a, const Sample& b) { return a.id < b.id; });
    std::set<std::string> labels;
    std::map<std::string, std::set<std::string>> captures;
    std::map<std::string, fs::path> files;
    std::string content;
    for (const Sample& sample : dataset.samples) {
        labels.insert(sample.label);
        captures[sample.label].insert(sample.session);
        files[sample.session] = sample.file;
        content += fmt::format("{}\n{}\n{}\n{}\n", sample.id, sample.flow_id, sample.label, sample.max_packets);
    }
    dataset.labels.assign(labels.begin(), labels.end());
    for (const auto& [name, file] : files) content += name + " " + sha256_file(file) + "\n";
    dataset.content_sha256 = sha256(content);
    for (const auto& [label, sessions] : captures)
        if (sessions.size() == 1 && dataset.samples.size() > 1)
            dataset.warnings.push_back(fmt::format(
                "class '{}' comes from one capture ({}): a classifier can learn the capture instead of the class",
                label, *sessions.begin()));
    if (dataset.samples.empty())
        throw InputError(folder.string(), "holds no labelled sample with enough packets",
                         "check the labels, 'classes' and 'min_packets'");
}

}  // namespace

Dataset load_dataset(const SourceOptions& options) {
    if (!fs::is_directory(options.folder))
        throw InputError(options.folder.string(), "is not a folder", "name the folder that holds the captures");
    const Labels labels = read_labels(options.labels);
    require_files(options, labels);
    if (options.unit == Unit::session && labels.files.empty())
        throw InputError(options.labels.string(), "labels flows, but the unit is 'session'",
                         "use \"unit\": \"flow\" or label whole files");

    std::set<std::string> files;
    for (const auto& [file, label] : labels.files) files.insert(file);
    if (options.unit == Unit::flow)
        for (const auto& [file, flows] : labels.flows) files.insert(file);

    Builder builder{options, {}};
    builder.dataset.name = options.name;
    builder.dataset.unit = options.unit;
    for (const std::string& file : files) builder.add_capture(file, labels);
    builder.limit_classes();
    Dataset& dataset = builder.dataset;
    if (builder.too_short > 0)
        dataset.warnings.push_back(fmt::format("{} samples with fewer than {} packets are left out",
                                               builder.too_short, options.min_packets));
    if (builder.not_found > 0)
        dataset.warnings.push_back(
            fmt::format("{} labelled flows are not in their captures (as seen outside tunnels)", builder.not_found));
    finish(dataset, options.folder);
    for (const std::string& label : options.classes)
        if (std::find(dataset.labels.begin(), dataset.labels.end(), label) == dataset.labels.end())
            throw InputError(options.labels.string(), fmt::format("has no sample of class '{}'", label),
                             "correct 'classes'");
    return std::move(builder.dataset);
}

std::vector<fs::path> find_captures(const fs::path& folder) {
    std::error_code error;
    fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, error);
    if (error)
        throw InputError(folder.string(), "cannot be listed: " + error.message(), "name a folder with captures");
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : entries) {
        const std::string extension = entry.path().extension().string();
        if (entry.is_regular_file() && (extension == ".pcap" || extension == ".pcapng" || extension == ".cap"))
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

Dataset load_folder(const fs::path& folder, const std::string& label) {
    if (fs::exists(folder / "labels.csv")) {
        SourceOptions options;
        options.name = folder.filename().string();
        options.folder = folder;
        options.labels = folder / "labels.csv";
        options.min_packets = 1;
        const Labels labels = read_labels(options.labels);
        options.unit = labels.per_flow && labels.files.empty() ? Unit::flow : Unit::session;
        return load_dataset(options);
    }
    Dataset dataset;
    dataset.name = folder.filename().string();
    for (const fs::path& file : find_captures(folder)) {
        const fs::path relative = fs::relative(file, folder);
        Sample sample;
        sample.id = sample.session = relative.string();
        sample.file = file;
        sample.label = !label.empty()                ? label
                       : relative.has_parent_path() ? relative.begin()->string()
                                                    : folder.filename().string();
        dataset.samples.push_back(std::move(sample));
    }
    if (dataset.samples.empty())
        throw InputError(folder.string(), "holds no captures (.pcap, .pcapng, .cap)", "name a folder with captures");
    finish(dataset, folder);
    return dataset;
}

}  // namespace tracebench
