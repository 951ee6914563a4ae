/// SessionIdentity::rewrite: where identifiers stand in a frame.

#include <algorithm>
#include <array>

#include "generators/baseline/checksum_update.h"
#include "generators/baseline/session_identity.h"
#include "traffic/bytes.h"
#include "traffic/headers.h"

namespace tracebench {
namespace {

using Covers = std::vector<const ChecksumField*>;

constexpr int max_quotes = 3;  // ICMP errors quoting ICMP errors

struct Rewriter {
    SessionIdentity& identity;
    std::span<std::uint8_t> frame;

    bool holds(std::size_t offset, std::size_t size) const {
        return offset <= frame.size() && frame.size() - offset >= size;
    }

    void mac(std::size_t offset, const Covers& covers) {
        if (!holds(offset, 6)) return;
        MacAddress before;
        std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(offset), 6, before.begin());
        replace_bytes(frame, offset, identity.mac(before), covers);
    }

    IpAddress load(std::size_t offset, int version) const {
        IpAddress address;
        address.version = static_cast<std::uint8_t>(version);
        std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(offset), version == 4 ? 4 : 16,
                    address.bytes.begin());
        return address;
    }

    void address(std::size_t offset, int version, const Covers& covers) {
        const std::size_t size = version == 4 ? 4 : 16;
        if (!holds(offset, size)) return;
        const IpAddress fresh = identity.address(load(offset, version));
        replace_bytes(frame, offset, std::span(fresh.bytes).first(size), covers);
    }

    void port(std::size_t offset, std::uint8_t protocol, const IpAddress& owner, const Covers& covers) {
        std::array<std::uint8_t, 2> fresh;
        store16(fresh.data(), identity.port(protocol, {owner, load16(&frame[offset])}));
        replace_bytes(frame, offset, fresh, covers);
    }

    /// RFC 826, for IPv4 over Ethernet; `at` is the first byte behind the EtherType.
    void arp(std::size_t at) {
        static constexpr std::uint8_t ipv4_over_ethernet[6] = {0, 1, 8, 0, 6, 4};
        if (!holds(at, 28) || !std::equal(std::begin(ipv4_over_ethernet), std::end(ipv4_over_ethernet),
                                          frame.begin() + static_cast<std::ptrdiff_t>(at)))
            return;
        mac(at + 8, {});
        address(at + 14, 4, {});
        mac(at + 18, {});
        address(at + 24, 4, {});
    }

    /// RFC 4861 section 4: targets, and link-layer address options.
    void neighbour_discovery(std::size_t at, const Covers& covers) {
        std::size_t options = 0;
        switch (frame[at]) {
            case 133:
                options = at + 8;
                break;
            case 134:
                options = at + 16;
                break;
            case 135:
            case 136:
                options = at + 24;
                break;
            case 137:
                options = at + 40;
                break;
            default:
                return;
        }
        if (frame[at] >= 135) address(at + 8, 6, covers);
        if (frame[at] == 137) address(at + 24, 6, covers);
        while (holds(options, 8) && frame[options + 1] != 0) {
            const bool link_layer = frame[options] == 1 || frame[options] == 2;
            if (link_layer && frame[options + 1] == 1) mac(options + 2, covers);
            options += std::size_t{frame[options + 1]} * 8;
        }
    }

    void icmp(std::size_t at, int version, const Covers& covers, int depth) {
        const std::uint8_t type = frame[at];
        const bool redirect = version == 4 && type == 5;
        const bool quotes = version == 4 ? type == 3 || type == 4 || type == 11 || type == 12 || redirect
                                         : type >= 1 && type <= 4;
        if (redirect) address(at + 4, 4, covers);
        if (quotes && depth < max_quotes && holds(at + 8, 20)) ip_packet(at + 8, covers, depth + 1);
        if (version == 6) neighbour_discovery(at, covers);
    }

    void ip_packet(std::size_t at, const Covers& covers, int depth) {
        PacketView view;
        view.bytes = frame.subspan(at);
        view.original_length = static_cast<std::uint32_t>(view.bytes.size());
        view.link = link_type::raw_ip;
        ip_headers(dissect(view), at, covers, depth);
    }

    /// `headers` has its offsets from `base`; `outer` cover the whole packet.
    void ip_headers(const Headers& headers, std::size_t base, const Covers& outer, int depth) {
        if (!headers.has_ip()) return;
        const std::size_t ip = base + headers.ip_offset;
        const int version = headers.ip_version;
        const std::size_t addresses = ip + (version == 4 ? 12 : 8), size = version == 4 ? 4 : 16;
        const IpAddress src = load(addresses, version), dst = load(addresses + size, version);

        ChecksumField header_sum{ip + 10, false, outer}, transport_sum{0, false, outer};
        const std::size_t transport =
            headers.transport_offset == Headers::none ? frame.size() : base + headers.transport_offset;
        bool pseudo_header = true;
        switch (headers.protocol) {
            case ip_protocol::tcp:
                transport_sum.offset = transport + 16;
                break;
            case ip_protocol::udp:
                transport_sum.offset = transport + 6;
                transport_sum.zero_means_none = true;
                break;
            case ip_protocol::icmpv6:
                transport_sum.offset = transport + 2;
                break;
            case ip_protocol::icmp:
                transport_sum.offset = transport + 2;
                pseudo_header = false;
                break;
            default:
                transport_sum.offset = frame.size();
                break;
        }
        const bool has_sum = holds(transport_sum.offset, 2);

        Covers over_addresses = outer, over_transport = outer;
        if (version == 4) over_addresses.push_back(&header_sum);
        if (has_sum) over_transport.push_back(&transport_sum);
        if (has_sum && pseudo_header) over_addresses.push_back(&transport_sum);

        if ((headers.protocol == ip_protocol::tcp || headers.protocol == ip_protocol::udp) &&
            holds(transport, 4)) {
            port(transport, headers.protocol, src, over_transport);
            port(transport + 2, headers.protocol, dst, over_transport);
        } else if (headers.protocol == (version == 4 ? ip_protocol::icmp : ip_protocol::icmpv6) &&
                   holds(transport, 8)) {
            icmp(transport, version, over_transport, depth);
        }
        address(addresses, version, over_addresses);
        address(addresses + size, version, over_addresses);
    }
};

}  // namespace

void SessionIdentity::rewrite(std::span<std::uint8_t> frame) {
    Rewriter rewriter{*this, frame};
    PacketView view;
    view.bytes = frame;
    view.original_length = static_cast<std::uint32_t>(frame.size());
    const Headers outer = dissect(view), inner = dissect(view, Tunnels::innermost);
    rewriter.mac(0, {});
    rewriter.mac(6, {});
    std::size_t ether_type = 12;
    while (rewriter.holds(ether_type, 6) &&
           (load16(&frame[ether_type]) == 0x8100 || load16(&frame[ether_type]) == 0x88A8))
        ether_type += 4;
    if (rewriter.holds(ether_type, 2) && load16(&frame[ether_type]) == 0x0806) rewriter.arp(ether_type + 2);
    // The inner packet first: no checksum of the outer one covers it, except that of GRE, which is optional
    // and hardly used.
    if (inner.ip_offset != outer.ip_offset) rewriter.ip_headers(inner, 0, {}, 0);
    rewriter.ip_headers(outer, 0, {}, 0);
}

}  // namespace tracebench
