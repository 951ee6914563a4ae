#pragma once
/// Round-trip times of a TCP connection from its timestamps option (RFC 7323 section 3), seen in passing.
///
/// A segment's TSval comes back as TSecr in the acknowledgement of it: the time between the two is the round
/// trip from the capture point to the receiver and back (section 4.1; measured passively as in Strowes,
/// "Passively measuring TCP round-trip times", ACM Queue 11(8), 2013). One segment is followed at a time and
/// direction, so the state is a few numbers. Only segments that occupy sequence space count, since a pure
/// acknowledgement is not answered, and only the first with its TSval; a retransmission has another one.
/// Receivers may delay acknowledgements (RFC 9293 section 3.8.6.3), which is then part of the time.

#include <cstdint>
#include <optional>

#include "traffic/tcp_analysis.h"

namespace tracebench {

class TimestampRtt {
  public:
    /// `direction` is 0 or 1; `headers` has TCP, and `segment` is what it says.
    void add(unsigned direction, const Headers& headers, const TcpSegment& segment);

    /// Mean time in ms from segments of this direction to their echo; nothing where there was none.
    std::optional<double> mean_ms(unsigned direction) const;
    /// Both ways together: the whole path's. Nothing where a direction has none.
    std::optional<double> mean_ms() const;

  private:
    struct Side {
        bool followed = false, seen = false;
        std::uint32_t value = 0;   ///< TSval of the segment that is followed
        std::uint32_t newest = 0;  ///< the newest TSval sent
        std::int64_t sent_ns = 0;
        double sum_ns = 0;
        std::uint64_t count = 0;
    };
    Side sides_[2];
};

}  // namespace tracebench
