#pragma once
/// Answers to the plan's questions as often as in training.
///
/// A model that was trained on few sessions spreads its belief over answers that never occur: how many flows
/// a session of this label has, how many packets a flow to this port. Each question is asked once a session
/// or flow and decides about hundreds of packets. So where the model answers one, its probabilities are
/// multiplied by how often the answer is given in training over how often the model expects it there: the
/// correction of a classifier to known class frequencies (Saerens, Latinne and Decaestecker, Neural
/// Computation 14, 2002, equation 2.4), which leaves the model to decide when to give which answer.

#include <map>
#include <span>
#include <vector>

#include "base/progress.h"
#include "generators/checked_json.h"
#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm {

class PlanCalibration {
  public:
    /// Reads the sequences (an encoding's, complete) through the model, `rows` at once. A question that was
    /// asked n times keeps 1 / (n + 1) of the model's own belief, for answers that might have been given the
    /// next time. Questions that `sequences` do not ask keep what was known of them. Throws Interrupted.
    void learn(SequenceModel& model, const Encoding& encoding,
               const std::vector<std::span<const Token>>& sequences, std::int64_t rows, Progress& progress);

    /// Adds to the logits of the answers to this question; nothing where it was never asked.
    void apply(std::int64_t question, std::span<float> logits) const;
    bool empty() const { return questions_.empty(); }
    std::size_t questions() const { return questions_.size(); }

    nlohmann::json to_json() const;
    /// Throws InputError: tokens outside the vocabulary, factors that are not finite.
    static PlanCalibration from_json(const CheckedJson& json, std::size_t vocabulary);

  private:
    struct Answer {
        Token token = 0;
        float log_factor = 0;
    };
    std::map<std::int64_t, std::vector<Answer>> questions_;
};

}  // namespace tracebench::ssm
