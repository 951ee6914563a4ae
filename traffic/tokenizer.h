#pragma once
/// The vocabulary of a byte-level model, as its Hugging Face `tokenizer.json` says: which token is which
/// byte, which stands between packets, which names a label. Ids are never assumed.

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traffic/tokens.h"

namespace tracebench {

class Tokenizer {
  public:
    using Id = std::int32_t;

    /// `added_tokens` and `model.vocab` of the file. Throws InputError: unreadable or over 16 MiB, not such a
    /// JSON document, an id outside 0..65535, two tokens with one id or one token with two, one of the 256
    /// byte values or `<|pkt|>` without a token.
    static Tokenizer load(const std::filesystem::path& path);
    static Tokenizer parse(std::string_view text, std::string_view name);
    /// A vocabulary as NetSSM's create_tokenizer.py makes it: bytes 0..255, `<|unk|>`, then `<|endoftext|>`,
    /// `<|padding|>`, `<|pkt|>` and a token a label.
    static Tokenizer make(std::span<const std::string> labels);
    /// A token for the label, after the highest id, unless it has one. Throws InputError: a label that is
    /// empty, holds white space, < > or |, or is a token of the format; ids past 65535.
    void add_label(const std::string& label);

    /// One more than the highest id: rows of the embedding that are in use.
    std::size_t size() const { return tokens_.size(); }
    Id byte_id(std::uint8_t byte) const { return bytes_[byte]; }
    Id packet_id() const { return packet_; }
    /// `<|endoftext|>`, where there is one.
    std::optional<Id> end_id() const { return find("<|endoftext|>"); }
    std::optional<Id> label_id(std::string_view label) const;
    /// Labels there are tokens for, sorted: every `<|...|>` but the four of the format.
    std::vector<std::string> labels() const;
    /// The byte a token stands for; none for the others and for ids out of range.
    std::optional<std::uint8_t> byte_of(Id id) const;
    /// The token's text; empty where no token has this id.
    std::string_view text_of(Id id) const;

    /// `<|label|> b b <|pkt|> b b` as ids. Throws InputError for a label without a token.
    std::vector<Id> encode(std::string_view label, std::span<const TokenPacket> packets) const;
    /// Ids as text, single spaces between. Ids without a token are left out.
    std::string decode(std::span<const Id> ids) const;
    /// The vocabulary as a `tokenizer.json` (a word-level model split at white space).
    std::string json() const;

  private:
    void add(const std::string& token, std::int64_t id, std::string_view name);
    void index(std::string_view name);
    std::optional<Id> find(std::string_view token) const;

    std::vector<std::string> tokens_;  ///< by id; empty where unused
    std::map<std::string, Id, std::less<>> ids_;
    std::array<Id, 256> bytes_{};
    std::map<Id, std::uint8_t> byte_of_;
    Id packet_ = 0;
};

}  // namespace tracebench
