#pragma once
/// One trace while it is generated: the model's logits go in, tokens and packets come out.

#include <functional>
#include <memory>
#include <string>

#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/generation/plan_calibration.h"
#include "generators/ssm/generation/sampler.h"
#include "traffic/packet.h"

namespace tracebench::ssm {

/// Where a trace ends unless the model ends it before; 0: no such limit.
struct TraceLimits {
    std::uint64_t packets = 0;
    std::uint64_t tokens = 0;
    double seconds = 0;       ///< of traffic, from the first packet on
    bool continuous = false;  ///< the model may not end it: it goes on to the limit
};

struct SamplingStatistics {
    std::uint64_t tokens = 0;   ///< that the model chose
    std::uint64_t packets = 0;  ///< that came of them
    /// First choices that the decoder did not allow. A trace that may not end yet does not count as one.
    std::uint64_t illegal_first_choices = 0;

    void add(const SamplingStatistics& other) {
        tokens += other.tokens;
        packets += other.packets;
        illegal_first_choices += other.illegal_first_choices;
    }
};

class TraceStream {
  public:
    using Sink = std::function<void(const PacketView&)>;  ///< the view is valid during the call

    /// The encoding must outlive it, and so must `calibration` (null: none). `seed` decides everything:
    /// tokens, what the decoder chooses, when the trace starts. Throws InputError for an unknown label.
    TraceStream(const Encoding& encoding, const std::string& label, std::uint64_t seed, bool constrained,
                const TraceLimits& limits, const SamplerOptions& sampling,
                const PlanCalibration* calibration = nullptr);

    /// What the model is fed first.
    Token prompt() const { return prompt_; }
    /// Draws the next token and hands out the packets that it finishes. Requires !ended().
    Token advance(std::span<const float> logits, const Sink& sink);
    /// The model or a limit ended it, or no packet was finished for very long.
    bool ended() const { return ended_; }
    const SamplingStatistics& statistics() const { return statistics_; }

  private:
    Token choose(std::span<const float> logits);
    /// What was drawn in place of a first choice that was refused, or another where that is a last resort.
    Token another_answer(const Sampler::Draw& draw, std::span<const float> logits);
    bool allowed(Token token);
    void hand_out(const Sink& sink);

    const Encoding& encoding_;
    const Token prompt_, end_;
    const TraceLimits limits_;
    std::unique_ptr<TraceDecoder> decoder_;
    const PlanCalibration* calibration_;
    std::unique_ptr<QuestionTracker> questions_;  ///< null where nothing is calibrated
    std::vector<float> calibrated_;
    Random random_;
    Sampler sampler_;
    TokenHistory history_;
    std::int64_t start_ns_, first_ns_ = 0;
    std::uint64_t tokens_ = 0, tokens_at_packet_ = 0;  // context included
    SamplingStatistics statistics_;
    bool ended_ = false;
};

}  // namespace tracebench::ssm
