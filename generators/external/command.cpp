#include "generators/external/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "datasets/source.h"
#include "generators/ethernet.h"
#include "generators/external/captures.h"
#include "traffic/capture_reader.h"
#include "traffic/capture_writer.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

constexpr const char* files_folder = "files";
constexpr const char* labels_file = "labels.csv";

/// The end of what the program said, on one line.
std::string last_words(const ProcessResult& result) {
    std::string text = result.errors.empty() ? result.output : result.errors;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    if (text.empty()) return "it said nothing";
    constexpr std::size_t shown = 380;
    if (text.size() > shown) text = "..." + text.substr(text.size() - shown);
    std::string line;
    for (const char c : text) line += c == '\n' ? " | " : std::string(1, c);
    return fmt::format("it said: {}", line);
}

const char* remedy_for(ProcessResult::End end) {
    switch (end) {
        case ProcessResult::End::not_started:
            return "'command' is a program and its arguments; no shell reads it";
        case ProcessResult::End::timed_out:
            return "make it faster or raise 'timeout_s'";
        case ProcessResult::End::output_too_large:
            return "write less or raise 'output_mib'";
        default:
            return "its memory, time and output are limited: see 'memory_mib', 'timeout_s', 'output_mib'";
    }
}

nlohmann::json path_or_null(const fs::path& path) {
    return path.empty() ? nlohmann::json() : nlohmann::json(path.string());
}

/// Ethernet captures and their labels.csv.
void write_training_set(const fs::path& folder, const Samples& samples) {
    std::string labels = csv_row({"file", "label"});
    std::size_t number = 0;
    for (const LabelledTrace& sample : samples) {
        const std::string file = fmt::format("{:05}.pcap", ++number);
        write_trace(folder / file, to_ethernet(sample.trace).trace);
        labels += csv_row({file, sample.label});
    }
    write_file(folder / labels_file, labels);
}

}  // namespace

std::unique_ptr<Generator> CommandGenerator::make(const CheckedJson& settings) {
    settings.allow_only({"command", "timeout_s", "memory_mib", "output_mib"});
    auto generator = std::make_unique<CommandGenerator>();
    const CheckedJson command = settings.at("command");
    for (const CheckedJson& argument : command.items(1000)) {
        generator->command_.push_back(argument.text());
        if (generator->command_.back().find('\0') != std::string::npos) argument.fail("holds a zero byte");
    }
    if (generator->command_.empty() || generator->command_[0].empty())
        command.fail("names no program", "write [\"program\", \"argument\", ...]");
    const auto mebibytes = [&](std::string_view key, std::int64_t fallback) {
        return static_cast<std::uint64_t>(settings.integer(key, fallback, 1, 1 << 24)) << 20;
    };
    generator->timeout_s_ = settings.number("timeout_s", 600, 0.01, 7 * 86400);
    generator->memory_bytes_ = mebibytes("memory_mib", 8192);
    generator->output_bytes_ = mebibytes("output_mib", 1024);
    return generator;
}

void CommandGenerator::run(const nlohmann::json& request, const fs::path& output) const {
    ProcessRequest process;
    process.arguments = command_;
    process.input = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    process.timeout_s = timeout_s_;
    process.memory_bytes = memory_bytes_;
    process.file_bytes = process.watched_bytes = output_bytes_;
    process.watched_folder = output;
    process.output_limit = 4096;
    const ProcessResult result = run_process(process);
    if (!result.succeeded())
        throw InputError(fmt::format("program '{}'", command_[0]),
                         fmt::format("{} failed: {}; {}", request.at("verb").get<std::string>(),
                                     result.outcome(), last_words(result)),
                         remedy_for(result.end));
    require_plain_files(output);
}

void CommandGenerator::fit(const Samples& samples, const FitContext& context) {
    if (samples.empty())
        throw InputError("generator 'command'", "has no samples to learn from", "give it training samples");
    auto work = std::make_unique<TemporaryFolder>();
    const fs::path train = work->path() / "train", model = work->path() / files_folder;
    fs::create_directory(train);
    fs::create_directory(model);
    write_training_set(train, samples);
    const nlohmann::json request = {{"verb", "fit"},
                                    {"label", nullptr},
                                    {"count", 0},
                                    {"seed", context.seed},
                                    {"max_packets", 0},
                                    {"budget_s", context.budget_s},
                                    {"train_folder", train.string()},
                                    {"labels_csv", (train / labels_file).string()},
                                    {"model_folder", model.string()},
                                    {"output_folder", nullptr},
                                    {"checkpoint_folder", path_or_null(context.checkpoints)}};
    run(request, model);
    std::error_code ignored;
    fs::remove_all(train, ignored);
    std::set<std::string> labels;
    for (const LabelledTrace& sample : samples) labels.insert(sample.label);
    labels_.assign(labels.begin(), labels.end());
    work_ = std::move(work);
    model_folder_ = model;
}

void CommandGenerator::sample(const SampleRequest& request, Progress& progress, const Sink& sink) {
    require_label(*this, request.label);
    const TemporaryFolder output;
    const nlohmann::json text = {{"verb", "sample"},
                                 {"label", request.label},
                                 {"count", request.count},
                                 {"seed", request.seed},
                                 {"max_packets", request.max_packets},
                                 {"constrained", request.constrained},
                                 {"budget_s", request.budget_s},
                                 {"train_folder", nullptr},
                                 {"labels_csv", nullptr},
                                 {"model_folder", model_folder_.string()},
                                 {"output_folder", output.path().string()}};
    run(text, output.path());
    std::size_t given = 0;
    for (const fs::path& file : find_captures(output.path())) {
        if (given == request.count) break;
        progress.check_interrupted();
        Trace trace = external_sample(read_trace(file), request.max_packets);
        if (trace.empty()) continue;
        sink(std::move(trace));
        progress.update(static_cast<double>(++given), static_cast<double>(request.count), "samples");
    }
    if (given == 0)
        throw InputError(fmt::format("program '{}'", command_[0]), "wrote no capture that holds packets",
                         "it must write .pcap or .pcapng files into the request's output_folder");
}

void CommandGenerator::save(const fs::path& folder) const {
    fs::create_directory(folder / files_folder);
    if (!model_folder_.empty())
        fs::copy(model_folder_, folder / files_folder,
                 fs::copy_options::recursive | fs::copy_options::skip_symlinks);
    std::string labels = csv_row({"label"});
    for (const std::string& label : labels_) labels += csv_row({label});
    write_file(folder / labels_file, labels);
}

void CommandGenerator::load(const fs::path& folder) {
    const CsvTable table = read_csv(folder / labels_file, 1'000'000);
    const std::size_t column = table.require_column("label");
    labels_.clear();
    for (const auto& row : table.rows) labels_.push_back(row[column]);
    work_.reset();
    model_folder_ = fs::absolute(folder / files_folder);
    if (!fs::is_directory(model_folder_))
        throw InputError(model_folder_.string(), "is missing", "train the model again");
}

nlohmann::json CommandGenerator::describe() const {
    nlohmann::json arguments = nlohmann::json::array();
    for (const std::string& argument : command_) arguments.push_back(printable(argument));
    return {{"kind", kind()},
            {"what", "another generator's program"},
            {"command", arguments},
            {"timeout_s", timeout_s_},
            {"memory_mib", memory_bytes_ >> 20},
            {"output_mib", output_bytes_ >> 20}};
}

}  // namespace tracebench
