#pragma once
/// Which of the plan's questions is answered next in a stream of tokens, and of what kind of flow.

#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/encoding/fields/vocabulary.h"

namespace tracebench::ssm {

/// Questions: how many flows a session has, by label; what protocol a flow is of, by label; who talks, by
/// label and protocol; how many packets it has and how it ends, by label, protocol and service (the known
/// port of its destination, else of its source). Well-formed streams only; no state of flows is kept.
class PlanQuestions : public QuestionTracker {
  public:
    explicit PlanQuestions(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

    void accept(Token token) override;
    std::int64_t next() const override;

  private:
    /// What follows an item of an opening; nothing after its last.
    std::optional<Item> after(Item item) const;

    const Vocabulary& vocabulary_;
    std::optional<Item> next_;
    int topic_ = 0, kind_ = 0, service_ = 0;
    int bytes_ = 0;  ///< of the last item, still to come
};

}  // namespace tracebench::ssm
