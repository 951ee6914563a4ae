#include "generators/ssm/generation/trace_stream.h"

#include "generators/fresh_identifiers.h"

namespace tracebench::ssm {
namespace {

// No packet takes as many tokens: a model that gets there will not finish another one.
constexpr std::uint64_t max_tokens_a_packet = 1 << 16;

std::vector<std::uint8_t> amounts(const Encoding& encoding) {
    std::vector<std::uint8_t> marks(encoding.vocabulary_size());
    for (std::size_t id = 0; id < marks.size(); ++id) marks[id] = encoding.is_amount(static_cast<Token>(id));
    return marks;
}

}  // namespace

TraceStream::TraceStream(const Encoding& encoding, const std::string& label, std::uint64_t seed,
                         bool constrained, const TraceLimits& limits, const SamplerOptions& sampling,
                         const PlanCalibration* calibration)
    : encoding_(encoding),
      prompt_(encoding.label_token(label)),
      end_(encoding.end_token()),
      limits_(limits),
      decoder_(encoding.decoder({label, stream_seed(seed, "decoder"), constrained, limits.continuous})),
      calibration_(calibration),
      questions_(calibration == nullptr || calibration->empty() ? nullptr : encoding.questions()),
      random_(stream_seed(seed, "tokens")),
      sampler_(sampling, encoding.vocabulary_size(), amounts(encoding)),
      history_(encoding.vocabulary_size(), sampling.repetition_window),
      start_ns_(random_start_ns(random_)) {
    history_.add(prompt_);
    if (questions_) questions_->accept(prompt_);
}

bool TraceStream::allowed(Token token) {
    const bool too_early = limits_.continuous || statistics_.packets == 0;
    return !(token == end_ && too_early) && decoder_->allowed(token);
}

Token TraceStream::choose(std::span<const float> logits) {
    const std::optional<Token> forced = decoder_->forced();
    if (forced && encoding_.is_context(*forced)) return *forced;
    if (const std::int64_t question = questions_ ? questions_->next() : -1; question >= 0) {
        calibrated_.assign(logits.begin(), logits.end());
        calibration_->apply(question, calibrated_);
        logits = calibrated_;
    }
    // Any other forced token is drawn all the same, to know what the model would have chosen.
    Sampler::Draw draw = sampler_.draw(
        logits, history_, random_, [&](Token token) { return forced ? token == *forced : allowed(token); });
    if (draw.token < 0) draw.token = end_;  // the decoder has come to its own end, however early
    ++statistics_.tokens;
    if (draw.first != draw.token && !decoder_->allowed(draw.first)) {
        ++statistics_.illegal_first_choices;
        draw.token = another_answer(draw, logits);
    }
    return draw.token;
}

Token TraceStream::another_answer(const Sampler::Draw& draw, std::span<const float> logits) {
    if (!encoding_.is_last_resort(draw.token)) return draw.token;
    const Token answer =
        sampler_
            .draw(logits, history_, random_,
                  [&](Token token) { return !encoding_.is_last_resort(token) && allowed(token); })
            .token;
    return answer < 0 ? draw.token : answer;
}

Token TraceStream::advance(std::span<const float> logits, const Sink& sink) {
    const Token token = choose(logits);
    ++tokens_;
    history_.add(token);
    if (questions_) questions_->accept(token);
    decoder_->accept(token);
    hand_out(sink);
    ended_ = ended_ || decoder_->ended() || (limits_.tokens > 0 && tokens_ >= limits_.tokens) ||
             tokens_ - tokens_at_packet_ >= max_tokens_a_packet;
    return token;
}

void TraceStream::hand_out(const Sink& sink) {
    while (!ended_) {
        const std::optional<DecodedPacket> packet = decoder_->next_packet();
        if (!packet) return;
        if (statistics_.packets == 0) first_ns_ = packet->time_ns;
        const std::int64_t since_ns = packet->time_ns - first_ns_;
        if (limits_.seconds > 0 && static_cast<double>(since_ns) > limits_.seconds * 1e9) {
            ended_ = true;
            return;
        }
        tokens_at_packet_ = tokens_;
        PacketView view;
        view.time_ns = start_ns_ + since_ns;
        view.original_length = packet->original_length;
        view.frame = ++statistics_.packets;
        view.bytes = packet->bytes;
        sink(view);
        ended_ = limits_.packets > 0 && statistics_.packets >= limits_.packets;
    }
}

}  // namespace tracebench::ssm
