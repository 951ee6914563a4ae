#pragma once
/// Membership inference: can an attacker who has the synthetic samples (or the model) tell training samples
/// from others? Training flows or sessions are the members, held-out ones the others.

#include <vector>

#include "metrics/privacy/finding.h"
#include "metrics/privacy/roc.h"

namespace tracebench {

/// Scores of all that one attack judges, in any order.
struct Attack {
    std::string name;
    std::vector<Judged> judged;
    std::size_t synthetic = 0;  ///< flows that it looked at; 0: it asked the model
    std::string impossible;     ///< why there are no scores
};

/// The attacks that need no more than the samples:
/// - `distance`: minus the distance to the nearest synthetic flow. Chen et al. (GAN-Leaks), CCS 2020.
/// - `sequence`: the greatest estimated Jaccard index with a synthetic flow; flows of min_copy_packets or
///   more.
/// - `density_ratio`: the logarithm of distance to the nearest reference flow over distance to the nearest
///   synthetic flow, the ratio of densities as estimated by one neighbour: what is usual is no sign of
///   membership. van Breugel et al. (DOMIAS), AISTATS 2023. The reference is one half of the held-out
///   sessions for the other half, and for members either half in turn.
/// - `session`: the mean of a session's `density_ratio`.
std::vector<Attack> sample_attacks(const PrivacyComparison& comparison);

/// The model's own loss on samples it was fitted on and on others: the lower, the more likely a member.
/// Yeom et al., "Privacy risk in machine learning", CSF 2018. Infinite losses are allowed.
Attack loss_attack(const PrivacyComparison& comparison, const ModelLosses* losses);

/// `privacy.membership_auc` and `privacy.membership_tpr` (at 1% false positives; Carlini et al., "Membership
/// inference attacks from first principles", S&P 2022), group: the attack. Floors 0.5 and what guessing
/// finds among as many others, (floor(0.01 m) + 1) / (m + 1). Intervals from resamples of training and of
/// held-out sessions; none of the rate's excess with fewer than 100 others.
std::vector<Finding> judge_attack(Attack attack, const PrivacyComparison& comparison);

/// All of them.
Findings measure_membership(const PrivacyComparison& comparison, const ModelLosses* losses);

}  // namespace tracebench
