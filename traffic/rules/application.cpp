#include "traffic/rules/application.h"

#include <algorithm>
#include <string_view>

#include "traffic/rules/mqtt_connect.h"
#include "traffic/rules/quic_header.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

/// Enough to tell a message from zeros without reading whole payloads.
constexpr std::uint32_t looked_at = 64;

std::uint32_t captured_payload(const RulePacket& p) {
    const std::uint32_t end = std::min(p.end, p.headers.captured);
    return end > p.payload ? end - p.payload : 0;
}

bool is_blank(const RulePacket& p) {
    const std::uint8_t* const begin = payload(p);
    return std::all_of(begin, begin + std::min(captured_payload(p), looked_at),
                       [](std::uint8_t byte) { return byte == 0; });
}

/// RuleLayer::link where no application's rules are known for the port.
RuleLayer udp_application(std::uint16_t port) {
    switch (port) {
        case 53:
        case 5353:
            return RuleLayer::dns;
        case 67:
        case 68:
            return RuleLayer::dhcp;
        case 123:
            return RuleLayer::ntp;
        case 80:
        case 443:
        case 4433:
        case 8443:
            return RuleLayer::quic;
        default:
            return RuleLayer::link;
    }
}

RuleLayer tcp_application(std::uint16_t port) {
    switch (port) {
        case 443:
        case 465:
        case 636:
        case 853:
        case 993:
        case 995:
        case 5061:
        case 5223:
        case 5228:
        case 8443:
        case 8883:
            return RuleLayer::tls;
        case 80:
        case 3128:
        case 8000:
        case 8008:
        case 8080:
        case 8888:
            return RuleLayer::http;
        case 1883:
            return RuleLayer::mqtt;
        default:
            return RuleLayer::link;
    }
}

RuleLayer application_of(const RulePacket& p, std::uint16_t port) {
    return p.transport_layer == RuleLayer::udp ? udp_application(port) : tcp_application(port);
}

/// Bytes that have to be captured before the first rule can say anything.
std::uint32_t needed(RuleLayer layer) {
    switch (layer) {
        case RuleLayer::dns:
            return 12;
        case RuleLayer::dhcp:
            return 4;
        case RuleLayer::ntp:
            return 2;
        case RuleLayer::quic:
        case RuleLayer::tls:
            return 6;
        case RuleLayer::http:
            return 8;
        default:
            return 12;
    }
}

bool begins_with(const RulePacket& p, std::string_view text) {
    return captured_payload(p) >= text.size() && std::equal(text.begin(), text.end(), payload(p));
}

bool begins_http(const RulePacket& p) {
    constexpr std::string_view starts[] = {"GET ",     "POST ",    "HEAD ",   "PUT ",   "HTTP/",
                                           "OPTIONS ", "CONNECT ", "DELETE ", "PATCH ", "TRACE "};
    return std::any_of(std::begin(starts), std::end(starts),
                       [&](std::string_view start) { return begins_with(p, start); });
}

/// A handshake record that holds a ClientHello or a ServerHello: the first of its direction.
bool begins_tls(const RulePacket& p) {
    const std::uint8_t* const b = payload(p);
    return b[0] == 22 && b[1] == 3 && (b[5] == 1 || b[5] == 2);
}

/// Whether the first bytes are this application's.
bool is_recognised(const RulePacket& p, RuleLayer layer) {
    switch (layer) {
        case RuleLayer::ntp: {
            const unsigned mode = payload(p)[0] & 7;
            return mode != 6 && mode != 7;  // control and private messages have their own formats
        }
        case RuleLayer::quic:
            return QuicHeader::is_known(payload(p));
        case RuleLayer::tls:
            return begins_tls(p);
        case RuleLayer::http:
            return begins_http(p);
        case RuleLayer::mqtt:
            return MqttConnect::is_at(payload(p));
        default:
            return true;
    }
}

}  // namespace

void find_application(RulePacket& p) {
    const bool udp = p.transport_layer == RuleLayer::udp;
    if (p.transport_state != LayerState::readable || p.headers.is_fragment()) return;
    if (!udp && p.transport_layer != RuleLayer::tcp) return;
    const std::uint32_t header = udp ? 8 : (p.segment()[12] >> 4) * 4U;
    if (header < (udp ? 8U : 20U) || p.segment_length() <= header) return;
    RuleLayer layer = application_of(p, load16(p.segment() + 2));
    if (layer == RuleLayer::link) layer = application_of(p, load16(p.segment()));
    if (layer == RuleLayer::link) return;
    p.payload = p.transport + header;
    p.application_layer = layer;
    p.application_state = LayerState::broken;
    if (captured_payload(p) < needed(layer) || is_blank(p)) return;
    p.application_state = is_recognised(p, layer) ? LayerState::readable : LayerState::absent;
}

bool goes_to_server(const RulePacket& p) {
    return application_of(p, load16(p.segment() + 2)) == p.application_layer &&
           application_of(p, load16(p.segment())) != p.application_layer;
}
bool comes_from_server(const RulePacket& p) {
    return application_of(p, load16(p.segment())) == p.application_layer &&
           application_of(p, load16(p.segment() + 2)) != p.application_layer;
}

Verdict check_message_length(const RulePacket& p, std::uint32_t least) {
    if (captured_payload(p) == 0 || is_blank(p)) return Verdict::not_checkable;
    return pass_if(p.payload_length() >= least);
}

void blank_payload(const RulePacket& p, MutablePacket& packet) {
    std::fill_n(payload(p, packet), captured_payload(p), std::uint8_t{0});
}

}  // namespace tracebench
