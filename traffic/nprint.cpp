#include "traffic/nprint.h"

#include <fmt/format.h>

#include <algorithm>

#include "traffic/bytes.h"
#include "traffic/nprint_parts.h"

namespace tracebench {
namespace {

using Bytes = std::span<const std::uint8_t>;

struct FieldSpec {
    std::string_view name;
    std::uint16_t width;
    enum { plain, identifier, counter, checksum } role = plain;
};

constexpr FieldSpec specs[] = {
    {"ipv4_ver", 4},
    {"ipv4_hl", 4},
    {"ipv4_tos", 8},
    {"ipv4_tl", 16},
    {"ipv4_id", 16, FieldSpec::counter},
    {"ipv4_rbit", 1},
    {"ipv4_dfbit", 1},
    {"ipv4_mfbit", 1},
    {"ipv4_foff", 13},
    {"ipv4_ttl", 8},
    {"ipv4_proto", 8},
    {"ipv4_cksum", 16, FieldSpec::checksum},
    {"ipv4_src", 32, FieldSpec::identifier},
    {"ipv4_dst", 32, FieldSpec::identifier},
    {"ipv4_opt", 320},
    {"tcp_sprt", 16, FieldSpec::identifier},
    {"tcp_dprt", 16, FieldSpec::identifier},
    {"tcp_seq", 32, FieldSpec::counter},
    {"tcp_ackn", 32, FieldSpec::counter},
    {"tcp_doff", 4},
    {"tcp_res", 3},
    {"tcp_ns", 1},
    {"tcp_cwr", 1},
    {"tcp_ece", 1},
    {"tcp_urg", 1},
    {"tcp_ackf", 1},
    {"tcp_psh", 1},
    {"tcp_rst", 1},
    {"tcp_syn", 1},
    {"tcp_fin", 1},
    {"tcp_wsize", 16},
    {"tcp_cksum", 16, FieldSpec::checksum},
    {"tcp_urp", 16},
    {"tcp_opt", 320},
    {"udp_sport", 16, FieldSpec::identifier},
    {"udp_dport", 16, FieldSpec::identifier},
    {"udp_len", 16},
    {"udp_cksum", 16, FieldSpec::checksum},
    {"icmp_type", 8},
    {"icmp_code", 8},
    {"icmp_cksum", 16, FieldSpec::checksum},
    {"icmp_roh", 32},
};

constexpr auto make_fields() {
    std::array<NprintField, std::size(specs)> fields;
    std::uint16_t first = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const FieldSpec& spec = specs[i];
        fields[i] = {spec.name,
                     first,
                     spec.width,
                     spec.role == FieldSpec::identifier,
                     spec.role == FieldSpec::counter,
                     spec.role == FieldSpec::checksum};
        first = static_cast<std::uint16_t>(first + spec.width);
    }
    return fields;
}
constexpr auto fields = make_fields();
static_assert(fields.back().first + fields.back().width == kNprintColumns);

constexpr std::size_t tcp_column = 8 * kNprintIpv4Bytes, udp_column = tcp_column + 8 * kNprintTcpBytes,
                      icmp_column = udp_column + 8 * kNprintUdpBytes;

/// The eight bits of each byte value, most significant first.
constexpr auto bits_of_byte = [] {
    std::array<std::array<std::int8_t, 8>, 256> table{};
    for (std::size_t value = 0; value < 256; ++value)
        for (std::size_t bit = 0; bit < 8; ++bit)
            table[value][bit] = static_cast<std::int8_t>(value >> (7 - bit) & 1);
    return table;
}();

void put_bits(Bytes header, std::int8_t* out) {
    for (const std::uint8_t byte : header) out = std::copy_n(bits_of_byte[byte].begin(), 8, out);
}

/// The bytes of one header's columns: at least `fixed` bytes where any bit is present, options up to their
/// last bit. Empty where no bit is.
std::vector<std::uint8_t> header_bytes(std::span<const std::int8_t> columns, std::size_t fixed) {
    std::size_t last = columns.size();
    while (last > 0 && columns[last - 1] < 0) --last;
    if (last == 0) return {};
    std::vector<std::uint8_t> bytes(std::max(fixed, (last + 7) / 8));
    for (std::size_t i = 0; i < last; ++i)
        if (columns[i] > 0) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | 0x80 >> i % 8);
    return bytes;
}

}  // namespace

std::span<const NprintField> nprint_fields() {
    return fields;
}

const NprintField* find_nprint_field(std::string_view name) {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; });
    return found == fields.end() ? nullptr : &*found;
}

std::string nprint_column_name(std::size_t column) {
    const auto next = std::upper_bound(fields.begin(), fields.end(), column,
                                       [](std::size_t c, const auto& f) { return c < f.first; });
    const NprintField& field = *(next - 1);
    return fmt::format("{}_{}", field.name, column - field.first);
}

bool nprint_row(const PacketView& packet, const Headers& headers,
                std::span<std::int8_t, kNprintColumns> row) {
    return nprint_row(nprint_parts(packet, headers), row);
}

bool nprint_row(const NprintParts& parts, std::span<std::int8_t, kNprintColumns> row) {
    std::fill(row.begin(), row.end(), std::int8_t{-1});
    put_bits(parts.ipv4, row.data());
    put_bits(parts.tcp, row.data() + tcp_column);
    put_bits(parts.udp, row.data() + udp_column);
    put_bits(parts.icmp, row.data() + icmp_column);
    return parts.has_row;
}

std::optional<NprintPacket> nprint_packet(std::span<const std::int8_t, kNprintColumns> row) {
    NprintPacket packet;
    packet.bytes = header_bytes(row.first(tcp_column), 20);
    if (packet.bytes.empty()) return std::nullopt;

    struct {
        std::uint8_t protocol;
        std::vector<std::uint8_t> bytes;
    } transports[] = {
        {ip_protocol::tcp, header_bytes(row.subspan(tcp_column, udp_column - tcp_column), 20)},
        {ip_protocol::udp, header_bytes(row.subspan(udp_column, icmp_column - udp_column), 8)},
        {ip_protocol::icmp, header_bytes(row.subspan(icmp_column), 8)},
    };
    packet.ipv4_length = packet.bytes.size();
    const auto* chosen = &transports[0];
    for (const auto& transport : transports)
        if (!transport.bytes.empty() && (chosen->bytes.empty() || transport.protocol == packet.bytes[9]))
            chosen = &transport;
    if (!chosen->bytes.empty()) {
        packet.transport = chosen->protocol;
        packet.bytes.insert(packet.bytes.end(), chosen->bytes.begin(), chosen->bytes.end());
    }
    packet.original_length =
        std::max<std::uint32_t>(load16(&packet.bytes[2]), static_cast<std::uint32_t>(packet.bytes.size()));
    return packet;
}

}  // namespace tracebench
