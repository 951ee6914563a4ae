#include "generators/ssm/encoding/netssm_decoder.h"

#include <algorithm>

namespace tracebench::ssm {
namespace {

constexpr std::int64_t default_gap_ns = 1'000'000;
constexpr std::int64_t latest_ns = INT64_MAX / 2;  ///< 146 years
constexpr std::size_t ethernet_header = 14;

}  // namespace

NetssmTokens::NetssmTokens(const Tokenizer& tokenizer)
    : byte_of(tokenizer.size(), -1), packet(tokenizer.packet_id()), end(*tokenizer.end_id()) {
    for (std::size_t byte = 0; byte < of_byte.size(); ++byte) {
        of_byte[byte] = tokenizer.byte_id(static_cast<std::uint8_t>(byte));
        byte_of[static_cast<std::size_t>(of_byte[byte])] = static_cast<std::int16_t>(byte);
    }
}

NetssmDecoder::NetssmDecoder(std::shared_ptr<const NetssmTokens> tokens, Histogram times,
                             const DecodeOptions& options)
    : tokens_(std::move(tokens)),
      times_(std::move(times)),
      random_(stream_seed(options.seed, "netssm/times")),
      constrained_(options.constrained),
      grammar_(flows_) {
    grammar_.begin(now_ns_);
}

bool NetssmDecoder::allowed(Token token) {
    if (ended_) return false;
    const int byte = tokens_->byte(token);
    if (!constrained_) return byte >= 0 || token == tokens_->packet || token == tokens_->end;
    if (grammar_.full()) return token == tokens_->packet || token == tokens_->end;
    if (byte >= 0) return grammar_.allowed()[static_cast<std::size_t>(byte)];
    return token == tokens_->end && !anything_;
}

std::optional<Token> NetssmDecoder::forced() {
    if (ended_ || !constrained_ || grammar_.full()) return std::nullopt;
    const ByteSet& bytes = grammar_.allowed();
    if (bytes.count() != 1) return std::nullopt;
    return tokens_->of_byte[lowest_byte(bytes)];
}

void NetssmDecoder::accept(Token token) {
    if (ended_) return;
    if (const int byte = tokens_->byte(token); byte >= 0) {
        anything_ = true;
        if (!grammar_.full()) grammar_.accept(static_cast<std::uint8_t>(byte));
        return;
    }
    if (token != tokens_->packet && token != tokens_->end) return;
    ended_ = token == tokens_->end;
    anything_ = true;
    finish();
    if (!ended_) begin_packet();
}

void NetssmDecoder::begin_packet() {
    // A piece that made no packet takes no time.
    if (packets_ > 0) {
        const std::int64_t gap =
            times_.empty() ? default_gap_ns : static_cast<std::int64_t>(times_.draw(random_));
        now_ns_ = last_ns_ + std::min(gap, latest_ns - last_ns_);
    }
    flows_.expire(now_ns_);
    grammar_.begin(now_ns_);
}

void NetssmDecoder::finish() {
    if (grammar_.bytes().empty()) return;
    auto packet = constrained_ ? legal_packet() : plain_packet();
    if (!packet) {
        ++dropped_;
        return;
    }
    ++packets_;
    last_ns_ = now_ns_;
    ready_.push_back(*std::move(packet));
}

std::optional<DecodedPacket> NetssmDecoder::legal_packet() {
    auto finished = finish_packet(grammar_.bytes(), now_ns_, flows_);
    if (!finished) return std::nullopt;
    repaired_ += finished->repaired;
    return DecodedPacket{now_ns_, std::move(finished->packet.bytes), finished->packet.original_length};
}

std::optional<DecodedPacket> NetssmDecoder::plain_packet() const {
    if (grammar_.bytes().size() < ethernet_header) return std::nullopt;
    TokenFrame frame = token_frame(grammar_.bytes());
    return DecodedPacket{now_ns_, std::move(frame.bytes), frame.original_length};
}

std::optional<DecodedPacket> NetssmDecoder::next_packet() {
    if (ready_.empty()) return std::nullopt;
    DecodedPacket packet = std::move(ready_.front());
    ready_.pop_front();
    return packet;
}

}  // namespace tracebench::ssm
