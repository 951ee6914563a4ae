#include "metrics/privacy/leakage.h"

#include <algorithm>

#include "base/error.h"
#include "metrics/privacy/flow_selection.h"

namespace tracebench {
namespace {

constexpr std::size_t max_examples = 8, max_example_bytes = 80;

/// Of the sessions that `counts` says, all there is of one kind.
template <typename Counts>
std::set<std::string> gather(const PrivacyView& view, std::size_t kind, const Counts& counts) {
    std::set<std::string> all;
    for (std::size_t s = 0; s < view.sessions(); ++s)
        if (counts(s)) all.insert(view.identifiers[s][kind].begin(), view.identifiers[s][kind].end());
    return all;
}

constexpr auto every = [](std::size_t) { return true; };

std::set<std::string> without(std::set<std::string> names, const std::set<std::string>& known) {
    std::erase_if(names, [&](const std::string& name) { return known.contains(name); });
    return names;
}

template <typename Counts>
void count_leaks(const PrivacyView& view, std::size_t kind, const Counts& counts,
                 const std::set<std::string>& secrets, SessionShare& share) {
    for (std::size_t s = 0; s < view.sessions(); ++s) {
        if (!counts(s)) continue;
        for (const std::string& name : view.identifiers[s][kind])
            share.add(static_cast<std::uint32_t>(s), secrets.contains(name) ? 1 : 0);
    }
}

/// Hashes of runs of payload, ascending.
using Windows = std::vector<std::uint64_t>;

template <typename Counts>
Windows gather_windows(const PrivacyView& view, const Counts& counts) {
    Windows windows;
    for (const FlowRecord& flow : view.flows)
        if (counts(flow.session))
            windows.insert(windows.end(), flow.payload_windows.begin(), flow.payload_windows.end());
    std::sort(windows.begin(), windows.end());
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    return windows;
}

bool contains(const Windows& windows, std::uint64_t window) {
    return std::binary_search(windows.begin(), windows.end(), window);
}

/// Counts flows with payload, and those with a window that is in `known` but not in `open`. Returns the
/// longest run of such windows, in bytes.
template <typename Counts>
std::size_t count_verbatim(const PrivacyView& view, const Counts& counts, const Windows& known,
                           const Windows& open, SessionShare& share) {
    std::size_t longest = 0;
    for (const FlowRecord& flow : view.flows) {
        if (!counts(flow.session)) continue;
        std::size_t run = 0, best = 0;
        bool payload = false;
        for (const std::uint64_t window : flow.payload_windows) {
            payload = payload || window != 0;
            run = window != 0 && contains(known, window) && !contains(open, window) ? run + 1 : 0;
            best = std::max(best, run);
        }
        if (payload) share.add(flow.session, best > 0 ? 1 : 0);
        longest = std::max(longest, best == 0 ? 0 : best + payload_window - 1);
    }
    return longest;
}

class LeakageMeasure {
  public:
    explicit LeakageMeasure(const PrivacyComparison& comparison) : c_(comparison) {
        Random random(stream_seed(c_.real_seed, "privacy/halves"));
        halves_ = random_halves(c_.heldout.labels, random);
    }

    Findings measure() {
        findings_.details["leaks"] = nlohmann::json::object();
        for (std::size_t kind = 0; kind < identifier_kinds; ++kind) add_kind(kind);
        add_payload();
        return std::move(findings_);
    }

  private:
    auto half(std::uint8_t wanted) const {
        return [this, wanted](std::size_t session) { return halves_[session] == wanted; };
    }
    bool has_floor() const { return c_.heldout.sessions() >= 2; }

    void add(MetricValue value, const SessionShare& synthetic, const SessionShare& natural,
             const std::string& why_none) {
        value.n_synthetic = static_cast<std::size_t>(synthetic.whole());
        value.n_real = static_cast<std::size_t>(natural.whole());
        findings_.list.push_back(
            share_finding(std::move(value), {synthetic, c_.synthetic.labels, c_.synthetic_seed},
                          {natural, c_.heldout.labels, c_.real_seed}, c_.bootstrap, why_none));
    }

    void add_kind(std::size_t kind) {
        const std::string name = identifier_kind_name(static_cast<IdentifierKind>(kind));
        const std::set<std::string> train = gather(c_.train, kind, every);
        const std::set<std::string> secrets = without(train, gather(c_.heldout, kind, every));
        SessionShare leaked(c_.synthetic.sessions()), natural(c_.heldout.sessions());
        count_leaks(c_.synthetic, kind, every, secrets, leaked);
        if (has_floor())
            for (const std::uint8_t open : {0, 1})
                count_leaks(c_.heldout, kind, half(open ^ 1),
                            without(train, gather(c_.heldout, kind, half(open))), natural);
        add(privacy_value("leaked_identifiers", name), leaked, natural, "synthetic samples have none");

        const std::set<std::string> published = gather(c_.synthetic, kind, every);
        nlohmann::json examples = nlohmann::json::array();
        std::size_t recovered = 0;
        for (const std::string& secret : secrets) {
            if (!published.contains(secret)) continue;
            if (++recovered <= max_examples) examples.push_back(printable(secret, max_example_bytes));
        }
        findings_.details["leaks"][name] = {{"secrets", secrets.size()},
                                            {"public", train.size() - secrets.size()},
                                            {"recovered", recovered},
                                            {"examples", std::move(examples)}};
        Finding recovery{privacy_value("recovered_identifiers", name), {}, {}};
        recovery.value.n_real = secrets.size();
        recovery.value.n_synthetic = published.size();
        if (secrets.empty())
            recovery.value.skipped = "training samples have none that held-out samples do not have";
        else
            recovery.value.value = static_cast<double>(recovered) / static_cast<double>(secrets.size());
        findings_.list.push_back(std::move(recovery));
    }

    void add_payload() {
        constexpr const char* no_payload = "no synthetic flow has 16 captured bytes of payload in a row";
        const Windows train = gather_windows(c_.train, every), heldout = gather_windows(c_.heldout, every);
        SessionShare verbatim(c_.synthetic.sessions()), natural(c_.heldout.sessions());
        const std::size_t longest = count_verbatim(c_.synthetic, every, train, heldout, verbatim);
        std::size_t longest_natural = 0;
        if (has_floor()) {
            for (const std::uint8_t open : {0, 1}) {
                const Windows known = gather_windows(c_.heldout, half(open));
                longest_natural = std::max(longest_natural,
                                           count_verbatim(c_.heldout, half(open ^ 1), train, known, natural));
            }
        }
        add(privacy_value("verbatim_payload", ""), verbatim, natural, no_payload);
        Finding run{privacy_value("longest_verbatim", ""), {}, {}};
        run.value.unit = "bytes";
        run.value.n_real = static_cast<std::size_t>(natural.whole());
        run.value.n_synthetic = static_cast<std::size_t>(verbatim.whole());
        run.value.value = static_cast<double>(longest);
        if (has_floor()) run.value.floor = static_cast<double>(longest_natural);
        if (verbatim.whole() == 0) run.value.skipped = no_payload;
        findings_.list.push_back(std::move(run));
    }

    const PrivacyComparison& c_;
    std::vector<std::uint8_t> halves_;
    Findings findings_;
};

}  // namespace

Findings measure_leakage(const PrivacyComparison& comparison) {
    return LeakageMeasure(comparison).measure();
}

}  // namespace tracebench
