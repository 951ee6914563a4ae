// The lab captures were made on paths and by programs whose settings are known (datasets/lab/README.md): what
// the statistics say of them has to agree.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/csv.h"
#include "datasets/source.h"
#include "metrics/observed_sample.h"
#include "metrics/resampling.h"
#include "metrics/sample_observer.h"

namespace tracebench {
namespace {

const std::string lab = TRACEBENCH_SOURCE_DIR "/datasets/lab";

std::vector<LabelledTrace> sessions_of(const std::string& label) {
    SourceOptions options;
    options.name = "lab";
    options.folder = lab;
    options.labels = lab + "/labels.csv";
    options.classes = {label};
    const Dataset dataset = load_dataset(options);
    std::vector<std::size_t> all(dataset.samples.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return load_samples(dataset, all);
}

TEST(LabStatistics, VideoIsFetchedInSegmentsOfTwoSeconds) {
    const Observations video = observe(sessions_of("video")), ssh = observe(sessions_of("ssh"));
    std::vector<double> gaps = video.find("session.segment_gap")->values;
    ASSERT_GT(gaps.size(), 100u);
    std::sort(gaps.begin(), gaps.end());
    EXPECT_NEAR(quantile(gaps, 0.5), 2.0, 0.05);
    // A viewer stays for 8 to 15 s and fills a buffer first.
    std::vector<double> counts = video.find("session.segments")->values;
    ASSERT_EQ(counts.size(), 24u);
    std::sort(counts.begin(), counts.end());
    EXPECT_GE(quantile(counts, 0.5), 5);
    EXPECT_LE(counts.back(), 12);
    // Off for longer than on.
    std::vector<double> on = video.find("session.segment_on_share")->values;
    std::sort(on.begin(), on.end());
    EXPECT_LT(quantile(on, 0.5), 0.3);
    // Keystrokes are no requests for segments.
    EXPECT_LT(ssh.find("session.segment_bytes")->values.size(), 10u);
}

TEST(LabStatistics, TimestampsShowTheDelayOfThePath) {
    std::map<std::string, double> set_ms;
    const CsvTable labels = read_csv(lab + "/labels.csv");
    const std::size_t file = labels.require_column("file"), rtt = labels.require_column("rtt_ms");
    for (const auto& row : labels.rows) set_ms[row[file]] = std::stod(row[rtt]);
    const auto field = [](const std::string& name) {
        const auto& fields = flow_fields();
        return static_cast<std::size_t>(
            std::find_if(fields.begin(), fields.end(), [&](const FieldInfo& f) { return f.name == name; }) -
            fields.begin());
    };
    std::size_t compared = 0;
    std::vector<double> ratios;
    for (const LabelledTrace& session : sessions_of("ssh")) {
        const ObservedSample sample(session.trace);
        for (const FlowPackets& flow : sample.flows) {
            const double ms = flow_values(sample, flow)[field("flow.rtt_timestamps")];
            if (std::isnan(ms)) continue;
            ++compared;
            // Never less than the path's delay; queues, jitter and delayed acknowledgements come on top.
            EXPECT_GT(ms, 0.99 * set_ms.at(session.id)) << session.id;
            ratios.push_back(ms / set_ms.at(session.id));
        }
    }
    EXPECT_GT(compared, 12u);
    std::sort(ratios.begin(), ratios.end());
    EXPECT_LT(quantile(ratios, 0.5), 1.5);
}

}  // namespace
}  // namespace tracebench
