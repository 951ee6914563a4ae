#pragma once
/// Inter-arrival times for packets whose model learned none: as NetSSM does, drawn at random from real ones,
/// here counted by label while training.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/random.h"
#include "generators/histogram.h"
#include "traffic/trace.h"

namespace tracebench::ssm {

class InterArrivalTimes {
  public:
    /// The trace's inter-arrival times, in nanoseconds; those that go back count as 0.
    void observe(const std::string& label, const Trace& trace);
    /// What a label's times are drawn from; empty where none were seen.
    Histogram of(const std::string& label) const;

    /// `iat.json`: {"labels": {label: [[nanoseconds, count], ...]}}. No file where there is nothing to write.
    void save(const std::filesystem::path& folder) const;
    /// Empty where the folder has no such file. Throws InputError: over 64 MiB, another shape, times over an
    /// hour (where counting stops as well).
    static InterArrivalTimes load(const std::filesystem::path& folder);

  private:
    std::map<std::string, Histogram> labels_;
};

}  // namespace tracebench::ssm
