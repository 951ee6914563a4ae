#pragma once
/// How a block's work divides into pieces that threads take: runs of tokens, and groups of heads. Depends on
/// sizes only, never on the number of threads, so that sums have one order.

#include <algorithm>
#include <cstdint>

#include "generators/ssm/model_config.h"

namespace tracebench::ssm {

struct BlockLayout {
    std::int64_t rows = 0, length = 0;
    std::int64_t model = 0, inner = 0, groups = 0, states = 0, taps = 0, headdim = 0;
    std::int64_t heads = 0, channels = 0, projection = 0;
    std::int64_t projected_stride = 0;  ///< of in_proj's output: z, x, B, C, dt
    std::int64_t heads_together = 0;    ///< heads of one scan
    std::int64_t scans_a_group = 0;

    static constexpr std::int64_t unit =
        128;  ///< tokens of a row that the passes between products take together
    static constexpr std::int64_t max_channels_together =
        512;  ///< of a scan: its state stays in the second cache

    BlockLayout() = default;
    BlockLayout(const ModelConfig& config, std::int64_t rows_, std::int64_t length_)
        : rows(rows_),
          length(length_),
          model(config.d_model),
          inner(config.d_inner()),
          groups(config.ngroups),
          states(config.d_state),
          taps(config.d_conv),
          headdim(config.headdim),
          heads(config.heads()),
          channels(config.conv_channels()),
          projection(config.projection()),
          projected_stride(projection) {
        // As few scans as fit the cache, but an even number, for two processors or more.
        const std::int64_t heads_a_group = heads / groups;
        scans_a_group = heads_a_group;
        for (std::int64_t count = 1; count <= heads_a_group; ++count)
            if (heads_a_group % count == 0 && heads_a_group / count * headdim <= max_channels_together &&
                rows * groups * count % 2 == 0) {
                scans_a_group = count;
                break;
            }
        heads_together = heads_a_group / scans_a_group;
    }

    std::int64_t tokens() const { return rows * length; }
    std::int64_t units_a_row() const { return (length + unit - 1) / unit; }
    std::int64_t units() const { return rows * units_a_row(); }
    std::int64_t scans() const { return rows * groups * scans_a_group; }
    std::int64_t bc_width() const { return 2 * groups * states; }

    /// Tokens [begin, end) of a row.
    struct Unit {
        std::int64_t row, begin, end;
        std::int64_t size() const { return end - begin; }
    };
    Unit unit_at(std::int64_t index) const {
        const std::int64_t row = index / units_a_row(), begin = index % units_a_row() * unit;
        return {row, begin, std::min(begin + unit, length)};
    }
    struct ScanPlace {
        std::int64_t row, group, part, first_head;
    };
    ScanPlace scan_at(std::int64_t index) const {
        const std::int64_t part = index % scans_a_group, group = index / scans_a_group % groups;
        return {index / scans_a_group / groups, group, part,
                group * (heads / groups) + part * heads_together};
    }
};

}  // namespace tracebench::ssm
