#pragma once
/// The steps of repair, in their order. Each takes what the steps before it have decided as given and changes
/// as few bits as it can; docs/repair.md tells why this order.

#include "generators/diffusion/repair/draft.h"

namespace tracebench::diffusion {

/// 1. Each flow's IP version and protocol: those that most of its rows' bits are columns of.
void choose_protocols(Draft& draft);

/// 2. Fragments stay where a whole datagram's fragments follow each other; all other fragment bits are
/// cleared.
void keep_fragments(Draft& draft);

/// 3. Headers of the flow's protocol present in all their fixed columns, all others absent. A bit that was
/// absent takes the value that most of the flow's packets of this direction have there, 0 without any. The
/// IPv4 protocol field says what it is.
void make_headers_present(Draft& draft);

/// 4. What each TCP segment is: the opening, no SYN after it, FIN and RST only where their sender ends, ACK.
void choose_tcp_flags(Draft& draft);

/// 5. Versions, options and header lengths: of all legal lists of options the one with the least altered
/// bits.
void make_options_legal(Draft& draft);

/// 6. Total lengths: at least the headers, at most RepairSettings::largest_packet; of TCP segments also by
/// the sequence numbers that follow, of UDP by its own length field.
void choose_lengths(Draft& draft);

/// 7. Addresses and ports: one for each end of a flow, each bit as most of its packets have it.
void choose_ends(Draft& draft);

/// 8. Identifications: a packet between two that are two apart has the one between.
void smooth_ip_ids(Draft& draft);

/// 9. TCP numbers: sequence, acknowledgement, SACK, timestamps and window, of what earlier segments allow the
/// nearest to the image.
void choose_tcp_numbers(Draft& draft);

/// 10. UDP and ICMP fields, and what is left of IPv4's (reserved bit, time to live).
void finish_fields(Draft& draft);

}  // namespace tracebench::diffusion
