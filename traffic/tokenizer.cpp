#include "traffic/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace tracebench {
namespace {

constexpr std::uint64_t max_file = 16 << 20;
constexpr std::int64_t max_id = 65535;
constexpr std::string_view unknown_token = "<|unk|>";
constexpr std::array<std::string_view, 4> format_tokens{"<|endoftext|>", "<|padding|>", kPacketToken,
                                                        unknown_token};

bool is_special(std::string_view token) {
    return token.size() > 4 && token.starts_with("<|") && token.ends_with("|>");
}

bool is_label(std::string_view token) {
    return is_special(token) &&
           std::find(format_tokens.begin(), format_tokens.end(), token) == format_tokens.end();
}

}  // namespace

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
    return parse(read_file(path, max_file), path.string());
}

Tokenizer Tokenizer::parse(std::string_view text, std::string_view name) {
    const nlohmann::json document = parse_json(text, name);
    const auto bad = [&](std::string_view where, std::string_view expected) {
        throw InputError(fmt::format("{}: {}", name, where), fmt::format("is not {}", expected),
                         "a Hugging Face tokenizer.json was expected");
    };
    static const nlohmann::json::json_pointer vocabulary("/model/vocab"), added("/added_tokens");
    if (!document.is_object() || !document.contains(vocabulary) || !document[vocabulary].is_object())
        bad("/model/vocab", "an object");
    Tokenizer tokenizer;
    for (const auto& [token, id] : document[vocabulary].items()) {
        if (!id.is_number_integer()) bad("/model/vocab/" + token, "an integer");
        tokenizer.add(token, id.get<std::int64_t>(), name);
    }
    if (document.contains(added)) {
        const nlohmann::json& tokens = document[added];
        if (!tokens.is_array()) bad("/added_tokens", "an array");
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const nlohmann::json& token = tokens[i];
            if (!token.is_object() || !token.contains("content") || !token["content"].is_string() ||
                !token.contains("id") || !token["id"].is_number_integer())
                bad(fmt::format("/added_tokens/{}", i),
                    "an object with a text \"content\" and an integer \"id\"");
            tokenizer.add(token["content"].get<std::string>(), token["id"].get<std::int64_t>(), name);
        }
    }
    tokenizer.index(name);
    return tokenizer;
}

Tokenizer Tokenizer::make(std::span<const std::string> labels) {
    Tokenizer tokenizer;
    std::int64_t id = 0;
    for (int byte = 0; byte < 256; ++byte) tokenizer.add(std::to_string(byte), id++, "vocabulary");
    tokenizer.add(std::string(unknown_token), id++, "vocabulary");
    for (const std::string_view token : format_tokens)
        if (token != unknown_token) tokenizer.add(std::string(token), id++, "vocabulary");
    for (const std::string& label : labels) tokenizer.add(fmt::format("<|{}|>", label), id++, "vocabulary");
    tokenizer.index("vocabulary");
    return tokenizer;
}

void Tokenizer::add_label(const std::string& label) {
    const std::string token = fmt::format("<|{}|>", label);
    const bool word = std::none_of(label.begin(), label.end(), [](unsigned char c) {
        return c <= ' ' || c == '|' || c == '<' || c == '>' || c == 0x7F;
    });
    if (!word || !is_label(token))
        throw InputError("label", fmt::format("'{}' cannot be a token", label),
                         "use a word without spaces, <, > or | that is not one of NetSSM's own");
    if (!find(token)) add(token, static_cast<std::int64_t>(size()), "vocabulary");
}

void Tokenizer::add(const std::string& token, std::int64_t id, std::string_view name) {
    if (id < 0 || id > max_id)
        throw InputError(name, fmt::format("token '{}' has id {}", token, id),
                         fmt::format("ids from 0 to {} were expected", max_id));
    if (token.empty()) throw InputError(name, fmt::format("the token with id {} is empty", id));
    const Id narrow = static_cast<Id>(id);
    const auto [place, is_new] = ids_.emplace(token, narrow);
    if (!is_new && place->second != narrow)
        throw InputError(name, fmt::format("token '{}' has the ids {} and {}", token, place->second, id));
    const auto slot = static_cast<std::size_t>(id);
    if (slot >= tokens_.size()) tokens_.resize(slot + 1);
    if (is_new && !tokens_[slot].empty())
        throw InputError(name, fmt::format("tokens '{}' and '{}' share id {}", tokens_[slot], token, id));
    tokens_[slot] = token;
}

void Tokenizer::index(std::string_view name) {
    for (std::size_t byte = 0; byte < bytes_.size(); ++byte) {
        const auto id = find(std::to_string(byte));
        if (!id)
            throw InputError(name, fmt::format("has no token for byte {}", byte),
                             "a byte-level vocabulary has 0 to 255");
        bytes_[byte] = *id;
        byte_of_[*id] = static_cast<std::uint8_t>(byte);
    }
    const auto packet = find(kPacketToken);
    if (!packet) throw InputError(name, fmt::format("has no token {}", kPacketToken));
    packet_ = *packet;
}

std::optional<Tokenizer::Id> Tokenizer::find(std::string_view token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Tokenizer::Id> Tokenizer::label_id(std::string_view label) const {
    const std::string token = fmt::format("<|{}|>", label);
    return is_label(token) ? find(token) : std::nullopt;
}

std::vector<std::string> Tokenizer::labels() const {
    std::vector<std::string> labels;
    for (const auto& [token, id] : ids_)
        if (is_label(token)) labels.push_back(token.substr(2, token.size() - 4));
    return labels;
}

std::optional<std::uint8_t> Tokenizer::byte_of(Id id) const {
    const auto found = byte_of_.find(id);
    return found == byte_of_.end() ? std::nullopt : std::optional(found->second);
}

std::string_view Tokenizer::text_of(Id id) const {
    return id >= 0 && static_cast<std::size_t>(id) < tokens_.size()
               ? std::string_view(tokens_[static_cast<std::size_t>(id)])
               : std::string_view();
}

std::vector<Tokenizer::Id> Tokenizer::encode(std::string_view label,
                                             std::span<const TokenPacket> packets) const {
    const auto start = label_id(label);
    if (!start)
        throw InputError("label", fmt::format("'{}' has no token", label),
                         fmt::format("there are: {}", fmt::join(labels(), ", ")));
    std::vector<Id> ids;
    ids.reserve(packets.size() * (kTokenPacketBytes + 1) + 1);
    ids.push_back(*start);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        if (i > 0) ids.push_back(packet_);
        for (const std::uint8_t byte : packets[i]) ids.push_back(bytes_[byte]);
    }
    return ids;
}

std::string Tokenizer::decode(std::span<const Id> ids) const {
    std::string text;
    for (const Id id : ids) {
        const std::string_view token = text_of(id);
        if (token.empty()) continue;
        if (!text.empty()) text += ' ';
        text += token;
    }
    return text;
}

std::string Tokenizer::json() const {
    nlohmann::ordered_json added = nlohmann::ordered_json::array(),
                           vocabulary = nlohmann::ordered_json::object();
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
        if (tokens_[id].empty()) continue;
        if (is_special(tokens_[id]))
            added.push_back({{"id", id},
                             {"content", tokens_[id]},
                             {"single_word", false},
                             {"lstrip", false},
                             {"rstrip", false},
                             {"normalized", false},
                             {"special", true}});
        if (!is_special(tokens_[id]) || tokens_[id] == unknown_token) vocabulary[tokens_[id]] = id;
    }
    nlohmann::ordered_json model{
        {"type", "WordLevel"}, {"vocab", std::move(vocabulary)}, {"unk_token", unknown_token}};
    nlohmann::ordered_json document{{"version", "1.0"},          {"truncation", nullptr},
                                    {"padding", nullptr},        {"added_tokens", std::move(added)},
                                    {"normalizer", nullptr},     {"pre_tokenizer", {{"type", "Whitespace"}}},
                                    {"post_processor", nullptr}, {"decoder", nullptr},
                                    {"model", std::move(model)}};
    return document.dump(2) + "\n";
}

}  // namespace tracebench
