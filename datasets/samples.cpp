#include "datasets/samples.h"

#include <numeric>

namespace tracebench {

Samples::Samples(std::vector<LabelledTrace> samples) : size_(samples.size()) {
    if (samples.empty()) return;
    captures_.push_back({{}, std::make_shared<const std::vector<LabelledTrace>>(std::move(samples)), size_});
}

Samples::Samples(const Dataset& dataset, const std::vector<std::size_t>& indices, std::uint64_t most_kept)
    : size_(indices.size()) {
    for (const std::size_t i : indices) {
        const Sample& sample = dataset.samples[i];
        if (captures_.empty() || captures_.back().samples.front().file != sample.file) captures_.emplace_back();
        captures_.back().samples.push_back(sample);
        ++captures_.back().size;
    }
    std::uint64_t packets = 0;
    for (Capture& capture : captures_) {
        capture.kept = capture.load();
        for (const LabelledTrace& sample : *capture.kept) packets += sample.trace.size();
        if (packets > most_kept) break;
    }
    if (packets > most_kept)
        for (Capture& capture : captures_) capture.kept.reset();
}

std::shared_ptr<const std::vector<LabelledTrace>> Samples::Capture::load() const {
    if (kept) return kept;
    Dataset data;
    data.samples = samples;
    std::vector<std::size_t> all(samples.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return std::make_shared<const std::vector<LabelledTrace>>(load_samples(data, all));
}

const LabelledTrace& Samples::Iterator::operator*() {
    if (!loaded_) loaded_ = samples_->captures_[capture_].load();
    return (*loaded_)[place_];
}

Samples::Iterator& Samples::Iterator::operator++() {
    if (++place_ == samples_->captures_[capture_].size) {
        loaded_.reset();
        place_ = 0;
        ++capture_;
    }
    return *this;
}

std::vector<LabelledTrace> Samples::load() const {
    std::vector<LabelledTrace> samples;
    samples.reserve(size_);
    for (const LabelledTrace& sample : *this) samples.push_back(sample);
    return samples;
}

}  // namespace tracebench
