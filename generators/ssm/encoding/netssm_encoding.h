#pragma once
/// The published encoding (Chu et al., "NetSSM", 2025): `<|label|> b*128 <|pkt|> b*128 ... <|endoftext|>`, a
/// token a header byte, with the ids of a `tokenizer.json`. See traffic/tokens.h for what is kept of a
/// packet; times are not encoded (netssm_times.h).

#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/encoding/netssm_decoder.h"
#include "generators/ssm/encoding/netssm_times.h"
#include "traffic/tokenizer.h"

namespace tracebench::ssm {

class NetssmEncoding : public Encoding {
  public:
    /// A vocabulary as NetSSM makes it. There are no settings. Throws InputError: settings that are not an
    /// empty object, a label that cannot be a token or is one of the format's.
    static std::unique_ptr<NetssmEncoding> make(const std::vector<std::string>& labels,
                                                const nlohmann::json& settings);
    /// `tokenizer.json`, NetSSM's or save()'s, and `iat.json` where there is one. Throws InputError.
    static std::unique_ptr<NetssmEncoding> load(const std::filesystem::path& folder);
    /// `name` is for messages. Throws InputError where there is no `<|endoftext|>`.
    NetssmEncoding(Tokenizer tokenizer, InterArrivalTimes times, const std::string& name);

    std::string name() const override { return "netssm"; }
    std::size_t vocabulary_size() const override { return tokenizer_.size(); }
    std::vector<std::string> labels() const override { return tokenizer_.labels(); }
    Token label_token(const std::string& label) const override;
    Token end_token() const override { return tokens_->end; }
    /// Packets of other link types get an Ethernet header first. Left out: neither TCP nor UDP, fragments.
    std::vector<Token> encode(const std::string& label, const Trace& trace,
                              EncodeReport& report) const override;
    /// Counts inter-arrival times; without, packets are decoded 1 ms apart.
    void observe(const std::string& label, const Trace& trace) override;
    std::unique_ptr<TraceDecoder> decoder(const DecodeOptions& options) const override;
    void add_labels(const std::vector<std::string>& labels) override;
    void save(const std::filesystem::path& folder) const override;

    const Tokenizer& tokenizer() const { return tokenizer_; }

  private:
    Tokenizer tokenizer_;
    InterArrivalTimes times_;
    std::shared_ptr<const NetssmTokens> tokens_;
};

}  // namespace tracebench::ssm
