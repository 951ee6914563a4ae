#pragma once
/// Samples to be looked at one after the other, in memory that does not grow with their number.
///
///     for (const LabelledTrace& sample : samples) look_at(sample.trace);

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

#include "datasets/dataset.h"

namespace tracebench {

/// Copies are cheap and share what is in memory. Every walk is one on its own: several threads may walk over
/// the same samples.
class Samples {
  public:
    /// Packets: 40 MiB of views.
    static constexpr std::uint64_t usual_most_kept = 1 << 20;

    Samples() = default;
    /// Samples that are in memory, and stay there.
    Samples(std::vector<LabelledTrace> samples);  // NOLINT(google-explicit-constructor): a vector is one
    Samples(std::initializer_list<LabelledTrace> samples) : Samples(std::vector(samples)) {}
    /// Samples of captures, in the order of `indices`, read a capture at a time; those of one capture should
    /// stand side by side. They are kept if they have at most `most_kept` packets together, else read again on
    /// every walk. Throws InputError, as walking then does, where a capture cannot be read.
    Samples(const Dataset& dataset, const std::vector<std::size_t>& indices,
            std::uint64_t most_kept = usual_most_kept);

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    class Iterator {
      public:
        Iterator(const Samples& samples, std::size_t capture) : samples_(&samples), capture_(capture) {}
        /// Valid until the iterator goes on; copies of the trace keep its memory.
        const LabelledTrace& operator*();
        Iterator& operator++();
        bool operator==(const Iterator& other) const {
            return capture_ == other.capture_ && place_ == other.place_;
        }

      private:
        const Samples* samples_;
        std::size_t capture_, place_ = 0;
        std::shared_ptr<const std::vector<LabelledTrace>> loaded_;  ///< of this capture; null: not yet
    };
    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, captures_.size()}; }

    /// All of them in memory.
    std::vector<LabelledTrace> load() const;

  private:
    struct Capture {
        std::vector<Sample> samples;  ///< what to read where `kept` is null
        std::shared_ptr<const std::vector<LabelledTrace>> kept;
        std::size_t size = 0;

        std::shared_ptr<const std::vector<LabelledTrace>> load() const;
    };
    std::vector<Capture> captures_;  ///< none without samples
    std::size_t size_ = 0;
};

}  // namespace tracebench
