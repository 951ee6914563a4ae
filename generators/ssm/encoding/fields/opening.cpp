#include "generators/ssm/encoding/fields/opening.h"

#include <algorithm>

#include "generators/baseline/session_identity.h"
#include "generators/ssm/encoding/fields/extent.h"
#include "generators/ssm/encoding/fields/item_bytes.h"

namespace tracebench::ssm {
namespace {

constexpr int max_draws = 64;

struct KindInfo {
    std::uint8_t protocol;
    int version;
};
constexpr std::array<KindInfo, code::kinds> kinds{{{ip_protocol::tcp, 4},
                                                   {ip_protocol::tcp, 6},
                                                   {ip_protocol::udp, 4},
                                                   {ip_protocol::udp, 6},
                                                   {ip_protocol::icmp, 4},
                                                   {ip_protocol::icmpv6, 6}}};

constexpr std::array items_with_ports{
    Item::begun,       Item::kind,  Item::source_host,      Item::destination_host,
    Item::source_port, Item::topic, Item::destination_port, Item::topic,
    Item::extent,      Item::ending};
constexpr std::array items_without_ports{Item::begun, Item::kind,  Item::source_host, Item::destination_host,
                                         Item::topic, Item::extent};

bool has_ports(std::uint8_t protocol) {
    return protocol == ip_protocol::tcp || protocol == ip_protocol::udp;
}

std::span<const Item> items_of(std::uint8_t protocol) {
    if (!has_ports(protocol)) return items_without_ports;
    const std::size_t without_ending = protocol == ip_protocol::tcp ? 0 : 1;
    return std::span(items_with_ports).first(items_with_ports.size() - without_ending);
}

int port_base() {
    return static_cast<int>(known_ports().size());
}

int ephemeral_kind(std::uint16_t port) {
    return port >= 49152   ? code::ephemeral_dynamic
           : port >= 32768 ? code::ephemeral_middle
                           : code::ephemeral_low;
}

}  // namespace

std::span<const Item> opening_items(int kind) {
    return items_of(kinds[static_cast<std::size_t>(kind)].protocol);
}

std::optional<Item> Opening::next() const {
    const std::span<const Item> items = items_of(flow_.protocol);
    const auto at = static_cast<std::size_t>(items_);
    return at < items.size() ? std::optional(items[at]) : std::nullopt;
}

bool Opening::ported() const {
    return has_ports(flow_.protocol);
}

std::size_t Opening::side() const {
    return *next() == Item::source_host || *next() == Item::source_port ? 0 : 1;
}

bool Opening::allowed(int value, std::span<const std::uint8_t> bytes, bool legal) const {
    const std::optional<Item> item = next();
    if (!item) return false;
    if (*item == Item::kind) return value < code::kinds;
    if (*item == Item::extent) return value > 0;
    if (*item == Item::ending) return true;
    if (is_context(*item)) return true;
    if (*item == Item::source_host || *item == Item::destination_host) {
        // Both ends are of one IP version, and should be two hosts.
        const auto fits = [&](int rank) {
            if (rank >= book_->host_count()) return false;
            const IpAddress& address = book_->host(book_->host_at(rank)).address;
            return address.version == ip_version_ && (!legal || (may_be_end(address) && !is_taken(address)));
        };
        if (value < code::near_hosts) return fits(value);
        if (value == code::far_host)
            return bytes.size() < 2 ? book_->host_count() > code::near_hosts : fits(bytes[0] << 8 | bytes[1]);
        const bool six = value == code::literal6 || (value >= code::new_link6 && value <= code::new_global6);
        if ((ip_version_ == 6) != six) return false;
        if (!legal || (value != code::literal4 && value != code::literal6)) return true;
        if (bytes.empty()) return !flow_.tcp();
        IpAddress address{static_cast<std::uint8_t>(ip_version_), {}};
        std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
        return address_kind(address) == AddressKind::fixed && may_be_end(address) && !is_taken(address);
    }
    const auto known = port(value, bytes);
    if (!known) return true;  // to be drawn, or bytes to come
    if (legal && *known == 0) return false;
    if (*item == Item::source_port) return true;
    return !legal || !book_->is_live(flow_.protocol, flow_.ends[0], {flow_.ends[1].address, *known});
}

/// Whether a second host must not have this address: the first has it, or, where there are no ports to tell
/// flows apart, a live flow is between the two already.
bool Opening::is_taken(const IpAddress& address) const {
    if (*next() == Item::source_host) return false;
    return address == flow_.ends[0].address ||
           (!ported() && book_->is_live(flow_.protocol, flow_.ends[0], {address, 0}));
}

/// TCP is between hosts (RFC 9293, MUST-57). Others may be sent to a group, or by one who has no address yet.
bool Opening::may_be_end(const IpAddress& address) const {
    if (address_kind(address) != AddressKind::fixed) return true;
    const auto& b = address.bytes;
    const auto all = [&](std::size_t size, std::uint8_t value) {
        return std::all_of(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(size),
                           [&](std::uint8_t byte) { return byte == value; });
    };
    const bool four = address.version == 4;
    if (flow_.tcp()) return false;
    if (*next() == Item::source_host) return all(four ? 4 : 16, 0);
    if (four) return (b[0] >= 224 && b[0] < 240) || all(4, 255);
    return b[0] == 0xFF && has_multicast6_scope(b[1]) && has_multicast6_flags(b[1]);
}

std::optional<std::uint16_t> Opening::port(int value, std::span<const std::uint8_t> bytes) const {
    if (value < port_base()) return known_ports()[static_cast<std::size_t>(value)];
    switch (value - port_base()) {
        case code::same_as_before: {
            const int host = flow_.hosts[side()];
            return host >= 0 ? book_->host(host).last_port : std::uint16_t{0};
        }
        case code::literal_port:
            if (bytes.size() < 2) return std::nullopt;
            return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
        default:
            return std::nullopt;
    }
}

void Opening::accept(int value, std::span<const std::uint8_t> bytes, Identities& identities) {
    const Item item = *next();
    const int draws = identities.redraws() ? max_draws : 1;
    if (item == Item::extent) {
        flow_.plan.packets = identities.extent(value);
    } else if (item == Item::ending) {
        flow_.plan.ending = static_cast<Ending>(value);
    } else if (item == Item::kind) {
        flow_.protocol = kinds[static_cast<std::size_t>(value)].protocol;
        ip_version_ = kinds[static_cast<std::size_t>(value)].version;
    } else if (item == Item::source_host || item == Item::destination_host) {
        IpAddress& address = flow_.ends[side()].address;
        int& host = flow_.hosts[side()];
        host = -1;
        if (value <= code::far_host) {
            const int rank = value < code::far_host ? value : bytes[0] << 8 | bytes[1];
            host = book_->host_at(rank);
            address = book_->host(host).address;
        } else if (value == code::literal4 || value == code::literal6) {
            address = {static_cast<std::uint8_t>(value == code::literal4 ? 4 : 6), {}};
            std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
        } else {
            // Not new where a block is used up.
            for (int draw = 0; draw < draws && (draw == 0 || is_taken(address)); ++draw)
                address = identities.address(value);
        }
    } else if (!is_context(item)) {
        const std::optional<std::uint16_t> known = port(value, bytes);
        const auto is_live = [&] {
            return item == Item::destination_port &&
                   book_->is_live(flow_.protocol, flow_.ends[0], flow_.ends[1]);
        };
        if (known) end().port = *known;
        for (int draw = 0; !known && draw < draws && (draw == 0 || is_live()); ++draw)
            end().port = identities.port(value - port_base());
    }
    ++items_;
}

void Opening::accept_other(Identities& identities) {
    const bool host = *next() == Item::source_host || *next() == Item::destination_host;
    const int new_host = ip_version_ == 4 ? code::new_global4 : code::new_global6;
    accept(host ? new_host : port_base() + code::ephemeral_dynamic, {}, identities);
}

std::vector<OpeningItem> write_opening(const SessionBook& book, const Record& record, const FlowPlan& plan,
                                       std::uint64_t begun, int topic, RecordedIdentities& identities) {
    std::vector<OpeningItem> items;
    const PacketFields& f = record.fields;
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const KindInfo& info) {
        return info.protocol == f.protocol && info.version == record.version();
    });
    items.push_back({{Item::begun, begun_code(begun, book.last_version())}, {}});
    items.push_back({{Item::kind, static_cast<int>(kind - kinds.begin())}, {}});
    const auto add_host = [&](Item item, const IpAddress& address) {
        if (const auto rank = book.host_rank(address)) {
            if (*rank < code::near_hosts)
                items.push_back({{item, *rank}, {}});
            else
                items.push_back({{item, code::far_host}, bytes16(static_cast<std::uint32_t>(*rank))});
        } else if (const int host = new_host_kind(address); host != no_new_host) {
            items.push_back({{item, host}, {}});
            identities.addresses.push_back(address);
        } else {
            const bool v4 = address.version == 4;
            items.push_back({{item, v4 ? code::literal4 : code::literal6},
                             {address.bytes.begin(), address.bytes.begin() + (v4 ? 4 : 16)}});
        }
    };
    add_host(Item::source_host, f.src.address);
    add_host(Item::destination_host, f.dst.address);
    const OpeningItem size{{Item::extent, extent_bucket(plan.packets)}, {}};
    identities.extents.push_back(plan.packets);
    const OpeningItem again{{Item::topic, topic}, {}};
    if (!record.tcp() && !record.udp()) {
        items.push_back(again);
        items.push_back(size);
        return items;
    }

    const std::optional<Direction> client = client_side(f.src, f.dst);
    const auto add_port = [&](Item item, const Endpoint& end, bool is_client) {
        const auto rank = book.host_rank(end.address);
        if (const auto known = known_port(end.port)) {
            items.push_back({{item, *known}, {}});
        } else if (rank && book.host(book.host_at(*rank)).last_port == end.port) {
            items.push_back({{item, port_base() + code::same_as_before}, {}});
        } else if (is_client && end.port >= 1024) {
            items.push_back({{item, port_base() + ephemeral_kind(end.port)}, {}});
            identities.ports.push_back(end.port);
        } else {
            items.push_back({{item, port_base() + code::literal_port}, bytes16(end.port)});
        }
    };
    add_port(Item::source_port, f.src, client == Direction::forward);
    items.push_back(again);
    add_port(Item::destination_port, f.dst, client == Direction::reverse);
    items.push_back(again);
    items.push_back(size);
    if (record.tcp()) items.push_back({{Item::ending, static_cast<int>(plan.ending)}, {}});
    return items;
}

}  // namespace tracebench::ssm
