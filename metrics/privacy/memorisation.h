#pragma once
/// How much of the training data synthetic samples give away.

#include <optional>
#include <vector>

#include "metrics/privacy/flow_records.h"
#include "metrics/resampling.h"

namespace tracebench {

/// A share with its two counts; nothing to divide by is no share.
struct Share {
    std::size_t part = 0, whole = 0;
    std::optional<double> rate() const {
        if (whole == 0) return std::nullopt;
        return static_cast<double>(part) / static_cast<double>(whole);
    }
};

/// Flows of at least this many packets are compared as sequences: shorter ones coincide by nature.
inline constexpr std::size_t min_copy_packets = 5;

/// Of `flows` with min_copy_packets or more, those whose sequence of (direction, length, flags) is one of
/// `train`.
Share exact_copies(const std::vector<FlowRecord>& flows, const std::vector<FlowRecord>& train);

/// Of the identifiers in `synthetic`, those that are in `train` too.
Share leaked(const std::set<std::string>& synthetic, const std::set<std::string>& train);

struct Proximity {
    /// Median distance of synthetic flows to the nearest training flow over that to the nearest held-out
    /// flow, among equally many of either: 1 where synthetic flows are no closer to what was learned from.
    double distance_ratio = 0;
    /// Membership inference by distance: training flows (members) against held-out ones, each scored by how
    /// near its nearest synthetic flow is. Area under the ROC curve, 0.5: nothing to be learned.
    /// Yeom et al., "Privacy risk in machine learning", CSF 2018; Chen et al., "GAN-Leaks", CCS 2020.
    double auc = 0;
    std::vector<double> auc_replicates;  ///< on session-level resamples of members and non-members
    /// Share of members found when 1% of non-members are taken for members.
    /// Carlini et al., "Membership inference attacks from first principles", S&P 2022.
    double tpr_at_1pct_fpr = 0;
    std::size_t members = 0, non_members = 0, synthetic = 0;  ///< flows compared
};

struct ProximityOptions {
    std::size_t max_flows = 2000;  ///< of either side; more are thinned at random
    std::size_t bootstrap = 200;
    std::uint64_t seed = 1;
};

/// Distances are Euclidean over flow features, each scaled by its spread among train and held-out flows.
/// Nothing where a side has no flow.
std::optional<Proximity> measure_proximity(const PrivacyView& train, const PrivacyView& heldout,
                                           const PrivacyView& synthetic, const ProximityOptions& options);

}  // namespace tracebench
