// Whatever bytes a capture holds, reading it ends well.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "traffic/capture_reader.h"
#include "traffic/checksum.h"
#include "traffic/flow_split.h"
#include "traffic/flow_table.h"

namespace tracebench {
namespace {

using Octets = std::vector<std::uint8_t>;

void put(Octets& out, std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i, value >>= 8) out.push_back(static_cast<std::uint8_t>(value));
}

/// Ethernet, VLAN tags now and then, IPv4 or IPv6, TCP or UDP, random where it does no harm.
Octets arbitrary_frame() {
    Octets frame(12, 2);
    if (*rc::gen::inRange(0, 4) == 0) frame.insert(frame.end(), {0x81, 0x00, 0x00, 0x07});
    const bool six = *rc::gen::arbitrary<bool>(), tcp = *rc::gen::arbitrary<bool>();
    const std::uint8_t protocol = tcp ? 6 : 17;
    const auto payload = *rc::gen::resize(40, rc::gen::arbitrary<Octets>());
    const auto length = static_cast<std::uint8_t>((tcp ? 20 : 8) + payload.size());
    const auto host = [] { return *rc::gen::inRange<std::uint8_t>(1, 4); };
    if (six) {
        frame.insert(frame.end(), {0x86, 0xDD, 0x60, 0, 0, 0, 0, length, protocol, 64});
        for (int side = 0; side < 2; ++side) {
            frame.insert(frame.end(), 15, 0x20);
            frame.push_back(host());
        }
    } else {
        const auto total = static_cast<std::uint8_t>(20 + length);
        frame.insert(frame.end(), {0x08, 0x00, 0x45, 0, 0, total, 0, 0, 0, 0, 64, protocol, 0, 0});
        for (int side = 0; side < 2; ++side) frame.insert(frame.end(), {10, 0, 0, host()});
    }
    for (int side = 0; side < 2; ++side) frame.insert(frame.end(), {0, host()});
    if (tcp) {
        const auto numbers = *rc::gen::container<Octets>(8, rc::gen::arbitrary<std::uint8_t>());
        frame.insert(frame.end(), numbers.begin(), numbers.end());
        frame.insert(frame.end(), {0x50, *rc::gen::arbitrary<std::uint8_t>(), 4, 0, 0, 0, 0, 0});
    } else {
        frame.insert(frame.end(), {0, length, 0, 0});
    }
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
}

/// A pcap file, and the offset at which each record ends.
struct File {
    Octets bytes;
    std::vector<std::size_t> ends;
};

File arbitrary_pcap() {
    File file;
    put(file.bytes, 0xA1B2C3D4, 4);
    put(file.bytes, 2, 2);
    put(file.bytes, 4, 2);
    put(file.bytes, 0, 8);
    put(file.bytes, 65535, 4);
    put(file.bytes, 1, 4);
    const int packets = *rc::gen::inRange(1, 12);
    for (int i = 0; i < packets; ++i) {
        const Octets frame = arbitrary_frame();
        put(file.bytes, *rc::gen::inRange<std::uint32_t>(0, 1000), 4);
        put(file.bytes, 0, 4);
        put(file.bytes, frame.size(), 4);
        put(file.bytes, frame.size(), 4);
        file.bytes.insert(file.bytes.end(), frame.begin(), frame.end());
        file.ends.push_back(file.bytes.size());
    }
    return file;
}

/// The same packets as pcapng.
Octets as_pcapng(const File& pcap) {
    Octets out;
    const auto block = [&out](std::uint32_t type, Octets body) {
        body.resize((body.size() + 3) / 4 * 4);
        put(out, type, 4);
        put(out, 12 + body.size(), 4);
        out.insert(out.end(), body.begin(), body.end());
        put(out, 12 + body.size(), 4);
    };
    Octets section, interface;
    put(section, 0x1A2B3C4D, 4);
    put(section, 1, 4);
    put(section, ~0ULL, 8);
    block(0x0A0D0D0A, section);
    put(interface, 1, 4);
    put(interface, 0, 4);
    block(1, interface);
    std::size_t start = 24;
    for (const std::size_t end : pcap.ends) {
        Octets body;
        put(body, 0, 12);
        put(body, end - start - 16, 4);
        put(body, end - start - 16, 4);
        body.insert(body.end(), pcap.bytes.begin() + static_cast<std::ptrdiff_t>(start + 16),
                    pcap.bytes.begin() + static_cast<std::ptrdiff_t>(end));
        block(6, body);
        start = end;
    }
    return out;
}

Trace read(const Octets& bytes, std::optional<CaptureDamage>* damage = nullptr) {
    const auto path =
        std::filesystem::temp_directory_path() / ("tracebench-property-" + std::to_string(::getpid()));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    struct Remove {
        std::filesystem::path file;
        ~Remove() { std::filesystem::remove(file); }
    } remove{path};
    return read_trace(path, damage);
}

/// Everything that looks at a packet.
void use(const Trace& trace) {
    std::uint64_t packets = 0;
    for (const PacketView& packet : trace.packets) {
        for (const Tunnels tunnels : {Tunnels::outermost, Tunnels::innermost}) {
            const Headers h = dissect(packet, tunnels);
            RC_ASSERT(!h.has_ip() || h.ip_offset + 20 <= h.captured);
            RC_ASSERT(h.transport_offset == Headers::none || h.transport_offset < h.captured);
            RC_ASSERT(h.payload_offset == Headers::none || h.payload_offset <= h.ip_end);
            if (can_check_transport(h)) transport_checksum(h);
        }
        packets += dissect(packet).has_ip();
    }
    std::uint64_t in_flows = 0;
    for (const FlowPackets& flow : split_flows(trace)) {
        in_flows += flow.packets.size();
        RC_ASSERT(flow.packets.size() == flow.flow.packets[0] + flow.flow.packets[1]);
    }
    RC_ASSERT(in_flows == packets);
}

RC_GTEST_PROP(Capture, MutatedBytesNeverCrash, ()) {
    const File pcap = arbitrary_pcap();
    Octets bytes = *rc::gen::arbitrary<bool>() ? pcap.bytes : as_pcapng(pcap);
    const int mutations = *rc::gen::inRange(0, 30);
    for (int i = 0; i < mutations; ++i)
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::element<std::uint8_t>(
            0, 1, 4, 6, 0x2B, 0x29, 0x2C, 0x2F, 0x33, 0x3C, 0x45, 0x60, 0x7F, 0x80, 0x81, 0x88, 0xFE, 0xFF);
    try {
        use(read(bytes));
    } catch (const InputError&) {  // the file header was hit
    }
}

RC_GTEST_PROP(Capture, AnyLinkTypeWithAnyBytes, ()) {
    const auto bytes = *rc::gen::resize(200, rc::gen::arbitrary<Octets>());
    Trace trace;
    for (const std::uint16_t link : {0, 1, 9, 10, 12, 50, 51, 101, 104, 105, 108, 113, 127, 228, 276})
        trace.append(0, bytes, 0, link);
    use(trace);
}

RC_GTEST_PROP(Capture, ATruncatedFileGivesThePacketsBeforeTheCut, ()) {
    const File pcap = arbitrary_pcap();
    const auto cut = *rc::gen::inRange<std::size_t>(24, pcap.bytes.size() + 1);
    std::size_t whole = 0, at = 24;
    while (whole < pcap.ends.size() && pcap.ends[whole] <= cut) at = pcap.ends[whole++];
    std::optional<CaptureDamage> damage;
    const Trace trace =
        read(Octets(pcap.bytes.begin(), pcap.bytes.begin() + static_cast<std::ptrdiff_t>(cut)), &damage);
    RC_ASSERT(trace.size() == whole);
    RC_ASSERT(damage.has_value() == (cut != at));
    if (damage) RC_ASSERT(damage->offset == at);
}

RC_GTEST_PROP(Capture, PcapAndPcapngHoldTheSamePackets, ()) {
    const File pcap = arbitrary_pcap();
    Trace a = read(pcap.bytes), b = read(as_pcapng(pcap));
    const auto by_frame = [](const PacketView& x, const PacketView& y) { return x.frame < y.frame; };
    std::sort(a.packets.begin(), a.packets.end(), by_frame);
    std::sort(b.packets.begin(), b.packets.end(), by_frame);
    RC_ASSERT(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        RC_ASSERT(std::equal(a.packets[i].bytes.begin(), a.packets[i].bytes.end(), b.packets[i].bytes.begin(),
                             b.packets[i].bytes.end()));
}

RC_GTEST_PROP(FlowKeyProperty, IsTheSameBothWays, ()) {
    Octets frame = arbitrary_frame();
    const auto packet = [](const Octets& bytes) {
        return PacketView{0, static_cast<std::uint32_t>(bytes.size()), link_type::ethernet, 1, bytes};
    };
    const Headers h = dissect(packet(frame));
    RC_ASSERT(h.has_ports());
    const PacketFlow there = flow_of(h);
    Octets back = frame;
    const std::size_t size = h.ip_version == 4 ? 4 : 16,
                      addresses = h.ip_offset + (h.ip_version == 4 ? 12 : 8);
    const auto swap = [&back](std::size_t first, std::size_t n) {
        std::swap_ranges(back.begin() + static_cast<std::ptrdiff_t>(first),
                         back.begin() + static_cast<std::ptrdiff_t>(first + n),
                         back.begin() + static_cast<std::ptrdiff_t>(first + n));
    };
    swap(addresses, size);
    swap(h.transport_offset, 2);
    const PacketFlow reverse = flow_of(dissect(packet(back)));
    RC_ASSERT(there.key == reverse.key);
    RC_ASSERT(FlowKeyHash{}(there.key) == FlowKeyHash{}(reverse.key));
    RC_ASSERT(there.from_high != reverse.from_high || there.key.low == there.key.high);
    RC_ASSERT(there.key.low <= there.key.high);
}

}  // namespace
}  // namespace tracebench
