#pragma once
/// Captures as a user names them on the command line.

#include <filesystem>
#include <vector>

#include "datasets/dataset.h"
#include "metrics/observations.h"

namespace tracebench::cli {

/// One capture, or every capture below a folder, each as one sample; captures without packets are left out.
/// Labels are those that a labels.csv in the folder gives to whole files, else empty. Damage is told on
/// standard error. Throws InputError where no packet is found.
std::vector<LabelledTrace> load_captures(const std::filesystem::path& path);

/// The same captures observed without being held: memory does not grow with their bytes. One whose packets
/// are not in time order is read whole.
Observations observe_captures(const std::filesystem::path& path);

}  // namespace tracebench::cli
