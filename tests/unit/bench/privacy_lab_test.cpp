// Levels of privacy on the lab set: what copies its training sessions is told from what cannot.

#include <gtest/gtest.h>

#include "datasets/source.h"
#include "generators/generator.h"
#include "metrics/privacy/privacy_metric.h"
#include "metrics/resampling.h"

namespace tracebench {
namespace {

SampleSet sample_set(const std::string& name, std::vector<LabelledTrace> samples) {
    SampleSet set;
    set.name = name;
    for (const LabelledTrace& sample : samples) set.observations.session_labels.push_back(sample.label);
    set.samples = std::move(samples);
    return set;
}

struct Lab {
    SampleSet train, heldout;

    Lab() {
        SourceOptions source;
        source.name = "lab";
        source.folder = TRACEBENCH_SOURCE_DIR "/datasets/lab";
        source.labels = source.folder / "labels.csv";
        const Dataset data = load_dataset(source);
        const Split split = split_by_session(data, 0.5, 1);
        train = sample_set("real", load_samples(data, split.train));
        heldout = sample_set("real", load_samples(data, split.heldout));
    }

    /// As many samples of each label as it has training samples, in packets a receiver would see.
    SampleSet made_by(const std::string& kind, std::uint64_t seed) const {
        const auto generator = make_generator(kind, nullptr);
        FitContext context;
        context.seed = seed;
        generator->fit(train.samples, context);
        std::vector<LabelledTrace> samples;
        for (const auto& [label, count] : count_labels(train.observations.session_labels)) {
            Progress progress;
            SampleRequest request;
            request.label = label;
            request.count = count;
            request.seed = stream_seed(seed, label);
            generator->sample(request, progress, [&](Trace trace) {
                samples.push_back({label, label, std::move(trace)});
            });
        }
        return sample_set(kind, std::move(samples));
    }

    std::map<std::string, std::string> levels(const SampleSet& synthetic) const {
        const MetricResult result = PrivacyMetric().evaluate({train, heldout, synthetic, synthetic, 1, 50});
        std::map<std::string, std::string> levels;
        for (const auto& verdict : result.details["privacy"]["verdicts"])
            levels[verdict["area"]] = verdict["level"];
        return levels;
    }
};

TEST(PrivacyOfTheLabSet, CopiesAreHighAndIndependentMarginalsLow) {
    const Lab lab;
    const std::map<std::string, std::string> high = {
        {"copies", "high"}, {"identifiers", "high"}, {"membership", "high"}, {"model", "unknown"}};
    const std::map<std::string, std::string> low = {
        {"copies", "low"}, {"identifiers", "low"}, {"membership", "low"}, {"model", "unknown"}};
    for (const std::uint64_t seed : {1, 2}) {
        EXPECT_EQ(lab.levels(lab.made_by("resample", seed)), high) << seed;
        EXPECT_EQ(lab.levels(lab.made_by("marginal", seed)), low) << seed;
    }
}

}  // namespace
}  // namespace tracebench
