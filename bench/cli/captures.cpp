#include "bench/cli/captures.h"

#include <optional>

#include "base/error.h"
#include "base/progress.h"
#include "bench/cli/damage.h"
#include "datasets/labels.h"
#include "datasets/source.h"
#include "metrics/sample_observer.h"
#include "traffic/capture_reader.h"

namespace tracebench::cli {

namespace {

struct NamedCaptures {
    std::filesystem::path path;
    std::vector<std::filesystem::path> files;
    Labels labels;

    std::string label(const std::filesystem::path& file) const {
        const auto found = labels.files.find(file.lexically_relative(path).generic_string());
        return found == labels.files.end() ? "" : found->second;
    }
    [[noreturn]] void refuse() const {
        throw InputError(path.string(), files.empty() ? "holds no captures" : "holds no packets",
                         "nothing can be compared");
    }
};

NamedCaptures find(const std::filesystem::path& path) {
    NamedCaptures found{path, {path}, {}};
    if (!std::filesystem::is_directory(path)) return found;
    found.files = find_captures(path);
    if (std::filesystem::exists(path / "labels.csv")) found.labels = read_labels(path / "labels.csv");
    return found;
}

/// False too of a capture without packets, and of what can be read only once.
bool can_be_streamed(const std::filesystem::path& file) {
    if (file == "-") return false;
    CaptureReader reader(file);
    PacketView packet;
    bool any = false;
    for (std::int64_t before = INT64_MIN; reader.next(packet); before = packet.time_ns) {
        if (packet.time_ns < before) return false;
        any = true;
    }
    return any;
}

std::optional<CaptureDamage> stream(const std::filesystem::path& file, SampleObserver& observer,
                                    Progress& progress) {
    CaptureReader reader(file);
    PacketView packet;
    for (std::uint64_t packets = 0; reader.next(packet);) {
        observer.add(packet);
        if ((++packets & 0xFFFF) != 0) continue;
        progress.check_interrupted();
        progress.update(static_cast<double>(reader.position()), static_cast<double>(reader.file_size()), "B");
    }
    return reader.damage();
}

}  // namespace

std::vector<LabelledTrace> load_captures(const std::filesystem::path& path) {
    const NamedCaptures captures = find(path);
    std::vector<LabelledTrace> samples;
    for (const std::filesystem::path& file : captures.files) {
        std::optional<CaptureDamage> damage;
        Trace trace = read_trace(file, &damage);
        warn_damage(file, damage, trace.size());
        if (!trace.empty()) samples.push_back({file.string(), captures.label(file), std::move(trace)});
    }
    if (samples.empty()) captures.refuse();
    return samples;
}

Observations observe_captures(const std::filesystem::path& path) {
    const NamedCaptures captures = find(path);
    ConsoleProgress progress("reading");
    Observations result;
    for (const std::filesystem::path& file : captures.files) {
        std::optional<CaptureDamage> damage;
        const std::uint64_t before = result.packets;
        if (can_be_streamed(file)) {
            result.add(file.string(), captures.label(file),
                       [&](SampleObserver& observer) { damage = stream(file, observer, progress); });
        } else if (const Trace trace = read_trace(file, &damage); !trace.empty()) {
            result.add(file.string(), captures.label(file), [&trace](SampleObserver& observer) {
                for (const PacketView& packet : trace.packets) observer.add(packet);
            });
        }
        warn_damage(file, damage, result.packets - before);
    }
    if (result.sessions() == 0) captures.refuse();
    return result;
}

}  // namespace tracebench::cli
