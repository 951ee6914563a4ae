#pragma once
/// Captures and labels on disk become a dataset.

#include <filesystem>
#include <string>

#include "datasets/dataset.h"

namespace tracebench {

struct SourceOptions {
    std::string name;
    std::filesystem::path folder;      ///< captures, searched with its subfolders
    std::filesystem::path labels;      ///< labels.csv: `file,label` or `file,flow_id,label`; files relative to folder
    Unit unit = Unit::session;
    std::vector<std::string> classes;  ///< empty: all
    std::size_t min_packets = 2;       ///< samples with fewer are left out (and counted in a warning)
    std::size_t max_packets = 0;       ///< a sample's first packets; 0: all
    std::size_t max_samples = 0;       ///< a class's first samples, spread evenly over its captures; 0: all
};

/// Throws InputError: a label for a file that is not there, no labelled captures, a class that is not there.
Dataset load_dataset(const SourceOptions& options);

/// Captures (.pcap, .pcapng, .cap) below a folder, sorted by path. Throws InputError: no such folder.
std::vector<std::filesystem::path> find_captures(const std::filesystem::path& folder);

/// A folder of captures with an optional labels.csv inside; without one every capture gets `label`, or its
/// subfolder's name where there are subfolders.
Dataset load_folder(const std::filesystem::path& folder, const std::string& label = "");

}  // namespace tracebench
