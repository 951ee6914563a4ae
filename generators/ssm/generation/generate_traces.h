#pragma once
/// Several traces side by side: the model reads its weights once for all of them.

#include "base/progress.h"
#include "generators/ssm/generation/trace_stream.h"
#include "traffic/trace.h"

namespace tracebench::ssm {

struct TracesRequest {
    std::string label;
    std::size_t count = 1;
    std::uint64_t seed = 1;
    bool constrained = true;
    TraceLimits limits;
    SamplerOptions sampling;
    const PlanCalibration* calibration = nullptr;  ///< null: the model's own belief
    std::size_t parallel = 32;                     ///< traces at once, at least 1
    /// Wall clock; 0: none. When it is used up, traces under way end where they are and no others begin.
    double budget_s = 0;
};

/// `count` traces, handed out in order. Trace i depends on the seed and i alone: `parallel` changes it by no
/// more than the rounding of a differently shaped matrix product may. Throws Interrupted.
SamplingStatistics generate_traces(SequenceModel& model, const Encoding& encoding,
                                   const TracesRequest& request, Progress& progress,
                                   const std::function<void(Trace)>& sink);

/// One trace whose packets are handed out as they are made: memory does not grow with its length.
SamplingStatistics stream_trace(SequenceModel& model, const Encoding& encoding, const TracesRequest& request,
                                Progress& progress, const TraceStream::Sink& sink);

}  // namespace tracebench::ssm
