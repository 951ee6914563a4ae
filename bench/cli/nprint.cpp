// tracebench nprint: captures as nPrint's text or NetDiffusion's image, and either back to a capture.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/progress.h"
#include "bench/cli/damage.h"
#include "bench/cli/verbs.h"
#include "generators/diffusion/repair/flow_inference.h"
#include "generators/diffusion/repair/image_repair.h"
#include "traffic/capture_reader.h"
#include "traffic/capture_writer.h"
#include "traffic/nprint_capture.h"
#include "traffic/nprint_image.h"
#include "traffic/nprint_text.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string capture, to_pcap, png, from_png;  // one of them
    std::string output = "-";
    std::uint64_t max_packets = 0;
    bool dissect = false;
    bool drop_addresses = false;
    bool repair = false;
    std::uint64_t seed = 1;
};

constexpr std::uint64_t rows_between_checks = 4096;

class Interruptible {
  public:
    void operator()() {
        if (++rows_ % rows_between_checks == 0) progress_.check_interrupted();
    }

  private:
    Progress progress_;
    std::uint64_t rows_ = 0;
};

/// Calls `use` on the first `max_packets` packets (0: all), until it returns false.
template <typename Use>
void each_packet(const std::string& path, std::uint64_t max_packets, Use use) {
    CaptureReader reader(path);
    Interruptible check;
    PacketView packet;
    while ((max_packets == 0 || packet.frame < max_packets) && reader.next(packet)) {
        check();
        if (!use(packet)) return;
    }
    warn_damage(path, reader.damage(), packet.frame);
}

int write_text(const Options& options) {
    NprintTextWriter writer(options.output);
    std::uint64_t packets = 0, rows = 0;
    each_packet(options.capture, options.max_packets, [&](const PacketView& packet) {
        ++packets;
        rows += options.dissect ? writer.write(packet, dissect(packet)) : writer.write(packet);
        return true;
    });
    writer.commit();
    if (rows < packets)
        fmt::print(stderr, "tracebench: {} of {} packets have no row: {}\n", packets - rows, packets,
                   options.dissect
                       ? "no IPv4 header and neither TCP, UDP nor ICMP"
                       : "nPrint shows TCP, UDP and ICMP right behind an IP header; --dissect finds more");
    if (writer.overread() > 0)
        fmt::print(stderr,
                   "tracebench: {} packets were cut within their headers: as nPrint does, bytes of earlier "
                   "packets stand for what is missing; with --dissect it is -1\n",
                   writer.overread());
    return 0;
}

void report(const NprintCaptureWriter& writer, std::uint64_t rows, std::uint64_t skipped, bool timed) {
    if (skipped > 0)
        fmt::print(stderr, "tracebench: {} of {} rows have no IPv4 header and were left out\n", skipped,
                   rows);
    if (!writer.filled().empty())
        fmt::print(
            stderr,
            "tracebench: columns that are not there were filled in, and IPv4 checksums made anew: {}\n",
            fmt::join(writer.filled(), ", "));
    if (!timed)
        fmt::print(stderr, "tracebench: nPrint keeps no times: packets are {} ms apart\n",
                   NprintCaptureWriter::gap_ns / 1'000'000);
}

void tell_ignored(const NprintTextReader& reader) {
    if (reader.ignored().empty()) return;
    fmt::print(stderr, "tracebench: {} columns mean nothing here and were ignored, the first is {}\n",
               reader.ignored().size(), printable(reader.ignored().front()));
}

int text_to_capture(const Options& options) {
    NprintTextReader reader(options.to_pcap);
    NprintCaptureWriter writer(options.output, reader.present());
    Interruptible check;
    NprintRow row;
    std::uint64_t rows = 0, skipped = 0;
    while ((options.max_packets == 0 || rows < options.max_packets) && reader.next(row)) {
        check();
        ++rows;
        if (!writer.write(row, reader.time_ns())) ++skipped;
    }
    writer.commit();
    tell_ignored(reader);
    report(writer, rows, skipped, reader.time_ns().has_value());
    return 0;
}

void report_repair(const diffusion::ImageRepairReport& report) {
    if (report.empty_rows > 0)
        fmt::print(stderr, "tracebench: {} of {} rows have no bit at all and were left out\n",
                   report.empty_rows, report.rows);
    fmt::print(stderr,
               "tracebench: {} packets, {} of them altered other than in checksums: {:.3g}% of their bits\n",
               report.packets, report.packets_altered, 100 * report.altered_share());
    for (std::size_t f = 0; f < report.fields.size(); ++f) {
        const auto& [bits, altered] = report.fields[f];
        if (altered == 0) continue;
        fmt::print(stderr, "  {:<12} {:>9} of {:>9} bits {:>8.3f}%\n", nprint_fields()[f].name, altered, bits,
                   100.0 * static_cast<double>(altered) / static_cast<double>(bits));
    }
}

/// What neither form keeps is made up: flows and directions are inferred, payload is zeros.
int repaired_capture(const Options& options, std::span<const NprintRow> rows,
                     const std::vector<bool>& present, std::span<const std::int64_t> times_ns) {
    Random random(stream_seed(options.seed, "nprint/repair"));
    const diffusion::PacketImage image = diffusion::infer_flows(rows, present, random, times_ns);
    diffusion::RepairSettings settings;
    if (!times_ns.empty()) settings.start_ns = *std::min_element(times_ns.begin(), times_ns.end());
    diffusion::ImageRepairReport report;
    const Trace trace = diffusion::repair_image(image, settings, random, report);
    CaptureWriter writer(options.output);
    for (const PacketView& packet : trace.packets) writer.write(packet);
    writer.commit();
    report_repair(report);
    return 0;
}

int repair_text(const Options& options) {
    constexpr std::size_t most_rows = 65536;
    NprintTextReader reader(options.to_pcap);
    std::vector<NprintRow> rows;
    std::vector<std::int64_t> times_ns;
    Interruptible check;
    NprintRow row;
    while ((options.max_packets == 0 || rows.size() < options.max_packets) && reader.next(row)) {
        check();
        if (rows.size() == most_rows)
            throw InputError(options.to_pcap, fmt::format("has more than {} rows", most_rows),
                             "repair part of it with --max-packets");
        rows.push_back(row);
        if (reader.time_ns()) times_ns.push_back(*reader.time_ns());
    }
    tell_ignored(reader);
    if (times_ns.size() != rows.size()) times_ns.clear();
    return repaired_capture(options, rows, reader.present(), times_ns);
}

int write_image(const Options& options) {
    std::vector<NprintRow> rows;
    bool more = false;
    each_packet(options.png, options.max_packets, [&](const PacketView& packet) {
        NprintRow row;
        if (!nprint_row(packet, dissect(packet), row)) return true;
        more = rows.size() == kNprintImageRows;
        if (!more) rows.push_back(row);
        return !more;
    });
    write_nprint_image(options.output, rows, options.drop_addresses);
    if (more)
        fmt::print(stderr, "tracebench: an image holds {} packets: the others were left out\n",
                   kNprintImageRows);
    return 0;
}

int image_to_capture(const Options& options) {
    const NprintImage image = read_nprint_image(options.from_png);
    const std::size_t count = options.max_packets == 0
                                  ? image.rows.size()
                                  : std::min<std::size_t>(options.max_packets, image.rows.size());
    if (options.repair)
        return repaired_capture(options, std::span(image.rows).first(count), image.present, {});
    NprintCaptureWriter writer(options.output, image.present);
    std::uint64_t skipped = 0;
    for (std::size_t i = 0; i < count; ++i)
        if (!writer.write(image.rows[i])) ++skipped;
    writer.commit();
    report(writer, count, skipped, false);
    return 0;
}

int run(const Options& options) {
    if (options.drop_addresses && options.png.empty())
        throw InputError("--drop-addresses", "goes with --png", "text always has every column");
    if (options.dissect && options.capture.empty())
        throw InputError("--dissect", "goes with CAPTURE", "images are always made that way");
    if (options.repair && options.to_pcap.empty() && options.from_png.empty())
        throw InputError("--repair", "goes with --from-png or --to-pcap",
                         "'tracebench compliance' tells what a capture breaks");
    if (!options.capture.empty()) return write_text(options);
    if (!options.to_pcap.empty()) return options.repair ? repair_text(options) : text_to_capture(options);
    if (!options.png.empty()) return write_image(options);
    return image_to_capture(options);
}

}  // namespace

void add_nprint(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("nprint", "A capture as nPrint text or NetDiffusion image, and back");
    verb->footer(
        "Text is that of 'nprint -P CAPTURE -4 -t -u -i' (nPrint 1.2.1), byte for byte.\n"
        "Times are kept in neither text nor image; text with nPrint's time columns (-A or -R) is read with "
        "them.\n"
        "Captures are written as Ethernet, cut after the headers: neither form keeps payload. With --repair "
        "they\n"
        "are whole, with zeros for payload, legal, and can be replayed (docs/repair.md).");
    CLI::Option_group* what = verb->add_option_group("What to do");
    what->add_option("CAPTURE", options->capture, "pcap or pcapng, to text");
    what->add_option("--to-pcap", options->to_pcap, "nPrint text, to a capture")->type_name("FILE");
    what->add_option("--png", options->png, "pcap or pcapng, to an image: its first 1024 rows")
        ->type_name("CAPTURE");
    what->add_option("--from-png", options->from_png, "image, to a capture")->type_name("FILE");
    what->require_option(1);
    verb->add_option("-o,--output", options->output, "Where to; - is standard output, which is the default");
    verb->add_option("--max-packets", options->max_packets,
                     "Only the first N packets or rows of the input (0: all)");
    verb->add_flag("--dissect", options->dissect,
                   "Find headers behind VLAN tags, MPLS, PPPoE and the like, and never show bytes that were "
                   "not captured");
    verb->add_flag(
        "--drop-addresses", options->drop_addresses,
        "Leave the IPv4 address columns out of the image (1024 pixels wide), as NetDiffusion does");
    verb->add_flag("--repair", options->repair,
                   "Make the rows legal packets of whole conversations, altering as few bits as possible");
    verb->add_option("--seed", options->seed,
                     "Of what --repair has to make up, such as addresses that are not there")
        ->capture_default_str();
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
