#include "bench/cli/damage.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"

namespace tracebench::cli {

void warn_damage(const std::filesystem::path& capture, const std::optional<CaptureDamage>& damage,
                 std::uint64_t packets) {
    if (!damage) return;
    const std::string used = packets == 0   ? "no packet comes before it"
                             : packets == 1 ? "the one packet before it was used"
                                            : fmt::format("the {} packets before it were used", packets);
    fmt::print(stderr, "tracebench: warning: {}: damaged at byte {}: {}; {}\n",
               capture == "-" ? "standard input" : printable(capture.string()), damage->offset,
               printable(damage->what), used);
}

}  // namespace tracebench::cli
