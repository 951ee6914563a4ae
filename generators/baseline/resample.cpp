#include "generators/baseline/resample.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "generators/baseline/session_identity.h"
#include "generators/ethernet.h"
#include "traffic/bytes.h"
#include "traffic/capture_reader.h"
#include "traffic/capture_writer.h"
#include "traffic/checksum.h"

namespace tracebench {
namespace {

constexpr double longest_session_s = 80.0 * 365 * 86400;

std::string sample_file(std::size_t number) {
    return fmt::format("samples/{:05}.pcap", number);
}

/// As the standards want them, where the whole segment was captured.
void correct_checksums(std::vector<std::uint8_t>& frame, std::uint32_t original_length) {
    PacketView view;
    view.bytes = frame;
    view.original_length = original_length;
    const Headers headers = dissect(view);
    if (headers.ip_version == 4 && headers.ip_header_length >= 20 &&
        headers.captured - headers.ip_offset >= headers.ip_header_length)
        store16(&frame[headers.ip_offset + 10],
                ipv4_header_checksum(std::span(frame).subspan(headers.ip_offset, headers.ip_header_length)));
    if (!can_check_transport(headers)) return;
    std::size_t field = headers.transport_offset + std::size_t{2};
    if (headers.has_tcp()) field = headers.transport_offset + std::size_t{16};
    if (headers.has_udp()) field = headers.transport_offset + std::size_t{6};
    if (headers.has_udp() && headers.ip_version == 4 && load16(&frame[field]) == 0) return;
    store16(&frame[field], transport_checksum(headers));
}

Trace with_fresh_identifiers(const Trace& session, std::size_t packets, bool constrained, Random& random) {
    Trace first = session;
    first.packets.resize(packets);
    SessionIdentity identity(first, random);
    const std::int64_t before = session.packets.front().time_ns;
    std::int64_t start = random_start_ns(random);
    // Damaged clocks may span more years than a capture has after 2024.
    if (session.duration_s() > longest_session_s) start = 0;
    Trace fresh;
    std::vector<std::uint8_t> frame;
    for (const PacketView& packet : first.packets) {
        frame.assign(packet.bytes.begin(), packet.bytes.end());
        identity.rewrite(frame);
        if (constrained) correct_checksums(frame, packet.original_length);
        fresh.append(start + (packet.time_ns - before), frame, packet.original_length);
    }
    return fresh;
}

}  // namespace

std::unique_ptr<Generator> ResampleGenerator::make(const CheckedJson& settings) {
    settings.allow_only({});
    return std::make_unique<ResampleGenerator>();
}

void ResampleGenerator::fit(const Samples& samples, const FitContext& context) {
    sessions_.clear();
    for (const LabelledTrace& sample : samples) {
        context.listener().check_interrupted();
        Trace trace = to_ethernet(sample.trace).trace;
        if (!trace.empty()) sessions_[sample.label].push_back(std::move(trace));
    }
    if (sessions_.empty())
        throw InputError("generator 'resample'", "has no Ethernet or IP packets to learn from",
                         "give it training samples with some");
}

void ResampleGenerator::sample(const SampleRequest& request, Progress& progress, const Sink& sink) {
    require_label(*this, request.label);
    const std::vector<Trace>& sessions = sessions_.at(request.label);
    const std::uint64_t seed = stream_seed(request.seed, "resample/" + request.label);
    std::vector<std::size_t> order(sessions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Random order_random(stream_seed(seed, "order"));
    for (std::size_t i = 0; i < request.count; ++i) {
        progress.check_interrupted();
        if (i % order.size() == 0) order_random.shuffle(order);
        const Trace& session = sessions[order[i % order.size()]];
        const std::size_t packets =
            request.max_packets == 0 ? session.size() : std::min(session.size(), request.max_packets);
        Random random(stream_seed(seed, fmt::format("session/{}", i)));
        sink(with_fresh_identifiers(session, packets, request.constrained, random));
        progress.update(static_cast<double>(i + 1), static_cast<double>(request.count), "samples");
    }
}

void ResampleGenerator::save(const std::filesystem::path& folder) const {
    std::string labels = csv_row({"file", "label"});
    std::size_t number = 0;
    for (const auto& [label, sessions] : sessions_) {
        for (const Trace& session : sessions) {
            const std::string file = sample_file(++number);
            write_trace(folder / file, session);
            labels += csv_row({file, label});
        }
    }
    write_file(folder / "labels.csv", labels);
}

void ResampleGenerator::load(const std::filesystem::path& folder) {
    sessions_.clear();
    const CsvTable table = read_csv(folder / "labels.csv", 1'000'000);
    const std::size_t file = table.require_column("file"), label = table.require_column("label");
    std::size_t number = 0;
    for (const auto& row : table.rows) {
        // Only the names that save() gives: a row must not point outside the model.
        const std::string expected = sample_file(++number);
        if (row[file] != expected)
            throw InputError(table.name, fmt::format("names '{}' where {} should stand", row[file], expected),
                             "train the model again");
        Trace trace = to_ethernet(read_trace(folder / row[file])).trace;
        if (trace.empty())
            throw InputError((folder / row[file]).string(), "holds no packets", "train the model again");
        sessions_[row[label]].push_back(std::move(trace));
    }
    if (sessions_.empty()) throw InputError(table.name, "names no sample", "train the model again");
}

nlohmann::json ResampleGenerator::describe() const {
    nlohmann::json per_label = nlohmann::json::object();
    std::uint64_t packets = 0;
    for (const auto& [label, sessions] : sessions_) {
        per_label[printable(label)] = sessions.size();
        for (const Trace& session : sessions) packets += session.size();
    }
    return {{"kind", kind()},
            {"what", "training sessions with fresh addresses, client ports, MACs and start times"},
            {"sessions", per_label},
            {"packets", packets}};
}

std::vector<std::string> ResampleGenerator::labels() const {
    std::vector<std::string> names;
    for (const auto& [label, sessions] : sessions_) names.push_back(label);
    return names;
}

}  // namespace tracebench
