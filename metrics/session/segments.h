#pragma once
/// Segments: what is downloaded in answer to one request, as players of adaptive video do it.
///
/// Bronzino, Schmitt et al., "Inferring Streaming Video Quality from Encrypted Traffic: Practical Models and
/// Deployment Experience", Proc. ACM Meas. Anal. Comput. Syst. 3(3), 2019: encrypted or not, a
/// packet upstream that carries payload asks for the next segment, and what comes downstream until the next
/// such packet is the segment. Two thresholds keep apart what else has this shape: a request has at least 60
/// bytes of payload (acknowledgements and window updates of QUIC and HTTP/2 have less; Gutterman et al.,
/// "Requet", MMSys 2019, have such a threshold too), a segment at least 10,000.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "metrics/session/session_log.h"

namespace tracebench {

struct Segment {
    std::int64_t request_ns = 0;             ///< the (last) request packet
    std::int64_t first_ns = 0, last_ns = 0;  ///< packets downstream with payload
    std::uint64_t bytes = 0;                 ///< payload downstream
};

inline constexpr std::uint32_t least_request_bytes = 60;
inline constexpr std::uint64_t least_segment_bytes = 10'000;

/// Of all flows, in order of requests. Upstream is forward: as the flow's first packet went. Several request
/// packets without payload downstream in between are one request.
std::vector<Segment> find_segments(const SessionLog& log);

/// Share of the time from the first segment's first packet to the last packet of any during which at least
/// one is under way, 0..1: the on-time of the on-off pattern. Nothing with fewer than two segments, or where
/// they take no time.
std::optional<double> segment_on_share(std::span<const Segment> segments);

}  // namespace tracebench
