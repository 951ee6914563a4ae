#include "metrics/privacy/copies.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "metrics/details.h"

namespace tracebench {
namespace {

constexpr std::size_t max_symbols = 400'000;  // of training flows that runs are looked up in
constexpr const char* no_flows = "no synthetic flow has five packets or more";

std::string key_of(const FlowRecord& flow) {
    return {reinterpret_cast<const char*>(flow.sequence.data()),
            flow.sequence.size() * sizeof(flow.sequence.front())};
}

SessionShare at_least(double threshold, const Flows& flows, const std::vector<double>& similarity,
                      std::size_t sessions) {
    SessionShare share(sessions);
    for (std::size_t i = 0; i < flows.size(); ++i)
        share.add(flows[i]->session, similarity[i] >= threshold ? 1 : 0);
    return share;
}

SharedRuns index_runs(const Flows& flows, Random& random) {
    // Whole flows are left out at random until the rest fits.
    Flows order = flows;
    random.shuffle(order);
    std::vector<std::span<const std::uint32_t>> sequences;
    std::size_t symbols = 0;
    for (const FlowRecord* flow : order) {
        if (symbols + flow->sequence.size() > max_symbols) continue;
        symbols += flow->sequence.size();
        sequences.emplace_back(flow->sequence);
    }
    return SharedRuns(sequences);
}

struct Runs {
    SessionShare share;
    std::size_t longest = 0;
};

Runs runs_of(const Flows& flows, const SharedRuns& known, std::size_t sessions) {
    Runs runs{SessionShare(sessions), 0};
    for (const FlowRecord* flow : flows) {
        const std::size_t length = known.longest_in(flow->sequence);
        runs.longest = std::max(runs.longest, length);
        const std::size_t most = std::min(flow->sequence.size(), SharedRuns::longest);
        runs.share.add(flow->session, static_cast<double>(length) / static_cast<double>(most));
    }
    return runs;
}

class CopyMeasure {
  public:
    explicit CopyMeasure(const PrivacyComparison& comparison)
        : c_(comparison),
          real_random_(stream_seed(c_.real_seed, "privacy/copies")),
          random_(stream_seed(c_.synthetic_seed, "privacy/copies")),
          all_train_(sequence_flows(c_.train)),
          train_(thinned(all_train_, c_.max_flows, real_random_)),
          heldout_(thinned(sequence_flows(c_.heldout), c_.max_flows, real_random_)),
          synthetic_(thinned(sequence_flows(c_.synthetic), c_.max_flows, random_)) {}

    Findings measure() {
        add_exact();
        add_near();
        add_runs();
        add_extraction();
        return std::move(findings_);
    }

  private:
    void add(const std::string& metric, const std::string& group, const SessionShare& synthetic,
             const SessionShare& heldout) {
        MetricValue value = privacy_value(metric, group);
        value.n_real = heldout_.size();
        value.n_synthetic = synthetic_.size();
        findings_.list.push_back(
            share_finding(std::move(value), {synthetic, c_.synthetic.labels, c_.synthetic_seed},
                          {heldout, c_.heldout.labels, c_.real_seed}, c_.bootstrap, no_flows));
    }

    void add_exact() {
        add("copy_rate", "", exact_copies(synthetic_, all_train_, c_.synthetic.sessions()),
            exact_copies(heldout_, all_train_, c_.heldout.sessions()));
    }

    void add_near() {
        const BestMatches of_synthetic = best_matches(synthetic_, train_),
                          of_heldout = best_matches(heldout_, train_);
        for (const auto& [threshold, name] : {std::pair{near_copy, "0.9"}, std::pair{similar_flow, "0.7"}})
            add("near_copy_rate", name,
                at_least(threshold, synthetic_, of_synthetic.left, c_.synthetic.sessions()),
                at_least(threshold, heldout_, of_heldout.left, c_.heldout.sessions()));
    }

    void add_runs() {
        const SharedRuns known = index_runs(train_, real_random_);
        const Runs synthetic = runs_of(synthetic_, known, c_.synthetic.sessions()),
                   heldout = runs_of(heldout_, known, c_.heldout.sessions());
        add("shared_run", "", synthetic.share, heldout.share);
        Finding longest{privacy_value("longest_run", ""), {}, {}};
        longest.value.unit = "packets";
        longest.value.n_real = heldout_.size();
        longest.value.n_synthetic = synthetic_.size();
        longest.value.value = static_cast<double>(synthetic.longest);
        if (!heldout_.empty()) longest.value.floor = static_cast<double>(heldout.longest);
        if (synthetic_.empty()) longest.value.skipped = no_flows;
        findings_.list.push_back(std::move(longest));
    }

    SessionShare extracted(const Flows& from, bool exact) const {
        return exact ? exact_copies(train_, from, c_.train.sessions())
                     : at_least(near_copy, train_, best_matches(from, train_).right, c_.train.sessions());
    }

    void add_extraction() {
        // The more flows there are, the more of the training flows are among them by chance.
        const std::size_t equal =
            heldout_.empty() ? synthetic_.size() : std::min(synthetic_.size(), heldout_.size());
        const Flows from = thinned(synthetic_, equal, random_),
                    natural = thinned(heldout_, equal, real_random_);
        nlohmann::json curve = nlohmann::json::array();
        for (const double part : {0.1, 0.25, 0.5, 1.0}) {
            const auto flows = static_cast<std::size_t>(part * static_cast<double>(synthetic_.size()));
            const Flows some = thinned(synthetic_, flows, random_);
            nlohmann::json point = {{"flows", some.size()}};
            for (const bool exact : {true, false})
                point[exact ? "exact" : "near"] = rounded(extracted(some, exact).rate().value_or(0));
            curve.push_back(std::move(point));
        }
        if (!synthetic_.empty() && !train_.empty()) findings_.details["extraction"] = std::move(curve);
        for (const bool exact : {true, false}) {
            // The same resamples of training sessions on both sides: they are paired.
            const SessionShare reproduced = extracted(from, exact),
                               by_chance = heldout_.empty() ? SessionShare(c_.train.sessions())
                                                            : extracted(natural, exact);
            MetricValue value = privacy_value("extracted_flows", exact ? "exact" : "near");
            value.n_real = train_.size();
            value.n_synthetic = from.size();
            findings_.list.push_back(
                share_finding(std::move(value), {reproduced, c_.train.labels, c_.train_seed()},
                              {by_chance, c_.train.labels, c_.train_seed()}, c_.bootstrap,
                              "no training flow has five packets or more"));
            if (from.empty()) findings_.list.back().value.skipped = no_flows;
        }
    }

    const PrivacyComparison& c_;
    Random real_random_, random_;
    Flows all_train_, train_, heldout_, synthetic_;
    Findings findings_;
};

}  // namespace

SessionShare exact_copies(const Flows& flows, const Flows& known, std::size_t sessions) {
    std::unordered_set<std::string> sequences;
    for (const FlowRecord* flow : known)
        if (flow->is_sequence()) sequences.insert(key_of(*flow));
    SessionShare share(sessions);
    for (const FlowRecord* flow : flows)
        if (flow->is_sequence()) share.add(flow->session, sequences.contains(key_of(*flow)) ? 1 : 0);
    return share;
}

BestMatches best_matches(const Flows& left, const Flows& right) {
    BestMatches best{std::vector<double>(left.size()), std::vector<double>(right.size())};
    for (std::size_t i = 0; i < left.size(); ++i) {
        for (std::size_t j = 0; j < right.size(); ++j) {
            const double similarity = estimated_jaccard(left[i]->signature, right[j]->signature);
            best.left[i] = std::max(best.left[i], similarity);
            best.right[j] = std::max(best.right[j], similarity);
        }
    }
    return best;
}

Findings measure_copies(const PrivacyComparison& comparison) {
    return CopyMeasure(comparison).measure();
}

}  // namespace tracebench
