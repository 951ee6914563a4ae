#include "metrics/privacy/membership.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "metrics/privacy/copies.h"
#include "metrics/privacy/neighbours.h"

namespace tracebench {
namespace {

constexpr double allowed_false_positives = 0.01;
/// In deviations: keeps identical flows from deciding alone, whatever they are compared with.
constexpr double least_distance = 1e-3;

void judge(Attack& attack, const Flows& flows, const std::vector<double>& scores, bool member) {
    for (std::size_t i = 0; i < flows.size(); ++i)
        attack.judged.push_back({scores[i], member, flows[i]->session});
}

std::vector<double> nearest_distances(const Points& from, const Points& to) {
    std::vector<double> distances;
    for (const auto& pair : nearest_two(from, to)) distances.push_back(pair[0]);
    return distances;
}

class AttackMeasure {
  public:
    explicit AttackMeasure(const PrivacyComparison& comparison) : c_(comparison) {
        Random real_random(stream_seed(c_.real_seed, "privacy/membership")),
            random(stream_seed(c_.synthetic_seed, "privacy/membership"));
        const auto pick = [&](Flows (*of)(const PrivacyView&)) {
            return Sides{thinned(of(c_.train), c_.max_flows, real_random),
                         thinned(of(c_.heldout), c_.max_flows, real_random),
                         thinned(of(c_.synthetic), c_.max_flows, random)};
        };
        all_ = pick(all_flows);
        sequences_ = pick(sequence_flows);
        heldout_half_ = random_halves(c_.heldout.labels, real_random);
        train_half_ = random_halves(c_.train.labels, real_random);
    }

    std::vector<Attack> attacks() {
        Attack distance{"distance", {}, all_.synthetic.size(), {}},
            ratio{"density_ratio", {}, all_.synthetic.size(), {}};
        if (all_.any_empty()) {
            distance.impossible = ratio.impossible = "no flows in train, held-out or synthetic samples";
        } else {
            const FeatureScaling scaling({&all_.train, &all_.heldout});
            const Points synthetic = scaling.apply(all_.synthetic);
            const std::vector<double> members = nearest_distances(scaling.apply(all_.train), synthetic),
                                      others = nearest_distances(scaling.apply(all_.heldout), synthetic);
            judge_by_distance(distance, all_.train, members, true);
            judge_by_distance(distance, all_.heldout, others, false);
            judge_by_ratio(ratio, scaling, members, others);
        }
        Attack session = by_session(ratio);
        return {std::move(distance), by_sequence(), std::move(ratio), std::move(session)};
    }

  private:
    struct Sides {
        Flows train, heldout, synthetic;
        bool any_empty() const { return train.empty() || heldout.empty() || synthetic.empty(); }
    };

    static void judge_by_distance(Attack& attack, const Flows& flows, std::vector<double> distances,
                                  bool member) {
        for (double& distance : distances) distance = -distance;
        judge(attack, flows, distances, member);
    }

    /// The part of `flows` that is judged by the half `reference` of the held-out sessions.
    static Flows judged_by(std::uint8_t reference, const Flows& flows,
                           const std::vector<std::uint8_t>& halves) {
        Flows part;
        for (const FlowRecord* flow : flows)
            if (halves[flow->session] != reference) part.push_back(flow);
        return part;
    }

    void judge_by_ratio(Attack& attack, const FeatureScaling& scaling, const std::vector<double>& members,
                        const std::vector<double>& others) {
        for (const std::uint8_t reference : {0, 1}) {
            const Points open = scaling.apply(judged_by(reference ^ 1, all_.heldout, heldout_half_));
            if (open.empty()) {
                attack.judged.clear();
                attack.impossible = "too few held-out sessions to set some aside as reference";
                return;
            }
            const auto add = [&](const Flows& flows, const std::vector<double>& to_synthetic,
                                 const std::vector<std::uint8_t>& halves, bool member) {
                const Flows part = judged_by(reference, flows, halves);
                const std::vector<double> to_reference = nearest_distances(scaling.apply(part), open);
                std::vector<double> scores;
                for (std::size_t i = 0; i < flows.size(); ++i)
                    if (halves[flows[i]->session] != reference)
                        scores.push_back(std::log((to_reference[scores.size()] + least_distance) /
                                                  (to_synthetic[i] + least_distance)));
                judge(attack, part, scores, member);
            };
            add(all_.train, members, train_half_, true);
            add(all_.heldout, others, heldout_half_, false);
        }
    }

    Attack by_sequence() const {
        Attack attack{"sequence", {}, sequences_.synthetic.size(), {}};
        if (sequences_.any_empty()) {
            attack.impossible = "no flow has five packets or more in train, held-out or synthetic samples";
            return attack;
        }
        judge(attack, sequences_.train, best_matches(sequences_.synthetic, sequences_.train).right, true);
        judge(attack, sequences_.heldout, best_matches(sequences_.synthetic, sequences_.heldout).right,
              false);
        return attack;
    }

    static Attack by_session(const Attack& flows) {
        Attack attack{"session", {}, flows.synthetic, flows.impossible};
        std::map<std::pair<bool, std::uint32_t>, std::pair<double, double>> sums;
        for (const Judged& judged : flows.judged) {
            auto& [sum, count] = sums[{judged.member, judged.session}];
            sum += judged.score;
            ++count;
        }
        for (const auto& [who, sum] : sums)
            attack.judged.push_back({sum.first / sum.second, who.first, who.second});
        return attack;
    }

    const PrivacyComparison& c_;
    Sides all_, sequences_;
    std::vector<std::uint8_t> heldout_half_, train_half_;
};

/// What guessing finds among as many others: with k of m false positives allowed, members rank above the
/// (k + 1)th of the others as often as those do among themselves, (k + 1) / (m + 1).
double guessed_rate(std::size_t others) {
    const double allowed = std::floor(allowed_false_positives * static_cast<double>(others));
    return (allowed + 1) / (static_cast<double>(others) + 1);
}

Finding membership_value(const std::string& metric, double floor, const Attack& attack) {
    Finding finding{privacy_value(metric, attack.name), {}, {}};
    finding.value.floor = floor;
    finding.value.n_real = attack.judged.size();
    finding.value.n_synthetic = attack.synthetic;
    finding.value.skipped = attack.impossible;
    return finding;
}

}  // namespace

std::vector<Attack> sample_attacks(const PrivacyComparison& comparison) {
    return AttackMeasure(comparison).attacks();
}

Attack loss_attack(const PrivacyComparison& comparison, const ModelLosses* losses) {
    Attack attack{"loss", {}, 0, {}};
    if (losses == nullptr || losses->train.size() != comparison.train.sessions() ||
        losses->heldout.size() != comparison.heldout.sessions()) {
        attack.impossible = losses == nullptr ? "the generator does not tell its losses"
                                              : "the generator's losses are of other samples";
        return attack;
    }
    const auto add = [&](const std::vector<double>& nats, bool member) {
        for (std::size_t s = 0; s < nats.size(); ++s)
            if (!std::isnan(nats[s]))
                attack.judged.push_back({-nats[s], member, static_cast<std::uint32_t>(s)});
    };
    add(losses->train, true);
    add(losses->heldout, false);
    return attack;
}

std::vector<Finding> judge_attack(Attack attack, const PrivacyComparison& comparison) {
    sort_by_score(attack.judged);
    std::vector<double> members(comparison.train.sessions(), 1.0), others(comparison.heldout.sessions(), 1.0);
    const double auc = area_under_curve(attack.judged, members, others);
    if (attack.impossible.empty() && std::isnan(auc))
        attack.impossible = "no member or no other sample can be judged";
    const auto non_members = static_cast<std::size_t>(std::count_if(
        attack.judged.begin(), attack.judged.end(), [](const Judged& judged) { return !judged.member; }));
    std::vector<Finding> findings = {membership_value("membership_auc", 0.5, attack),
                                     membership_value("membership_tpr", guessed_rate(non_members), attack)};
    if (!attack.impossible.empty()) return findings;
    const double rate = true_positive_rate(attack.judged, allowed_false_positives, members, others);
    const Bootstrap of_members(comparison.train.labels), of_others(comparison.heldout.labels);
    std::vector<double> areas, rates;
    Random member_random(comparison.train_seed()), other_random(comparison.real_seed);
    const bool possible = of_members.possible() && of_others.possible();
    for (std::size_t i = 0; possible && i < comparison.bootstrap; ++i) {
        of_members.draw(member_random, members);
        of_others.draw(other_random, others);
        areas.push_back(area_under_curve(attack.judged, members, others));
        rates.push_back(true_positive_rate(attack.judged, allowed_false_positives, members, others));
    }
    const double stretch = std::max(of_members.stretch(), of_others.stretch());
    const auto finish = [&](Finding& finding, double value, std::vector<double> replicates) {
        finding.value.value = value;
        const bool defined = std::none_of(replicates.begin(), replicates.end(),
                                          [](double replicate) { return std::isnan(replicate); });
        if (defined) finding.value.replicates = recentred(std::move(replicates), value, stretch, {0, 1});
        compare_with_known_floor(finding);
    };
    finish(findings[0], auc, std::move(areas));
    finish(findings[1], rate, std::move(rates));
    // Of fewer there is no hundredth: the rate hangs on the one that ranks highest.
    if (static_cast<double>(non_members) * allowed_false_positives < 1) findings[1].excess_interval.reset();
    return findings;
}

Findings measure_membership(const PrivacyComparison& comparison, const ModelLosses* losses) {
    std::vector<Attack> attacks = sample_attacks(comparison);
    attacks.push_back(loss_attack(comparison, losses));
    Findings findings;
    for (Attack& attack : attacks) {
        std::vector<Finding> judged = judge_attack(std::move(attack), comparison);
        std::move(judged.begin(), judged.end(), std::back_inserter(findings.list));
    }
    return findings;
}

}  // namespace tracebench
