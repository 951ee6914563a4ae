#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/random.h"
#include "datasets/dataset.h"

namespace tracebench {
namespace {

/// round(fraction * n), with at least one on either side where there are two or more.
std::size_t train_count(std::size_t n, double fraction) {
    const auto wanted = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(n)));
    return n < 2 ? wanted : std::clamp<std::size_t>(wanted, 1, n - 1);
}

}  // namespace

Split split_by_session(const Dataset& dataset, double train_fraction, std::uint64_t seed) {
    // A session with several labels (one capture, many applications) must stay on one side as a whole, so
    // sessions are assigned in one pass: rarest class first, each session once.
    std::map<std::string, std::map<std::string, std::vector<std::size_t>>> by_label;  // label -> session -> samples
    for (std::size_t i = 0; i < dataset.samples.size(); ++i)
        by_label[dataset.samples[i].label][dataset.samples[i].session].push_back(i);
    std::vector<std::string> order = dataset.labels;
    std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
        return by_label[a].size() < by_label[b].size();
    });

    Split split;
    std::map<std::string, bool> in_train;  // sessions decided so far
    std::set<std::size_t> cut;             // samples of single-session classes, decided by themselves
    for (const std::string& label : order) {
        auto& sessions = by_label[label];
        Random random(stream_seed(seed, "split/" + label));
        if (sessions.size() == 1) {
            auto& samples = sessions.begin()->second;
            const std::size_t keep = train_count(samples.size(), train_fraction);
            for (std::size_t i = 0; i < samples.size(); ++i) {
                (i < keep ? split.train : split.heldout).push_back(samples[i]);
                cut.insert(samples[i]);
            }
            split.warnings.push_back(fmt::format(
                "class '{}' comes from one capture ({}): its {} samples are split inside it, which flatters "
                "every generator and classifier",
                label, sessions.begin()->first, samples.size()));
            continue;
        }
        std::vector<std::string> free;
        std::size_t train_already = 0;
        for (const auto& [session, samples] : sessions) {
            const auto decided = in_train.find(session);
            if (decided == in_train.end()) free.push_back(session);
            else train_already += decided->second ? 1 : 0;
        }
        random.shuffle(free);
        const std::size_t wanted = train_count(sessions.size(), train_fraction);
        const std::size_t more = wanted > train_already ? wanted - train_already : 0;
        for (std::size_t i = 0; i < free.size(); ++i) in_train[free[i]] = i < more;
    }
    for (std::size_t i = 0; i < dataset.samples.size(); ++i)
        if (!cut.contains(i)) (in_train[dataset.samples[i].session] ? split.train : split.heldout).push_back(i);
    std::sort(split.train.begin(), split.train.end());
    std::sort(split.heldout.begin(), split.heldout.end());
    return split;
}

}  // namespace tracebench
