#pragma once
/// Labelled samples and their split: what generators learn from and metrics compare with.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "traffic/trace.h"

namespace tracebench {

enum class Unit { session, flow };  ///< what one sample is

struct Sample {
    std::string id;      ///< unique in the dataset: `video/video-07.pcap`, or with `#flow_id` for flows
    std::string label;
    std::filesystem::path file;
    std::string flow_id;  ///< empty: the whole capture
    std::string session;  ///< what a split never cuts: the capture's name
    std::size_t max_packets = 0;  ///< only its first packets; 0: all
};

struct Dataset {
    std::string name;
    Unit unit = Unit::session;
    std::vector<Sample> samples;           ///< sorted by id
    std::vector<std::string> labels;       ///< sorted, unique
    std::uint64_t packets = 0, flows = 0, bytes = 0;  ///< of the captures that hold the samples
    std::string content_sha256;            ///< over labels and the bytes of every capture
    std::vector<std::string> warnings;     ///< "class 'netflix' comes from one capture", damaged captures, ...
};

/// Indices into Dataset::samples.
struct Split {
    std::vector<std::size_t> train;
    std::vector<std::size_t> heldout;
    std::vector<std::string> warnings;  ///< classes that could not be split by session
};

/// Sessions of each class go to train or held-out whole, stratified by label: round(fraction * sessions) of
/// each class train, at least one on either side where a class has two. Where a class has a single session,
/// its flows are split in time order instead and a warning says that this flatters every generator.
Split split_by_session(const Dataset& dataset, double train_fraction, std::uint64_t seed);

/// The packets of one sample, in time order, with their memory. Throws InputError.
Trace load_sample(const Sample& sample);

struct LabelledTrace {
    std::string id;
    std::string label;
    Trace trace;
};
/// The same for several samples; every capture is read once. Order follows `indices`.
std::vector<LabelledTrace> load_samples(const Dataset& dataset, const std::vector<std::size_t>& indices);

}  // namespace tracebench
