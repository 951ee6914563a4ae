#pragma once
/// What the next TCP segment of one sender may say, given its conversation so far: by arithmetic where a
/// number has too many values to try, by the rule table where it has 256.
///
/// `length` is everywhere that of the segment on the wire, header and payload: the IP header tells it before
/// anything of the TCP header is known, so what is chosen first must leave something legal to what follows.
///
/// Stricter than the rule table in what a rule cannot check: a conversation begins with a SYN without data,
/// and is not replaced by another between the same ports while it is live. Numbers lie where real ones do,
/// not anywhere in the window: next, sent again, or past a gap of whole segments.

#include <cstdint>

#include "generators/ssm/encoding/netssm_bytes.h"
#include "generators/ssm/encoding/netssm_flows.h"

namespace tracebench::ssm {

/// Whether this sender can send some segment of this length.
bool can_send(const FlowEnd& end, std::uint32_t length);
/// Sequence numbers with which it can.
NumberSet sequence_numbers(const FlowEnd& end, std::uint32_t length);
NumberSet acknowledgement_numbers(const FlowEnd& end, std::uint32_t length, std::uint32_t sequence);
/// Data offset and reserved bits.
ByteSet data_offsets(const FlowEnd& end, std::uint32_t length, std::uint32_t sequence);

/// Flags that pass every rule but those about options, which come after them. Of `segment` all is known but
/// the flags; `header` is the TCP header's length.
ByteSet legal_flags(const FlowEnd& end, SegmentFields segment, std::uint32_t header);

/// Whether the option stands on every segment but SYN and RST: both SYNs had it.
bool timestamps_agreed(const FlowState& state);

}  // namespace tracebench::ssm
