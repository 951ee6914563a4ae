#pragma once
/// Numbers inside TCP options that mean something only beside those of the rest of the packet.

#include <cstdint>

#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {

/// Of a row with TCP bits: SACK edges made relative to the row's acknowledgement number, timestamps 0.
void relate_options(Bits row);

struct OptionNumbers {
    std::uint32_t timestamp = 0, echo = 0;
};
/// The reverse of relate_options(), given the row's acknowledgement number and its timestamps.
void restore_options(Bits row, std::uint32_t acknowledgement, const OptionNumbers& numbers);
/// Whether the row has a timestamps option.
bool has_timestamps(BitsView row);

}  // namespace tracebench::diffusion
