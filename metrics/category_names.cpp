#include <fmt/format.h>

#include "metrics/field_codes.h"
#include "metrics/observations.h"

namespace tracebench {

std::string category_name(const FieldInfo& field, double value) {
    const auto code = static_cast<std::uint64_t>(value);
    const auto small = static_cast<std::uint32_t>(code);
    const std::string& name = field.name;
    if (name == "ip.protocol" || name == "flow.protocol")
        return protocol_name(static_cast<std::uint8_t>(code));
    if (name == "packet.direction") return code == 0 ? "forward" : "reverse";
    if (name == "ip.df" || name == "flow.handshake" || name == "flow.closed") return code == 0 ? "no" : "yes";
    if ((name == "src.port" || name == "dst.port") && code == 1024) return "1024-32767";
    if (name.ends_with(".port") || name == "flow.service_port") return codes::port_name(small);
    if (name == "tcp.flags") return codes::tcp_flags_name(small);
    if (name == "tcp.options") return codes::tcp_options_name(code);
    if (name == "joint.direction_flags")
        return fmt::format("{} {}", small < 256 ? "fwd" : "rev", codes::tcp_flags_name(small % 256));
    if (name == "joint.flags_size")
        return fmt::format("{} {}", codes::tcp_flags_name(small / 8), codes::size_class_name(small % 8));
    if (name == "joint.size_bigram")
        return fmt::format("{} > {}", codes::packet_class_name(small / 16),
                           codes::packet_class_name(small % 16));
    if (name == "joint.ip_id_step") return codes::ip_id_step_name(small);
    return fmt::format("{}", code);
}

}  // namespace tracebench
