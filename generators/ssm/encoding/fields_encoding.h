#pragma once
/// `fields`: our encoding. What can be derived never enters the model: a packet says its flow, its
/// inter-arrival time, its flags and length, and of everything else only what differs from what the flow's
/// state predicts. See docs/ssm.md, and fields/vocabulary.h for the items.

#include <string>
#include <vector>

#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/encoding/fields/identities.h"
#include "generators/ssm/encoding/fields/vocabulary.h"

namespace tracebench::ssm {

/// Tokens and what they leave open: together exactly the packets that could be encoded.
struct FieldsTranscript {
    std::vector<Token> tokens;
    RecordedIdentities identities;
};

class FieldsEncoding : public Encoding {
  public:
    /// `snap`: frames of decoded packets are cut to so many bytes, as captures often are; 0: whole.
    explicit FieldsEncoding(std::vector<std::string> labels, std::uint32_t snap = 0);

    std::string name() const override { return "fields"; }
    std::size_t vocabulary_size() const override { return vocabulary_.size(); }
    std::vector<std::string> labels() const override;
    Token label_token(const std::string& label) const override;
    std::vector<Token> label_tokens(const std::string& label) const override;
    Token end_token() const override;
    bool is_context(Token token) const override;
    bool is_plan(Token token) const override;
    std::unique_ptr<QuestionTracker> questions() const override;
    int kind(Token token) const override;
    bool is_amount(Token token) const override;
    bool is_last_resort(Token token) const override;
    void observe(const std::string& label, const Trace& trace) override;
    std::vector<Token> encode(const std::string& label, const Trace& trace,
                              EncodeReport& report) const override;
    std::unique_ptr<TraceDecoder> decoder(const DecodeOptions& options) const override;
    void add_labels(const std::vector<std::string>& labels) override;
    void save(const std::filesystem::path& folder) const override;

    /// The lossless form: what encode() gives, and what replay() needs besides.
    FieldsTranscript transcribe(const std::string& label, const Trace& trace, EncodeReport& report) const;
    /// `identities` must outlive the decoder.
    std::unique_ptr<TraceDecoder> replay(const std::string& label, const RecordedIdentities& identities,
                                         bool constrained) const;
    const Vocabulary& vocabulary() const { return vocabulary_; }

    /// From `tokenizer.json`. Throws InputError: another version, labels that are not text or repeat.
    static std::unique_ptr<FieldsEncoding> from_json(const nlohmann::json& json, const std::string& name);

  private:
    Vocabulary vocabulary_;
    std::uint32_t snap_;
};

}  // namespace tracebench::ssm
