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

/// A packet came whose time is before the last one's.
struct OutOfOrder {};

/// Observes the capture while it is read. False where its packets are not in time order, and nothing is
/// observed then.
bool stream(const NamedCaptures& captures, const std::filesystem::path& file, Progress& progress,
            Observations& result, std::optional<CaptureDamage>& damage) {
    CaptureReader reader(file);
    PacketView packet;
    bool more = reader.next(packet);
    std::uint64_t packets = 0;
    std::int64_t before = INT64_MIN;
    const auto next = [&](PacketView& view) {
        if (!more) return false;
        if (packet.time_ns < before) throw OutOfOrder();
        before = packet.time_ns;
        view = packet;
        more = reader.next(packet);
        if ((++packets & 0xFFFF) == 0) {
            progress.check_interrupted();
            progress.update(static_cast<double>(reader.position()), static_cast<double>(reader.file_size()),
                            "B");
        }
        return true;
    };
    try {
        if (more)
            result.add(file.string(), captures.label(file),
                       [&next](SampleObserver& observer) { observer.add(next); });
    } catch (const OutOfOrder&) {
        return false;
    }
    damage = reader.damage();
    return true;
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
        // What can be read only once is read whole.
        if (file == "-" || !stream(captures, file, progress, result, damage)) {
            const Trace trace = read_trace(file, &damage);
            if (!trace.empty())
                result.add(file.string(), captures.label(file),
                           [&trace](SampleObserver& observer) { observer.add(packets_of(trace)); });
        }
        warn_damage(file, damage, result.packets - before);
    }
    if (result.sessions() == 0) captures.refuse();
    return result;
}

}  // namespace tracebench::cli
