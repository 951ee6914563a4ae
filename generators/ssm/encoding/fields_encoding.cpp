#include "generators/ssm/encoding/fields_encoding.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "generators/checked_json.h"
#include "generators/ethernet.h"
#include "generators/ssm/encoding/fields/plan_questions.h"
#include "generators/ssm/encoding/fields/reader.h"
#include "generators/ssm/encoding/fields/writer.h"

namespace tracebench::ssm {
namespace {

constexpr int format_version = 5;
constexpr std::size_t most_labels = 10'000;
constexpr std::uint32_t largest_snap = 262'144;

}  // namespace

FieldsEncoding::FieldsEncoding(std::vector<std::string> labels, std::uint32_t snap)
    : vocabulary_(std::move(labels)), snap_(snap) {}

std::vector<std::string> FieldsEncoding::labels() const {
    std::vector<std::string> names = vocabulary_.labels();
    std::sort(names.begin(), names.end());
    return names;
}

Token FieldsEncoding::label_token(const std::string& label) const {
    const auto& labels = vocabulary_.labels();
    const auto found = std::find(labels.begin(), labels.end(), label);
    if (found == labels.end())
        throw InputError(
            "encoding 'fields'", fmt::format("has no label '{}'", printable(label)),
            fmt::format("it has: {}", printable(fmt::format("{}", fmt::join(this->labels(), ", ")))));
    return vocabulary_.token(Item::label, static_cast<int>(found - labels.begin()));
}

std::vector<Token> FieldsEncoding::label_tokens(const std::string& label) const {
    const Token token = label_token(label);
    return {token, vocabulary_.token(Item::topic, vocabulary_.head(token).value)};
}

Token FieldsEncoding::end_token() const {
    return vocabulary_.token(Item::end, 0);
}

bool FieldsEncoding::is_context(Token token) const {
    return ssm::is_context(vocabulary_.head(token).item);
}

bool FieldsEncoding::is_plan(Token token) const {
    return ssm::is_plan(vocabulary_.head(token).item);
}

std::unique_ptr<QuestionTracker> FieldsEncoding::questions() const {
    return std::make_unique<PlanQuestions>(vocabulary_);
}

int FieldsEncoding::kind(Token token) const {
    const Item item = vocabulary_.head(token).item;
    return item == Item::label || ssm::is_context(item) ? -1 : static_cast<int>(item);
}

bool FieldsEncoding::is_amount(Token token) const {
    return vocabulary_.head(token).item == Item::gap;
}

bool FieldsEncoding::is_last_resort(Token token) const {
    const ItemHead head = vocabulary_.head(token);
    const auto usual = usual_flags();
    const auto value = static_cast<std::size_t>(head.value);  // with payload they stand once more
    return head.item == Item::flags && value < 2 * usual.size() &&
           (usual[value % usual.size()] & tcp_flag::rst) != 0;
}

void FieldsEncoding::observe(const std::string&, const Trace& trace) {
    for (const PacketView& packet : trace.packets)
        if (packet.truncated())
            snap_ = std::min(largest_snap, std::max(snap_, static_cast<std::uint32_t>(packet.bytes.size())));
}

FieldsTranscript FieldsEncoding::transcribe(const std::string& label, const Trace& trace,
                                            EncodeReport& report) const {
    const EthernetTrace ethernet = to_ethernet(trace);
    // How long flows are and how they end is known only then, but said at their beginning.
    FieldsWriter measuring(vocabulary_, label_token(label), {});
    for (const PacketView& packet : ethernet.trace.packets) measuring.add(packet);
    FieldsWriter writer(vocabulary_, label_token(label), measuring.plans());
    for (const PacketView& packet : ethernet.trace.packets) writer.add(packet);
    FieldsTranscript transcript;
    transcript.tokens = writer.finish();
    transcript.identities = writer.identities();
    report.add({writer.packets(), writer.left_out() + ethernet.dropped, transcript.tokens.size()});
    return transcript;
}

std::vector<Token> FieldsEncoding::encode(const std::string& label, const Trace& trace,
                                          EncodeReport& report) const {
    return transcribe(label, trace, report).tokens;
}

std::unique_ptr<TraceDecoder> FieldsEncoding::decoder(const DecodeOptions& options) const {
    return std::make_unique<FieldsReader>(
        vocabulary_,
        ReaderOptions{label_token(options.label), options.constrained, options.continuous, snap_},
        fresh_identities(options.seed));
}

std::unique_ptr<TraceDecoder> FieldsEncoding::replay(const std::string& label,
                                                     const RecordedIdentities& identities,
                                                     bool constrained) const {
    return std::make_unique<FieldsReader>(vocabulary_,
                                          ReaderOptions{label_token(label), constrained, false, snap_},
                                          replay_identities(identities));
}

void FieldsEncoding::add_labels(const std::vector<std::string>& labels) {
    for (const std::string& label : labels)
        if (std::find(vocabulary_.labels().begin(), vocabulary_.labels().end(), label) ==
            vocabulary_.labels().end())
            vocabulary_.add_label(label);
}

void FieldsEncoding::save(const std::filesystem::path& folder) const {
    nlohmann::json labels = nlohmann::json::array();
    for (const std::string& label : vocabulary_.labels()) labels.push_back(to_hex(label));
    nlohmann::json tokens = nlohmann::json::array();
    for (std::size_t token = 0; token < vocabulary_.size(); ++token)
        tokens.push_back(printable(vocabulary_.name(static_cast<Token>(token))));
    const nlohmann::json document = {
        {"encoding", name()},
        {"version", format_version},
        {"snap", snap_},
        {"labels_hex", labels},  // labels may be any bytes, JSON strings only UTF-8
        {"tokens", tokens}};     // for people
    write_file(folder / "tokenizer.json", document.dump(1) + "\n");
}

std::unique_ptr<FieldsEncoding> FieldsEncoding::from_json(const nlohmann::json& json,
                                                          const std::string& name) {
    const CheckedJson document(json, name);
    if (document.at("version").integer(0, 1'000'000) != format_version)
        document.at("version").fail("is of another version of this encoding", "train the model again");
    std::vector<std::string> labels;
    for (const CheckedJson& label : document.at("labels_hex").items(most_labels)) {
        labels.push_back(label.hex(4096));
        if (std::count(labels.begin(), labels.end(), labels.back()) > 1) label.fail("is there twice");
    }
    const auto snap = static_cast<std::uint32_t>(document.at("snap").integer(0, largest_snap));
    return std::make_unique<FieldsEncoding>(std::move(labels), snap);
}

}  // namespace tracebench::ssm
