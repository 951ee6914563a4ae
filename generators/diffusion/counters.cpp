#include "generators/diffusion/counters.h"

namespace tracebench::diffusion {

std::uint32_t tcp_payload(BitsView row, bool ipv6, const Ipv6Part& part) {
    const std::uint32_t tcp_header = 4 * get(row, field::data_offset);
    const std::uint32_t ip_header = ipv6 ? 0 : 4 * get(row, field::header_words);
    const std::uint32_t total = ipv6 ? part.length.value_or(0) : get(row, field::total_length);
    return total > ip_header + tcp_header ? total - ip_header - tcp_header : 0;
}

void note_segment(SenderCounters& sender, BitsView row, std::uint32_t payload) {
    const std::uint32_t flags = get(row, field::tcp_flags);
    const std::uint32_t counted =
        ((flags & tcp_flag::syn) != 0 ? 1 : 0) + ((flags & tcp_flag::fin) != 0 ? 1 : 0);
    if ((flags & tcp_flag::rst) != 0 && sender.seen) return;  // need not carry the sender's number
    const std::uint32_t end = get(row, field::sequence) + payload + counted;
    if (!sender.seen || static_cast<std::int32_t>(end - sender.next) > 0) sender.next = end;
    sender.seen = true;
}

}  // namespace tracebench::diffusion
