#pragma once
/// What the process tells its caller.

namespace tracebench::exit_code {
inline constexpr int success = 0, failed = 1, bad_input = 2, inconclusive = 3, not_comparable = 4, internal = 5,
                     interrupted = 130;
}
