#pragma once
/// The rule table of traffic/rules asked about a packet that is being written.

#include "generators/ssm/encoding/fields/draft.h"

namespace tracebench::ssm {

/// Whether the packet passes every rule of packet scope and, given its flow so far, of flow scope; what
/// cannot be checked counts as passed. Checksums are not asked for: they are computed when the frame is
/// built.
bool passes_rules(const Record& record, const Draft& draft);

/// Mends what the first bytes of a datagram claim where a rule of their application forbids it, given its
/// flow so far; the rest of the payload is zero. Requires legal headers. True where a byte changed.
bool make_payload_legal(Record& record, const FlowState& flow, Direction direction);

/// Whether the segment is not an acknowledgement that nothing calls for: a receiver sends at most one for
/// every segment that comes in, but to tell of another window (RFC 5681 section 4.2).
bool has_reason(const Record& record, const Draft& draft);

/// Whether an option can be part of a legal list at all (those of a SYN on a SYN, blocks of a selective
/// acknowledgement where it was agreed on). A whole list is left to passes_rules().
bool option_may_be(int option, const Draft& draft);

}  // namespace tracebench::ssm
