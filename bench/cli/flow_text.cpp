#include "bench/cli/flow_text.h"

#include <fmt/format.h>

namespace tracebench::cli {

std::string flow_row_header() {
    return fmt::format("{:>10} {:>10}  {:7} {:>8} {:>8} {:>11} {:>11}  {:8} {:>5} {:>5} {:>8}  {}", "start s",
                       "length s", "proto", "pkts >", "pkts <", "bytes >", "bytes <", "state", "retr", "ooo",
                       "rtt ms", "endpoints");
}

std::string flow_row(const Flow& f, std::int64_t start_ns) {
    const bool tcp = f.key.protocol == ip_protocol::tcp;
    const char* const state = f.handshake ? (f.closed ? "open+end" : "open") : f.closed ? "end" : "";
    const auto of_tcp = [tcp](std::uint64_t n) { return tcp ? fmt::format("{}", n) : std::string(); };
    return fmt::format(
        "{:>10.3f} {:>10.3f}  {:7} {:>8} {:>8} {:>11} {:>11}  {:8} {:>5} {:>5} {:>8}  {} > {}{}",
        static_cast<double>(f.first_ns - start_ns) * 1e-9, f.duration_s(), protocol_name(f.key.protocol),
        f.packets[0], f.packets[1], f.bytes[0], f.bytes[1], state, of_tcp(f.retransmissions),
        of_tcp(f.out_of_order), f.rtt_ms ? fmt::format("{:.2f}", *f.rtt_ms) : "", f.src.text(), f.dst.text(),
        f.key.vlan == Headers::no_vlan ? "" : fmt::format("  vlan {}", f.key.vlan));
}

std::string flow_json(const Flow& f) {
    // Nothing in it needs escaping: addresses, names of protocols, numbers.
    std::string out = fmt::format("{{\"protocol\":\"{}\",\"src\":\"{}\",\"dst\":\"{}\",\"flow_id\":\"{}\",",
                                  protocol_name(f.key.protocol), f.src.text(), f.dst.text(), f.key.flow_id());
    if (f.key.vlan != Headers::no_vlan) out += fmt::format("\"vlan\":{},", f.key.vlan);
    return out + fmt::format(
                     "\"first\":{},\"last\":{},\"packets\":[{},{}],\"bytes\":[{},{}],\"handshake\":{},"
                     "\"closed\":{},"
                     "\"retransmissions\":{},\"out_of_order\":{},\"duplicate_acks\":{},\"zero_windows\":{},"
                     "\"keep_alives\":{},\"rtt_ms\":{}}}",
                     exact_seconds(f.first_ns), exact_seconds(f.last_ns), f.packets[0], f.packets[1],
                     f.bytes[0], f.bytes[1], f.handshake, f.closed, f.retransmissions, f.out_of_order,
                     f.duplicate_acks, f.zero_windows, f.keep_alives,
                     f.rtt_ms ? fmt::format("{:.6f}", *f.rtt_ms) : "null");
}

std::string exact_seconds(std::int64_t ns) {
    const std::uint64_t size = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    return fmt::format("{}{}.{:09}", ns < 0 ? "-" : "", size / 1'000'000'000, size % 1'000'000'000);
}

}  // namespace tracebench::cli
