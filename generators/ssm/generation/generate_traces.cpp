#include "generators/ssm/generation/generate_traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace tracebench::ssm {
namespace {

using Clock = std::chrono::steady_clock;

TraceStream begin_trace(const Encoding& encoding, const TracesRequest& request, std::size_t index) {
    return TraceStream(encoding, request.label, stream_seed(request.seed, fmt::format("trace/{}", index)),
                       request.constrained, request.limits, request.sampling, request.calibration);
}

/// The logits of one row, without those of the vocabulary's padding.
std::span<const float> row_of(const std::vector<float>& logits, std::size_t row, std::int64_t vocabulary) {
    const auto width = static_cast<std::size_t>(vocabulary);
    return std::span(logits).subspan(row * width, width);
}

struct Row {
    std::size_t index = 0;
    std::unique_ptr<TraceStream> stream;  // null: idle
    Trace trace;
};

}  // namespace

SamplingStatistics generate_traces(SequenceModel& model, const Encoding& encoding,
                                   const TracesRequest& request, Progress& progress,
                                   const std::function<void(Trace)>& sink) {
    SamplingStatistics statistics;
    if (request.count == 0) return statistics;
    const auto start = Clock::now();
    std::vector<Row> rows(std::clamp<std::size_t>(request.count, 1, request.parallel));
    const auto decoder = model.decoder(static_cast<std::int64_t>(rows.size()));
    const std::int64_t vocabulary = model.config().vocab_size;
    std::vector<Token> tokens(rows.size(), -1);
    std::vector<float> logits(rows.size() * static_cast<std::size_t>(vocabulary));

    std::size_t begun = 0, handed_out = 0;
    std::map<std::size_t, Trace> finished;  // wait for those before them
    const auto begin = [&](std::size_t row) {
        rows[row].index = begun;
        rows[row].trace = Trace();
        rows[row].stream = std::make_unique<TraceStream>(begin_trace(encoding, request, begun++));
        tokens[row] = rows[row].stream->prompt();
    };
    const auto end = [&](std::size_t row) {
        statistics.add(rows[row].stream->statistics());
        finished.emplace(rows[row].index, std::move(rows[row].trace));
        rows[row].stream.reset();
        tokens[row] = -1;
        decoder->reset(static_cast<std::int64_t>(row));
        for (auto next = finished.begin(); next != finished.end() && next->first == handed_out;
             ++handed_out) {
            sink(std::move(next->second));
            next = finished.erase(next);
        }
    };

    for (std::size_t row = 0; row < rows.size(); ++row) begin(row);
    std::uint64_t drawn = 0, packets = 0;
    std::size_t active = rows.size();
    while (active > 0) {
        progress.check_interrupted();
        decoder->step(tokens, logits);
        const bool out_of_time =
            request.budget_s > 0 &&
            std::chrono::duration<double>(Clock::now() - start).count() >= request.budget_s;
        for (std::size_t row = 0; row < rows.size(); ++row) {
            if (!rows[row].stream) continue;
            tokens[row] =
                rows[row].stream->advance(row_of(logits, row, vocabulary), [&](const PacketView& packet) {
                    rows[row].trace.append(packet.time_ns, packet.bytes, packet.original_length);
                    ++packets;
                });
            ++drawn;
            if (!rows[row].stream->ended() && !out_of_time) continue;
            end(row);
            if (begun < request.count && !out_of_time) {
                begin(row);
            } else {
                --active;
            }
        }
        progress.update(static_cast<double>(drawn), 0, "tokens",
                        fmt::format("{} packets, {} of {} samples", packets, handed_out, request.count));
    }
    return statistics;
}

SamplingStatistics stream_trace(SequenceModel& model, const Encoding& encoding, const TracesRequest& request,
                                Progress& progress, const TraceStream::Sink& sink) {
    TraceStream stream = begin_trace(encoding, request, 0);
    const auto decoder = model.decoder(1);
    std::vector<float> logits(static_cast<std::size_t>(model.config().vocab_size));
    Token token = stream.prompt();
    while (!stream.ended()) {
        progress.check_interrupted();
        decoder->step(std::span(&token, 1), logits);
        token = stream.advance(logits, sink);
        progress.update(static_cast<double>(stream.statistics().packets),
                        static_cast<double>(request.limits.packets), "packets");
    }
    return stream.statistics();
}

}  // namespace tracebench::ssm
