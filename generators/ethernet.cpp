#include "generators/ethernet.h"

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "generators/fresh_identifiers.h"
#include "traffic/bytes.h"
#include "traffic/headers.h"

namespace tracebench {
namespace {

constexpr std::uint32_t ethernet_header = 14;

MacAddress mac_of(const IpAddress& address) {
    Random random(stream_seed(0, address.text()));
    return multicast_mac(address, random_mac(random));
}

}  // namespace

EthernetTrace to_ethernet(const Trace& trace) {
    EthernetTrace result;
    if (std::all_of(trace.packets.begin(), trace.packets.end(),
                    [](const PacketView& packet) { return packet.link == link_type::ethernet; })) {
        result.trace = trace;
        return result;
    }
    std::vector<std::uint8_t> frame;
    for (const PacketView& packet : trace.packets) {
        if (packet.link == link_type::ethernet) {
            result.trace.append(packet.time_ns, packet.bytes, packet.original_length);
            continue;
        }
        const Headers headers = dissect(packet);
        const PacketFlow flow = flow_of(headers);
        if (!flow.ok) {
            ++result.dropped;
            continue;
        }
        const Endpoint &src = flow.from_high ? flow.key.high : flow.key.low,
                       &dst = flow.from_high ? flow.key.low : flow.key.high;
        const MacAddress src_mac = mac_of(src.address), dst_mac = mac_of(dst.address);
        frame.assign(dst_mac.begin(), dst_mac.end());
        frame.insert(frame.end(), src_mac.begin(), src_mac.end());
        frame.resize(ethernet_header);
        store16(&frame[12], headers.ip_version == 4 ? 0x0800 : 0x86DD);
        frame.insert(frame.end(), packet.bytes.begin() + headers.ip_offset, packet.bytes.end());
        // Damaged captures may claim less on the wire than they hold.
        const std::uint32_t on_wire = std::max(packet.original_length, headers.captured);
        result.trace.append(packet.time_ns, frame, on_wire - headers.ip_offset + ethernet_header);
    }
    return result;
}

}  // namespace tracebench
