#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "generators/diffusion/ports.h"
#include "generators/diffusion/repair/steps.h"
#include "generators/fresh_identifiers.h"

namespace tracebench::diffusion {
namespace {

/// A number of 16 or 32 bits that each row of a flow says: the most frequent one, if two rows and a tenth of
/// all agree on it, else the majority of each bit. Where every row has wrong bits of its own only the latter
/// finds what was meant; where rows of two flows are mixed it would make a number that nobody said.
class Vote {
  public:
    void add(BitsView row, Field f, const std::vector<bool>& known) {
        bool whole = true;
        for (std::size_t i = 0; i < f.width; ++i) {
            if (!known[f.first + i] || row[f.first + i] < 0) {
                whole = false;
                continue;
            }
            balance_[i] += row[f.first + i] > 0 ? 1 : -1;
            any_ = true;
        }
        ++rows_;
        if (whole) ++counts_[get(row, f)];
    }
    bool any() const { return any_; }
    /// Of equally frequent ones the smallest.
    std::uint32_t result(std::size_t width) const {
        const auto most =
            std::ranges::max_element(counts_, {}, [](const auto& entry) { return entry.second; });
        if (most != counts_.end() && most->second >= 2 && 10 * most->second >= rows_) return most->first;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < width; ++i) value = value << 1 | (balance_[i] > 0 ? 1U : 0U);
        return value;
    }

  private:
    std::map<std::uint32_t, std::size_t> counts_;
    std::size_t rows_ = 0;
    std::array<std::int32_t, 32> balance_{};
    bool any_ = false;
};

IpAddress ipv4_address(std::uint32_t value) {
    IpAddress address;
    address.version = 4;
    for (std::size_t i = 0; i < 4; ++i) address.bytes[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    return address;
}
std::uint32_t number(const IpAddress& address) {
    const auto& b = address.bytes;
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

/// As the rules ipv4.source, ipv4.destination, ipv4.loopback and tcp.unicast ask of an end that sends.
bool is_host(const IpAddress& address) {
    if (address.version == 6) return address.bytes[0] != 0xFF && address_kind(address) != AddressKind::fixed;
    return address.bytes[0] != 0 && address.bytes[0] != 127 && address.bytes[0] < 224;
}
bool is_unspecified(const IpAddress& address) {
    return std::all_of(address.bytes.begin(), address.bytes.end(), [](std::uint8_t b) { return b == 0; });
}
bool is_group(const IpAddress& address) {
    if (address.version == 6) return address.bytes[0] == 0xFF;
    return (address.bytes[0] >= 224 && address.bytes[0] < 240) || number(address) == 0xFFFFFFFF;
}

class Ends {
  public:
    explicit Ends(Draft& draft) : draft_(draft), fresh_(draft.random) {}

    void run() {
        for (DraftFlow& flow : draft_.flows) {
            if (flow.rows.empty()) continue;
            choose_addresses(flow);
            if (has_ports(flow.protocol)) choose_ports(flow);
            for (const std::uint32_t r : flow.rows) store(flow, draft_.rows[r]);
        }
    }

  private:
    Vote vote(const DraftFlow& flow, bool of_source, Field source, Field destination) const {
        Vote result;
        for (const std::uint32_t r : flow.rows) {
            const DraftRow& row = draft_.rows[r];
            const bool sends = (row.direction == Direction::forward) == of_source;
            const bool has_field = row.has_transport || source.first < field::tcp;
            if (has_field) result.add(row.bits, sends ? source : destination, draft_.image.known);
        }
        return result;
    }
    bool is_answered(const DraftFlow& flow) const {
        return std::any_of(flow.rows.begin(), flow.rows.end(),
                           [&](std::uint32_t r) { return draft_.rows[r].direction == Direction::reverse; });
    }

    void choose_addresses(DraftFlow& flow) {
        const bool answered = is_answered(flow);
        const bool group_allowed = !answered && flow.protocol != ip_protocol::tcp;
        const std::uint8_t version = flow.ipv6 ? 6 : 4;
        for (const bool of_source : {true, false}) {
            IpAddress& address = flow.ends[of_source ? 0 : 1].address;
            if (!flow.ipv6) {
                const Vote votes = vote(flow, of_source, field::source, field::destination);
                if (votes.any()) address = ipv4_address(votes.result(32));
            }
            const bool group = !of_source && group_allowed && is_group(address);
            const bool asks =
                of_source && !answered && flow.protocol == ip_protocol::udp && is_unspecified(address);
            if (address.version == version && (is_host(address) || group || asks)) continue;
            if (address.version == 4 && version == 4 && !is_unspecified(address)) {
                address.bytes[0] = 10;  // as the rule table repairs it
            } else {
                address = invent(of_source, version);
            }
        }
        // One host does not talk to itself over a network.
        if (flow.ends[0].address == flow.ends[1].address)
            flow.ends[1].address.bytes[version == 4 ? 3 : 15] ^= 1;
    }

    /// One private client for all flows, a public server each.
    IpAddress invent(bool of_source, std::uint8_t version) {
        IpAddress& client = clients_[version == 6];
        if (of_source && client.version != 0) return client;
        IpAddress example;
        if (version == 4) {
            example = ipv4_address(of_source ? 0x0A000001 : 0x08080808);
        } else {
            example = IpAddress{6, {0x20, 0x01}};
            if (of_source) example.bytes[0] = 0xFD;
        }
        const IpAddress drawn = fresh_.draw(example);
        if (of_source) client = drawn;
        return drawn;
    }

    void choose_ports(DraftFlow& flow) {
        const PortFields fields = port_fields(flow.protocol);
        for (const bool of_source : {true, false}) {
            const Vote votes = vote(flow, of_source, fields.source, fields.destination);
            std::uint16_t& port = flow.ends[of_source ? 0 : 1].port;
            if (votes.any()) port = static_cast<std::uint16_t>(votes.result(16));
            if (port == 0) port = ephemeral();
        }
        const auto ends = [&] { return std::pair{flow.protocol, std::minmax(flow.ends[0], flow.ends[1])}; };
        // A SYN begins a flow anew where the ends are the same; others would become one with the earlier
        // flow.
        const bool begins = get(draft_.rows[flow.rows.front()].bits, field::syn_flag) != 0;
        constexpr int draws = 64;
        for (int draw = 0; draw < draws && flow.protocol == ip_protocol::tcp && !begins; ++draw) {
            if (!taken_.contains(ends())) break;
            flow.ends[0].port = ephemeral();
        }
        taken_.insert(ends());
    }

    std::uint16_t ephemeral() {
        return static_cast<std::uint16_t>(first_ephemeral_port + draft_.random.below(ephemeral_ports));
    }

    static void store(const DraftFlow& flow, DraftRow& row) {
        const bool forward = row.direction == Direction::forward;
        const Endpoint &from = flow.ends[forward ? 0 : 1], &to = flow.ends[forward ? 1 : 0];
        if (!flow.ipv6) {
            put(row.bits, field::source, number(from.address));
            put(row.bits, field::destination, number(to.address));
        }
        if (!row.has_transport || !has_ports(flow.protocol)) return;
        const PortFields ports = port_fields(flow.protocol);
        put(row.bits, ports.source, from.port);
        put(row.bits, ports.destination, to.port);
    }

    Draft& draft_;
    FreshAddresses fresh_;
    IpAddress clients_[2];  ///< invented ones, IPv4 and IPv6
    std::set<std::pair<std::uint8_t, std::pair<Endpoint, Endpoint>>> taken_;
};

}  // namespace

void choose_ends(Draft& draft) {
    Ends(draft).run();
}

}  // namespace tracebench::diffusion
