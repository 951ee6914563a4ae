#pragma once
/// Packets as tokens and back: what stands between traffic and a sequence model.
///
///     auto tokens = encoding.encode("video", trace, report);      // <|video|> ... <end>
///     auto decoder = encoding.decoder({.label = "video", .seed = 7, .constrained = true});
///     while (!decoder->ended()) {
///         Token t = draw(logits);
///         while (!decoder->allowed(t)) t = draw_another(logits);  // constrained decoding
///         decoder->accept(t);
///         while (auto packet = decoder->next_packet()) use(*packet);
///     }

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "traffic/trace.h"

namespace tracebench::ssm {

using Token = std::int32_t;

/// What encode() could not hold: those packets are left out, the others are exact.
struct EncodeReport {
    std::uint64_t packets = 0;  ///< encoded
    std::uint64_t left_out = 0;
    std::uint64_t tokens = 0;

    void add(const EncodeReport& other) {
        packets += other.packets;
        left_out += other.left_out;
        tokens += other.tokens;
    }
};

struct DecodedPacket {
    std::int64_t time_ns = 0;
    std::vector<std::uint8_t> bytes;  ///< an Ethernet frame
    std::uint32_t original_length = 0;
};

struct DecodeOptions {
    std::string label;
    std::uint64_t seed = 1;   ///< of what the model does not choose: addresses, initial sequence numbers
    bool constrained = true;  ///< allow only what keeps packets and flows legal by the rule table
    bool continuous = false;  ///< flows may begin past what a session announced, for a trace without end
};

/// One trace being written, token by token. Constant memory but for live flows, which are bounded.
class TraceDecoder {
  public:
    virtual ~TraceDecoder() = default;
    /// Whether `token` may come next. Always true for a well-formed continuation without constraints; what
    /// has no meaning at this place is never allowed. At least one token is allowed until ended().
    virtual bool allowed(Token token) = 0;
    /// The only token allowed next, where there is just one and it is known without asking for each.
    virtual std::optional<Token> forced() = 0;
    /// Requires allowed(token).
    virtual void accept(Token token) = 0;
    /// The end token was accepted.
    virtual bool ended() const = 0;
    /// Packets finished since the last call, in time order; nothing where there is none (yet).
    virtual std::optional<DecodedPacket> next_packet() = 0;
    /// Packets finished so far, and the time of the last since the first.
    virtual std::uint64_t packets() const = 0;
    virtual double seconds() const = 0;
};

/// Follows a sequence and says which question its next token answers, where that is one of the plan's.
class QuestionTracker {
  public:
    virtual ~QuestionTracker() = default;
    /// The sequence's tokens, its label's first.
    virtual void accept(Token token) = 0;
    /// Equal numbers: the same question in the same circumstances. Negative: none.
    virtual std::int64_t next() const = 0;
};

class Encoding {
  public:
    virtual ~Encoding() = default;
    virtual std::string name() const = 0;  ///< `fields`, `netssm`
    /// Ids are 0 .. vocabulary_size() - 1.
    virtual std::size_t vocabulary_size() const = 0;
    /// Sorted.
    virtual std::vector<std::string> labels() const = 0;
    /// What a sequence of this label begins with. Throws InputError for an unknown one.
    virtual Token label_token(const std::string& label) const = 0;
    /// All tokens that stand for the label, in an order that is the same for every label. Throws as
    /// label_token().
    virtual std::vector<Token> label_tokens(const std::string& label) const { return {label_token(label)}; }
    /// What ends a sequence.
    virtual Token end_token() const = 0;
    /// Tokens that tell the model something and are never asked of it: the decoder forces them, the loss
    /// leaves them out.
    virtual bool is_context(Token /*token*/) const { return false; }
    /// Tokens that decide about much of what follows: what a flow is for, how long it is. Few, so a small
    /// model learns them late unless they count more in training.
    virtual bool is_plan(Token /*token*/) const { return false; }
    /// Null where the plan has no questions. Numbers stay when labels are added.
    virtual std::unique_ptr<QuestionTracker> questions() const { return nullptr; }
    /// Tokens of one kind can stand for each other, as a wrong one does for the right one: see TokenNoise.
    /// Negative: nothing else can stand here.
    virtual int kind(Token /*token*/) const { return -1; }
    /// An amount of time or bytes: its rare values are no mistakes of the model, so min_p leaves them.
    virtual bool is_amount(Token /*token*/) const { return false; }
    /// Never put in place of a token that was refused, as long as there is another: it is legal nearly always
    /// and ends what the model was about (a TCP reset).
    virtual bool is_last_resort(Token /*token*/) const { return false; }
    /// From the label's token to the end token; only those two where no packet could be encoded.
    virtual std::vector<Token> encode(const std::string& label, const Trace& trace,
                                      EncodeReport& report) const = 0;
    /// Called once with every training trace before training: for what decoding needs and tokens do not
    /// carry (`netssm`: inter-arrival times). Kept by save().
    virtual void observe(const std::string& /*label*/, const Trace& /*trace*/) {}
    /// Begins after the label's token (which accept() does not get).
    virtual std::unique_ptr<TraceDecoder> decoder(const DecodeOptions& options) const = 0;
    /// Adds labels that it does not have; the ids of all others stay. For fine-tuning.
    virtual void add_labels(const std::vector<std::string>& labels) = 0;
    /// `tokenizer.json` into the folder, from which load_encoding() makes the same encoding again.
    virtual void save(const std::filesystem::path& folder) const = 0;
};

/// Throws InputError for an unknown name or settings out of range. `settings` is the generator's `encoding`
/// object without its name.
std::unique_ptr<Encoding> make_encoding(const std::string& name, const nlohmann::json& settings,
                                        const std::vector<std::string>& labels);
/// Reads `tokenizer.json`: ours, or NetSSM's own (`netssm`). Throws InputError.
std::unique_ptr<Encoding> load_encoding(const std::filesystem::path& folder);

}  // namespace tracebench::ssm
