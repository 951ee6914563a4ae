#include "generators/diffusion/sampling/make_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/random.h"
#include "generators/diffusion/model_rows.h"
#include "generators/diffusion/sampling/bare_frames.h"
#include "traffic/nprint_image.h"

namespace tracebench::diffusion {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t strip_rows = 64;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Of rows as the model has them, without what it does not learn.
std::string picture(const std::vector<std::int8_t>& ternary) {
    std::vector<NprintRow> rows(std::min(ternary.size() / kTernary, strip_rows));
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::copy_n(ternary.begin() + static_cast<std::ptrdiff_t>(i * kTernary), kNprintColumns,
                    rows[i].begin());
    return nprint_png(rows);
}

std::vector<std::int64_t> strip_steps(std::int64_t steps) {
    std::vector<std::int64_t> some = {1, (steps + 3) / 4, (steps + 1) / 2, (3 * steps + 3) / 4, steps};
    some.erase(std::unique(some.begin(), some.end()), some.end());
    return some;
}

/// What sample i begins with.
struct Beginning {
    std::uint64_t seed = 0;
    std::size_t rows = 0;
    std::vector<std::uint8_t> control;
};

/// Where among the class's training samples sample i stands, in [0, 1). By steps of the golden ratio, so that
/// any number of samples is spread over all of them: what is drawn independently is not, where it is a few.
double place_of(std::uint64_t seed, std::size_t i) {
    const double place =
        Random(stream_seed(seed, "place")).uniform() + (std::numbers::phi - 1) * static_cast<double>(i);
    return place - std::floor(place);
}

/// The length of which `place` of the samples are shorter.
std::size_t length_at(const Histogram& lengths, double place) {
    auto left = static_cast<std::uint64_t>(place * static_cast<double>(lengths.total()));
    for (const auto& [length, count] : lengths.counts()) {
        if (left < count) return length;
        left -= count;
    }
    return lengths.counts().rbegin()->first;  // rounded up
}

Beginning begin_sample(const ClassEntry& entry, const SamplesRequest& request, std::size_t i) {
    Beginning begin;
    begin.seed = stream_seed(request.seed, fmt::format("sample/{}", i));
    const double place = place_of(request.seed, i);
    const ControlLayout* layout = nullptr;
    const std::size_t layouts = entry.layouts.size();
    if (request.control.kind != ControlChoice::Kind::off && layouts > 0)
        layout = &entry.layouts[request.control.kind == ControlChoice::Kind::drawn
                                    ? static_cast<std::size_t>(place * static_cast<double>(layouts))
                                    : request.control.index % layouts];
    begin.rows = layout != nullptr ? layout->rows() : length_at(entry.lengths, place);
    if (request.max_packets > 0) begin.rows = std::min(begin.rows, request.max_packets);
    if (layout != nullptr) begin.control = layout->expand(begin.rows);
    return begin;
}

void cut(Trace& trace, double max_seconds) {
    if (max_seconds <= 0 || trace.empty()) return;
    const std::int64_t first = trace.packets.front().time_ns;
    std::erase_if(trace.packets, [&](const PacketView& packet) {
        return static_cast<double>(packet.time_ns - first) > max_seconds * 1e9;
    });
}

Trace trace_of(SampledRows sampled, const ClassEntry& entry, const SamplesRequest& request,
               std::uint64_t seed, ImageRepairReport& report) {
    ModelRows rows;
    rows.ternary = std::move(sampled.ternary);
    rows.log_gap = std::move(sampled.gaps);
    if (request.constrained) entry.values.apply(rows);
    if (entry.longest_gap)
        for (float& gap : rows.log_gap) gap = std::min(gap, *entry.longest_gap);
    Random random(stream_seed(seed, "identities"));
    const PacketImage image =
        packet_image(rows, random, request.constrained ? entry.most_hosts : std::nullopt);
    Trace trace = request.constrained ? repair_image(image, {}, random, report) : bare_frames(image);
    cut(trace, request.max_seconds);
    return trace;
}

}  // namespace

SamplingRecord make_samples(DiffusionModel& model, const ClassBook& classes, const SamplesRequest& request,
                            Progress& progress, const std::function<void(Trace)>& sink) {
    SamplingRecord record;
    const auto start = Clock::now();
    const ClassEntry& entry = classes[static_cast<std::size_t>(request.class_id)];
    if (request.control.kind != ControlChoice::Kind::off && !model.has_control())
        throw InputError("generator 'diffusion'", "/control is set, but the model has no control branch",
                         "train it with \"control\" set, or set it to \"off\"");
    const auto rows_at_once =
        static_cast<std::size_t>(std::max<std::int64_t>(1, request.options.rows_at_once));
    std::size_t made = 0;
    while (made < request.count) {
        progress.check_interrupted();
        if (made > 0 && request.budget_s > 0 && seconds_since(start) >= request.budget_s) break;
        std::vector<Beginning> group;
        std::size_t rows = 0;
        while (made + group.size() < request.count && group.size() < 256) {
            Beginning next = begin_sample(entry, request, made + group.size());
            if (!group.empty() && rows + next.rows > rows_at_once) break;
            rows += next.rows;
            group.push_back(std::move(next));
        }
        std::vector<SampleRequest> requests;
        for (const Beginning& begin : group)
            requests.push_back({request.class_id, static_cast<std::int64_t>(begin.rows),
                                stream_seed(begin.seed, "noise"), begin.control});
        SamplingOptions options = request.options;
        const bool strip = request.with_strip && made == 0;
        options.preview_steps = strip ? strip_steps(options.steps) : std::vector<std::int64_t>();
        options.progress = [&](double done) {
            progress.check_interrupted();
            progress.update(static_cast<double>(made) + done * static_cast<double>(group.size()),
                            static_cast<double>(request.count), "samples",
                            fmt::format("{} packets", record.packets));
        };
        const auto network = Clock::now();
        std::vector<SampledRows> sampled = model.sample(requests, options);
        record.network_s += seconds_since(network);

        const auto repair = Clock::now();
        if (strip) {
            DenoisingStrip kept{printable(entry.label), {}};
            for (std::size_t i = 0; i < options.preview_steps.size(); ++i)
                kept.steps.emplace_back(options.preview_steps[i], picture(sampled[0].previews.at(i)));
            record.strips.push_back(std::move(kept));
        }
        for (std::size_t i = 0; i < group.size(); ++i) {
            record.rows += group[i].rows;
            Trace trace = trace_of(std::move(sampled[i]), entry, request, group[i].seed, record.repair);
            record.packets += trace.size();
            ++record.samples;
            sink(std::move(trace));
        }
        record.repair_s += seconds_since(repair);
        made += group.size();
    }
    return record;
}

}  // namespace tracebench::diffusion
