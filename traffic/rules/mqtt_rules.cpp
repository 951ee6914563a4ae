/// MQTT CONNECT packets, which open every connection. OASIS MQTT 3.1.1 and 5.0, sections 2.1 and 3.1.

#include "traffic/rules/application.h"
#include "traffic/rules/mqtt_connect.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {

MqttConnect::MqttConnect(const std::uint8_t* bytes) {
    constexpr std::uint32_t most = 5;  // a type and four bytes of length
    fixed_size = 1;
    for (unsigned shift = 0; fixed_size < most; shift += 7) {
        const std::uint8_t byte = bytes[fixed_size++];
        remaining_length |= (byte & 0x7FU) << shift;
        if ((byte & 0x80) == 0) break;
    }
    old_name = bytes[fixed_size + 1] == 6;
    level_at = fixed_size + 2 + (old_name ? 6 : 4);
}

bool MqttConnect::is_at(const std::uint8_t* bytes) {
    if (bytes[0] >> 4 != 1) return false;
    std::uint32_t at = 1;
    while (at < 5 && (bytes[at] & 0x80) != 0) ++at;
    if (at == 5) return false;
    const std::uint8_t* const name = bytes + at + 1;
    return name[0] == 0 && (name[1] == 4 || name[1] == 6) && name[2] == 'M' && name[3] == 'Q';
}

namespace {

Verdict check_flags(const RulePacket& p) {
    return pass_if((payload(p)[0] & 0x0F) == 0);
}
void repair_flags(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[0] &= 0xF0;
}

/// Name, level, flags, keep-alive and the length of an identifier.
Verdict check_length(const RulePacket& p) {
    const MqttConnect connect(payload(p));
    return pass_if(connect.remaining_length >= (connect.old_name ? 14U : 12U));
}

Verdict check_level(const RulePacket& p) {
    const MqttConnect connect(payload(p));
    if (!payload_captured(p, connect.level_at, 1)) return Verdict::not_checkable;
    const unsigned level = payload(p)[connect.level_at] & 0x7FU;  // the first bit marks a bridge
    return pass_if(connect.old_name ? level == 3 : level == 4 || level == 5);
}

Verdict check_connect_flags(const RulePacket& p) {
    const MqttConnect connect(payload(p));
    if (!payload_captured(p, connect.level_at + 1, 1)) return Verdict::not_checkable;
    const unsigned flags = payload(p)[connect.level_at + 1];
    const unsigned will = flags & 0x04, quality = (flags >> 3) & 3, retain = flags & 0x20;
    return pass_if((flags & 1) == 0 && quality != 3 && (will != 0 || (quality == 0 && retain == 0)));
}
void repair_connect_flags(const RulePacket& p, MutablePacket& packet) {
    constexpr std::uint8_t clean_start = 2;
    payload(p, packet)[MqttConnect(payload(p)).level_at + 1] = clean_start;
}

Verdict check_direction(const RulePacket& p) {
    return pass_if(!comes_from_server(p));
}

constexpr RuleLayer layer = RuleLayer::mqtt;

constexpr Rule rules[] = {
    {"mqtt.reserved_flags", "the flags of a CONNECT packet are 0", "MQTT 3.1.1 section 2.2.2", "cleared",
     layer, check_flags, repair_flags},
    {"mqtt.remaining_length", "a CONNECT packet holds its variable header and a client identifier",
     "MQTT 3.1.1 section 3.1", "payload replaced by zeros", layer, check_length, blank_payload},
    {"mqtt.protocol_level", "the level is 3 for MQIsdp, 4 or 5 for MQTT", "MQTT 5.0 section 3.1.2.2",
     "payload replaced by zeros", layer, check_level, blank_payload},
    {"mqtt.connect_flags", "the reserved flag is 0, and quality and retain are 0 without a will",
     "MQTT 3.1.1 section 3.1.2", "set to a clean session", layer, check_connect_flags, repair_connect_flags},
    {"mqtt.direction", "CONNECT comes from the client", "MQTT 3.1.1 section 3.1", "payload replaced by zeros",
     layer, check_direction, blank_payload},
};

}  // namespace

std::span<const Rule> mqtt_rules() {
    return rules;
}

}  // namespace tracebench
