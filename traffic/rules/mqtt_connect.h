#pragma once
/// The start of an MQTT CONNECT packet (MQTT 3.1.1 and 5.0, section 3.1), read from 12 bytes or more.

#include <cstdint>

namespace tracebench {

struct MqttConnect {
    std::uint32_t remaining_length = 0;  ///< what follows the fixed header, by its own word
    std::uint32_t fixed_size = 2;        ///< bytes of the fixed header
    std::uint32_t level_at = 0;          ///< offset of the protocol level; the connect flags follow
    bool old_name = false;               ///< `MQIsdp` of version 3.1

    /// Requires is_at(bytes).
    explicit MqttConnect(const std::uint8_t* bytes);

    /// Whether 12 bytes begin a CONNECT: its type, a length, and the first letters of the protocol's name.
    static bool is_at(const std::uint8_t* bytes);
};

}  // namespace tracebench
