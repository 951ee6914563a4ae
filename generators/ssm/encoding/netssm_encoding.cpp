#include "generators/ssm/encoding/netssm_encoding.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "generators/checked_json.h"
#include "generators/ethernet.h"

namespace tracebench::ssm {
namespace {

Tokenizer with_end(Tokenizer tokenizer, const std::string& name) {
    if (!tokenizer.end_id())
        throw InputError(name, "has no token <|endoftext|>", "NetSSM's vocabulary has one");
    return tokenizer;
}

}  // namespace

NetssmEncoding::NetssmEncoding(Tokenizer tokenizer, InterArrivalTimes times, const std::string& name)
    : tokenizer_(with_end(std::move(tokenizer), name)),
      times_(std::move(times)),
      tokens_(std::make_shared<NetssmTokens>(tokenizer_)) {}

std::unique_ptr<NetssmEncoding> NetssmEncoding::make(const std::vector<std::string>& labels,
                                                     const nlohmann::json& settings) {
    CheckedJson(settings, "encoding 'netssm'").allow_only({});
    auto encoding = std::make_unique<NetssmEncoding>(Tokenizer::make({}), InterArrivalTimes{}, "vocabulary");
    encoding->add_labels(labels);
    return encoding;
}

std::unique_ptr<NetssmEncoding> NetssmEncoding::load(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "tokenizer.json";
    return std::make_unique<NetssmEncoding>(Tokenizer::load(path), InterArrivalTimes::load(folder),
                                            path.string());
}

Token NetssmEncoding::label_token(const std::string& label) const {
    const auto token = tokenizer_.label_id(label);
    if (!token)
        throw InputError("label", fmt::format("'{}' has no token", label),
                         fmt::format("there are: {}", fmt::join(labels(), ", ")));
    return *token;
}

std::vector<Token> NetssmEncoding::encode(const std::string& label, const Trace& trace,
                                          EncodeReport& report) const {
    const EthernetTrace ethernet = to_ethernet(trace);
    std::vector<TokenPacket> packets;
    packets.reserve(ethernet.trace.size());
    for (const PacketView& packet : ethernet.trace.packets)
        if (const auto kept = token_packet(packet)) packets.push_back(*kept);
    std::vector<Token> tokens{label_token(label)};
    if (!packets.empty()) tokens = tokenizer_.encode(label, packets);
    tokens.push_back(end_token());
    report.add({packets.size(), trace.size() - packets.size(), tokens.size()});
    return tokens;
}

void NetssmEncoding::observe(const std::string& label, const Trace& trace) {
    Trace kept;
    for (const PacketView& packet : trace.packets)
        if (token_packet(packet)) kept.packets.push_back(packet);
    times_.observe(label, kept);
}

std::unique_ptr<TraceDecoder> NetssmEncoding::decoder(const DecodeOptions& options) const {
    label_token(options.label);
    return std::make_unique<NetssmDecoder>(tokens_, times_.of(options.label), options);
}

void NetssmEncoding::add_labels(const std::vector<std::string>& labels) {
    Tokenizer extended = tokenizer_;
    for (const std::string& label : labels) extended.add_label(label);
    tokenizer_ = std::move(extended);
    tokens_ = std::make_shared<NetssmTokens>(tokenizer_);
}

void NetssmEncoding::save(const std::filesystem::path& folder) const {
    write_file(folder / "tokenizer.json", tokenizer_.json());
    times_.save(folder);
}

}  // namespace tracebench::ssm
