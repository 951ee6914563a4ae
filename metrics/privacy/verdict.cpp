#include "metrics/privacy/verdict.h"

#include <algorithm>
#include <array>

namespace tracebench {
namespace {

PrivacyLevel level_of(const Finding& finding, const PrivacyThreshold& threshold) {
    if (!finding.excess || !finding.excess_interval) return PrivacyLevel::unknown;
    if (finding.excess_interval->low <= 0 || *finding.excess < threshold.medium) return PrivacyLevel::low;
    const bool high = *finding.excess >= threshold.high && finding.excess_interval->low >= threshold.medium;
    return high ? PrivacyLevel::high : PrivacyLevel::medium;
}

bool applies(const PrivacyThreshold& threshold, const MetricValue& value) {
    return value.metric == "privacy." + std::string(threshold.metric) &&
           (threshold.group.empty() || value.group == threshold.group);
}

}  // namespace

const char* privacy_level_name(PrivacyLevel level) {
    constexpr std::array<const char*, 4> names = {"unknown", "low", "medium", "high"};
    return names[static_cast<std::size_t>(level)];
}

const std::vector<PrivacyThreshold>& privacy_thresholds() {
    // Client ports are not among them: there are so few that a port alone names nobody.
    static const std::vector<PrivacyThreshold> thresholds = {
        {"copies", "copy_rate", "", 0.01, 0.1},
        {"copies", "near_copy_rate", "0.9", 0.01, 0.1},
        {"copies", "extracted_flows", "", 0.01, 0.1},
        {"membership", "membership_auc", "distance", 0.05, 0.2},
        {"membership", "membership_auc", "sequence", 0.05, 0.2},
        {"membership", "membership_auc", "density_ratio", 0.05, 0.2},
        {"membership", "membership_auc", "session", 0.05, 0.2},
        {"membership", "membership_tpr", "distance", 0.05, 0.2},
        {"membership", "membership_tpr", "sequence", 0.05, 0.2},
        {"membership", "membership_tpr", "density_ratio", 0.05, 0.2},
        {"membership", "membership_tpr", "session", 0.05, 0.2},
        {"membership", "dcr_share", "", 0.05, 0.2},
        {"model", "membership_auc", "loss", 0.05, 0.2},
        {"model", "membership_tpr", "loss", 0.05, 0.2},
        {"identifiers", "leaked_identifiers", "addresses", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "macs", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "endpoints", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "connections", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "server_names", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "dns_names", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "http_hosts", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "tcp_timestamps", 0.01, 0.1},
        {"identifiers", "leaked_identifiers", "initial_sequences", 0.01, 0.1},
        {"identifiers", "verbatim_payload", "", 0.01, 0.1},
    };
    return thresholds;
}

std::vector<PrivacyVerdict> privacy_verdicts(const std::vector<Finding>& findings) {
    std::vector<PrivacyVerdict> verdicts;
    for (const PrivacyThreshold& threshold : privacy_thresholds()) {
        if (verdicts.empty() || verdicts.back().area != threshold.area)
            verdicts.emplace_back().area = threshold.area;
        PrivacyVerdict& verdict = verdicts.back();
        for (const Finding& finding : findings) {
            if (!applies(threshold, finding.value)) continue;
            const PrivacyLevel level = level_of(finding, threshold);
            const bool decides =
                level > verdict.level || (level == verdict.level && level != PrivacyLevel::unknown &&
                                          *finding.excess > verdict.excess);
            if (decides)
                verdict = {verdict.area, level, finding.value.metric, finding.value.group, *finding.excess};
        }
    }
    return verdicts;
}

}  // namespace tracebench
