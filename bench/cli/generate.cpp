// tracebench generate: synthetic captures from a trained model.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/random.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "generators/generator.h"
#include "traffic/capture_writer.h"

namespace tracebench::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t pause_ns = 1'000'000'000;  // between sessions that share a capture
constexpr int max_empty_samples = 100;

struct Options {
    std::string model, label, output;
    std::size_t packets = 0, samples = 0, max_packets = 0;
    double max_seconds = 0;
    std::uint64_t max_tokens = 0;
    std::uint64_t seed = 1;
    bool unconstrained = false, one_trace = false;
    std::optional<double> temperature, top_p, min_p, repetition_penalty;
    std::optional<std::int64_t> top_k, parallel;
    std::optional<double> guidance, control_strength;
    std::optional<std::int64_t> sampling_steps;
    std::optional<std::string> sampler, control, state;
};

/// Settings of the model that this call replaces.
nlohmann::json overrides_of(const Options& options) {
    nlohmann::json settings = nlohmann::json::object();
    const auto add = [&](const char* name, const auto& value) {
        if (value) settings[name] = *value;
    };
    add("temperature", options.temperature);
    add("top_k", options.top_k);
    add("top_p", options.top_p);
    add("min_p", options.min_p);
    add("repetition_penalty", options.repetition_penalty);
    add("parallel", options.parallel);
    add("state", options.state);
    add("sampling_steps", options.sampling_steps);
    add("sampler", options.sampler);
    add("guidance", options.guidance);
    add("control_strength", options.control_strength);
    if (options.control) {
        // A sample's number, or a word.
        const bool number = options.control->find_first_not_of("0123456789") == std::string::npos;
        settings["control"] = number && !options.control->empty() && options.control->size() < 10
                                  ? nlohmann::json(std::stoll(*options.control))
                                  : nlohmann::json(*options.control);
    }
    return settings;
}

/// What lies within the seconds asked for: most generators make whole sessions.
Trace cut(Trace session, double max_seconds) {
    if (max_seconds <= 0 || session.empty()) return session;
    const std::int64_t first_ns = session.packets.front().time_ns;
    std::erase_if(session.packets, [&](const PacketView& packet) {
        return static_cast<double>(packet.time_ns - first_ns) > max_seconds * 1e9;
    });
    return session;
}

/// Puts sessions into one capture, one after another.
class SessionWriter {
  public:
    explicit SessionWriter(const fs::path& path) : writer_(path) {}

    void add(const Trace& session, std::size_t limit) {
        const std::int64_t shift =
            packets_ == 0 || session.empty() ? 0 : last_ns_ + pause_ns - session.packets.front().time_ns;
        for (PacketView packet : session.packets) {
            if (packets_ == limit) return;
            packet.time_ns += shift;
            last_ns_ = std::max(last_ns_, packet.time_ns);
            writer_.write(packet);
            ++packets_;
        }
    }
    std::size_t packets() const { return packets_; }
    void commit() { writer_.commit(); }

  private:
    CaptureWriter writer_;
    std::size_t packets_ = 0;
    std::int64_t last_ns_ = 0;
};

struct Made {
    std::size_t samples = 0, packets = 0;
};

SampleRequest request_of(const Options& options) {
    SampleRequest request;
    request.label = options.label;
    request.count = std::max<std::size_t>(1, options.samples);
    request.seed = options.seed;
    request.constrained = !options.unconstrained;
    request.max_packets = options.max_packets;
    request.max_seconds = options.max_seconds;
    request.max_tokens = options.max_tokens;
    return request;
}

/// Samples until there are as many packets as wanted; the last one is cut.
Made write_packets(Generator& generator, const Options& options, Progress& progress) {
    SessionWriter writer(options.output);
    Made made;
    SampleRequest request = request_of(options);
    // A fixed set of captures has no more to give than all it holds.
    const bool finite = generator.kind() == "captures";
    if (finite) request.count = options.packets;
    int empty = 0;
    while (writer.packets() < options.packets && empty < max_empty_samples) {
        const std::size_t before = writer.packets();
        const std::size_t left = options.packets - before;
        request.max_packets = options.max_packets > 0 ? std::min(left, options.max_packets) : left;
        request.seed = stream_seed(options.seed, fmt::format("generate/{}", made.samples));
        generator.sample(request, progress, [&](const Trace& session) {
            if (writer.packets() == options.packets) return;
            writer.add(cut(session, options.max_seconds), options.packets);
            ++made.samples;
        });
        progress.update(static_cast<double>(writer.packets()), static_cast<double>(options.packets),
                        "packets");
        empty = writer.packets() == before ? empty + 1 : 0;
        if (finite) break;
    }
    made.packets = writer.packets();
    if (made.packets == 0) throw InputError(options.model, "makes no packets for this label");
    writer.commit();
    return made;
}

/// A single session without end, written as it is made: memory stays the same however long it gets.
Made write_one_trace(Generator& generator, const Options& options, Progress& progress) {
    CaptureWriter writer(options.output);
    Made made;
    SampleRequest request = request_of(options);
    request.max_packets = options.packets;
    const bool can = generator.stream(request, progress, [&](const PacketView& packet) {
        writer.write(packet);
        ++made.packets;
    });
    if (!can)
        throw InputError(options.model, fmt::format("'{}' makes whole sessions only", generator.kind()),
                         "leave --one-trace out");
    if (made.packets == 0) throw InputError(options.model, "makes no packets for this label");
    made.samples = 1;
    writer.commit();
    return made;
}

Made write_capture(Generator& generator, const Options& options, Progress& progress) {
    SessionWriter writer(options.output);
    Made made;
    generator.sample(request_of(options), progress, [&](const Trace& session) {
        writer.add(cut(session, options.max_seconds), SIZE_MAX);
        ++made.samples;
    });
    made.packets = writer.packets();
    writer.commit();
    return made;
}

Made write_folder(Generator& generator, const Options& options, Progress& progress) {
    const fs::path folder = options.output;
    Made made;
    std::string labels = csv_row({"file", "label"});
    generator.sample(request_of(options), progress, [&](const Trace& whole) {
        const Trace session = cut(whole, options.max_seconds);
        const std::string file = fmt::format("{:05}.pcap", ++made.samples);
        write_trace(folder / file, session);
        labels += csv_row({file, options.label});
        made.packets += session.size();
    });
    write_file(folder / "labels.csv", labels);
    return made;
}

/// How often the model itself would have left the protocol, where a generator knows.
void print_sampling(const nlohmann::json& described) {
    const auto sampling = described.find("sampling");
    if (sampling == described.end() || !sampling->is_object()) return;
    if (const auto repair = sampling->find("repair"); repair != sampling->end() && repair->is_object())
        fmt::print(stderr, "repair altered {:.2f} % of the bits, checksums aside\n",
                   100 * repair->value("altered", 0.0) / std::max(1.0, repair->value("bits", 0.0)));
    const double tokens = sampling->value("tokens", 0.0), seconds = sampling->value("seconds", 0.0);
    if (tokens == 0) return;
    fmt::print(stderr,
               "{:.0f} tokens ({:.0f} tokens/s); {:.2f} % of the model's first choices were illegal\n",
               tokens, seconds > 0 ? tokens / seconds : 0,
               100 * sampling->value("illegal_first_choices", 0.0) / tokens);
}

int run(const Options& options) {
    const auto generator = load_model(options.model, overrides_of(options));
    require_label(*generator, options.label);
    if (generator->kind() == "command")
        fmt::print(stderr, "this model runs a program: see 'settings' in {}\n",
                   printable((fs::path(options.model) / "generator.json").string()));
    const bool folder = options.output.ends_with('/') || fs::is_directory(options.output);
    if (options.max_tokens > 0 && generator->kind() != "ssm")
        throw InputError("--max-tokens",
                         fmt::format("means nothing to '{}', which has no tokens", generator->kind()),
                         "use --max-packets");
    if (options.one_trace && (folder || options.samples > 0))
        throw InputError("--one-trace", "makes one capture", "use -o FILE.pcap and leave --samples out");
    if (folder && options.packets > 0)
        throw InputError(options.output, "is a folder, but --packets fills one capture", "use -o FILE.pcap");
    ConsoleProgress progress("generate");
    const Made made = options.one_trace     ? write_one_trace(*generator, options, progress)
                      : options.packets > 0 ? write_packets(*generator, options, progress)
                      : folder              ? write_folder(*generator, options, progress)
                                            : write_capture(*generator, options, progress);
    const std::size_t wanted = std::max<std::size_t>(1, options.samples);
    if (options.packets > made.packets)
        fmt::print(stderr, "only {} of {} packets: the generator has no more\n", made.packets,
                   options.packets);
    if (options.packets == 0 && made.samples < wanted)
        fmt::print(stderr, "only {} of {} samples: the generator has no more\n", made.samples, wanted);
    fmt::print(stderr, "{} packets in {} samples of '{}': {}\n", made.packets, made.samples,
               printable(options.label), printable(options.output));
    print_sampling(generator->describe());
    return exit_code::success;
}

/// Of generators that draw from a distribution; the model's own settings where they are left out.
void add_sampling(CLI::App& verb, Options& options) {
    const char* group = "How tokens are drawn (ssm; docs/ssm.md)";
    verb.add_option("--temperature", options.temperature,
                    "below 1 likelier, above 1 more varied; 0: always the likeliest")
        ->group(group);
    verb.add_option("--top-k", options.top_k, "only the k likeliest; 0: all")->group(group);
    verb.add_option("--top-p", options.top_p,
                    "only the likeliest that together reach this probability; 1: all")
        ->group(group);
    verb.add_option("--min-p", options.min_p,
                    "only those at least this times as likely as the likeliest; 0: all")
        ->group(group);
    verb.add_option("--repetition-penalty", options.repetition_penalty,
                    "above 1: less of what occurred; 1: none")
        ->group(group);
    verb.add_option("--parallel", options.parallel, "traces made at once")->group(group);
    verb.add_option("--state", options.state,
                    "float32, or float16: what is carried from token to token in half the memory")
        ->group(group);
}

/// Of generators that come from noise; the model's own settings where they are left out.
void add_denoising(CLI::App& verb, Options& options) {
    const char* group = "How noise is taken away (diffusion; docs/diffusion.md)";
    verb.add_option("--sampling-steps", options.sampling_steps, "steps from noise to packets")->group(group);
    verb.add_option("--sampler", options.sampler, "dpm-solver or ddim")->group(group);
    verb.add_option("--guidance", options.guidance, "1: as trained; more: what sets the class apart")
        ->group(group);
    verb.add_option("--control", options.control,
                    "layout of headers to follow: off, class, or the number of one of the class's samples")
        ->group(group);
    verb.add_option("--control-strength", options.control_strength, "how much: 0 to 2")->group(group);
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("generate", "Synthetic captures of one label from a trained model");
    verb->add_option("-m,--model", options->model, "folder that 'tracebench train' wrote")->required();
    verb->add_option("--label", options->label, "what to make, as in the training labels")->required();
    CLI::Option* packets = verb->add_option("--packets", options->packets,
                                            "exactly this many: samples one after another, the last cut")
                               ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40));
    verb->add_option("--samples", options->samples,
                     "this many samples (sessions or flows, as trained); default 1")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 32))
        ->excludes(packets);
    verb->add_flag(
        "--one-trace", options->one_trace,
        "with --packets, --max-seconds or --max-tokens: one session that goes on until then, of any "
        "length in constant memory (ssm)");
    verb->add_option("--max-packets", options->max_packets, "no sample gets longer")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40));
    verb->add_option("--max-seconds", options->max_seconds,
                     "no sample lasts longer (of its own traffic's time)")
        ->check(CLI::PositiveNumber);
    verb->add_option("--max-tokens", options->max_tokens, "no sample takes more tokens (ssm)")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 50));
    add_sampling(*verb, *options);
    add_denoising(*verb, *options);
    verb->add_option("--seed", options->seed, "random seed (default 1); the same seed gives the same bytes");
    verb->add_flag("--unconstrained", options->unconstrained, "no protocol constraints, no repair");
    verb->add_option(
            "-o,--output", options->output,
            "FILE.pcap: all samples in one capture, a second apart; an existing folder, or a name that "
            "ends in '/': one capture a sample, with labels.csv; '-': standard output")
        ->required();
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
