#pragma once
/// What a user is told about a capture that could not be read to its end.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "traffic/capture_reader.h"

namespace tracebench::cli {

/// One line on standard error: the byte where the capture broke and how many packets were used all the
/// same. Nothing where there is no damage.
void warn_damage(const std::filesystem::path& capture, const std::optional<CaptureDamage>& damage,
                 std::uint64_t packets);

}  // namespace tracebench::cli
