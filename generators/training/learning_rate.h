#pragma once
/// The learning rate over a training: linear warm-up, then half a cosine (Loshchilov and Hutter, 2017).

namespace tracebench {

struct LearningRateSchedule {
    double peak = 2e-3;
    double warmup = 0.05;  ///< part of the training, in [0, 1)
    double floor = 0.05;   ///< at the end, as a part of the peak, in [0, 1]

    /// `progress` is the part of the training that is done; it is clamped to [0, 1]. Warm-up begins at a
    /// hundredth of the peak, so that the very first step counts.
    double at(double progress) const;
};

}  // namespace tracebench
