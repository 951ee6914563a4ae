#pragma once
/// nPrint rows as NetDiffusion's image (Jiang et al., "NetDiffusion", SIGMETRICS 2024): a pixel a bit, a line
/// a packet; 1 is red, 0 green, -1 blue; blue lines below fill it up to 1024.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "traffic/nprint.h"

namespace tracebench {

inline constexpr std::size_t kNprintImageRows = 1024;

/// Writes 8-bit RGBA as the published pre-processing does, 1088 pixels wide, or 1024 without the columns of
/// the IPv4 addresses (`drop_addresses`). `-` writes to standard output. Throws InputError: more than 1024
/// rows, or the file cannot be written. No rows make an image of padding only.
void write_nprint_image(const std::filesystem::path& path, std::span<const NprintRow> rows,
                        bool drop_addresses);

/// The rows alone, without padding, as a PNG of a palette of the three colours in memory: for pages. At least
/// one row.
std::string nprint_png(std::span<const NprintRow> rows);

struct NprintImage {
    std::vector<NprintRow> rows;  ///< without padding: blue lines at the end
    std::vector<bool> present;    ///< which columns of the layout the image has
};

/// Reads an image that is 1088 or 1024 wide, at most 8192 high, in any colour mode of PNG; each pixel is the
/// nearest of the three colours and transparency is ignored. Throws InputError: not a PNG, damaged, of
/// another width, or without colour.
NprintImage read_nprint_image(const std::filesystem::path& path);

}  // namespace tracebench
