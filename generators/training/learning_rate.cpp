#include "generators/training/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tracebench {

double LearningRateSchedule::at(double progress) const {
    const double done = std::clamp(progress, 0.0, 1.0);
    if (done < warmup) return peak * std::max(done / warmup, 0.01);
    const double falling = warmup < 1 ? (done - warmup) / (1 - warmup) : 1;
    return peak * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * falling)));
}

}  // namespace tracebench
