// tracebench tokens: captures as lines of NetSSM's data set, and generated text to a capture.

#include "traffic/tokens.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "bench/cli/damage.h"
#include "bench/cli/verbs.h"
#include "traffic/capture_reader.h"
#include "traffic/capture_writer.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string capture, to_pcap;  // one of them
    std::string label;
    std::string output = "-";
    std::uint64_t max_packets = 0;
};

constexpr std::size_t default_max_packets = 1'000'000;  ///< 128 bytes of memory and up to 512 of text each
constexpr std::int64_t gap_ns = 1'000'000;

void check_label(const std::string& label) {
    const bool good = !label.empty() && std::all_of(label.begin(), label.end(), [](unsigned char c) {
        return c > ' ' && c != '|' && c != '<' && c != '>' && c != 0x7F;
    });
    if (!good)
        throw InputError("--label", fmt::format("'{}' cannot be a token", label),
                         "use a word without spaces, <, > or |");
}

int write_line(const Options& options) {
    check_label(options.label);
    const std::uint64_t limit = options.max_packets == 0 ? default_max_packets : options.max_packets;
    CaptureReader reader(options.capture);
    Progress progress;
    PacketView packet;
    std::vector<TokenPacket> packets;
    bool more = false;
    while (reader.next(packet)) {
        if (packet.frame % 4096 == 0) progress.check_interrupted();
        const auto tokens = token_packet(packet);
        if (!tokens) continue;
        if ((more = packets.size() == limit)) break;
        packets.push_back(*tokens);
    }
    warn_damage(options.capture, reader.damage(), packet.frame);
    if (packets.size() < 2)
        throw InputError(options.capture, fmt::format("holds {} TCP or UDP packets", packets.size()),
                         "a sample of NetSSM has at least two");
    if (more && options.max_packets == 0)
        fmt::print(
            stderr,
            "tracebench: only the first {} TCP and UDP packets were taken; --max-packets N takes more\n",
            limit);
    write_file(options.output, token_line(options.label, packets, options.capture));
    return 0;
}

int text_to_capture(const Options& options) {
    const GeneratedPackets generated = parse_generated(read_file(options.to_pcap));
    if (generated.packets.empty())
        throw InputError(options.to_pcap, "holds no packet between two <|pkt|>",
                         "text that NetSSM generated was expected");
    CaptureWriter writer(options.output);
    std::uint64_t frames = 0;
    for (const auto& packet : generated.packets) {
        if (options.max_packets != 0 && frames == options.max_packets) break;
        const TokenFrame frame = token_frame(packet);
        const auto time = static_cast<std::int64_t>(frames) * gap_ns;
        writer.write({time, frame.original_length, link_type::ethernet, ++frames, frame.bytes});
    }
    writer.commit();
    if (generated.dropped > 0)
        fmt::print(
            stderr,
            "tracebench: {} packets held something other than numbers from 0 to 255 and were left out\n",
            generated.dropped);
    fmt::print(stderr, "tracebench: the text has no times: packets are {} ms apart\n", gap_ns / 1'000'000);
    return 0;
}

int run(const Options& options) {
    if (!options.to_pcap.empty() && !options.label.empty())
        throw InputError("--label", "goes with CAPTURE", "generated text names its label itself");
    return options.to_pcap.empty() ? write_line(options) : text_to_capture(options);
}

}  // namespace

void add_tokens(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("tokens", "A capture as a line of NetSSM's data set; generated text to a capture");
    verb->footer(
        "The line is what NetSSM's pre-processor writes: {\"Data\",\"Hash\",\"Filename\",\"OrigLen\"}.\n"
        "Generated text is split at <|pkt|>; as in NetSSM the first and the last piece are left out.");
    CLI::Option_group* what = verb->add_option_group("What to do");
    what->add_option("CAPTURE", options->capture, "pcap or pcapng, to a line of JSON");
    what->add_option("--to-pcap", options->to_pcap, "generated text, to a capture")->type_name("FILE");
    what->require_option(1);
    verb->add_option("--label", options->label, "The sample's label (needed with CAPTURE)");
    verb->add_option("-o,--output", options->output, "Where to; - is standard output, which is the default");
    verb->add_option("--max-packets", options->max_packets,
                     "Only the first N packets that become tokens (0: a million)");
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
