#pragma once
/// From noise to captures: the model's rows, repaired.

#include <functional>
#include <string>

#include "base/progress.h"
#include "generators/diffusion/class_book.h"
#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/sampling/sampling_record.h"
#include "traffic/trace.h"

namespace tracebench::diffusion {

/// Which layout of header bytes the control branch is given.
struct ControlChoice {
    enum class Kind {
        off,
        drawn,  ///< of one of the class's samples, drawn anew for every sample made
        given,  ///< of the class's sample number `index`, modulo how many there are
    };
    Kind kind = Kind::off;
    std::size_t index = 0;
};

struct SamplesRequest {
    std::int32_t class_id = 0;  ///< in the book, with at least one sample
    std::size_t count = 1;
    std::uint64_t seed = 1;
    bool constrained = true;      ///< repaired; else bare bits
    std::size_t max_packets = 0;  ///< 0: none
    double max_seconds = 0;       ///< of traffic; 0: none
    /// Wall clock; 0: none. When it is used up, no other group of samples is begun: fewer are made.
    double budget_s = 0;
    ControlChoice control;
    SamplingOptions options;
    bool with_strip = false;  ///< keep how the first sample came about
};

/// `count` traces, in order, each as many rows long as one of the class's training samples (or as the control
/// layout); lengths and layouts are spread over all of these. Gaps beyond the class's longest are cut, and
/// where constrained, fields of few values take known ones (known_values.h). Trace i depends on the seed and
/// i alone, but for the rounding of products of another shape where it is made beside others. Throws
/// Interrupted; InputError for a control layout without a control branch.
SamplingRecord make_samples(DiffusionModel& model, const ClassBook& classes, const SamplesRequest& request,
                            Progress& progress, const std::function<void(Trace)>& sink);

}  // namespace tracebench::diffusion
