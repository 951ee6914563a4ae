#pragma once
/// TCP options as layout (which kinds, how long, in which order) and values.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "traffic/rules/tcp_options.h"

namespace tracebench {

/// Calls `visit(kind, value)` for each well-formed option; `Byte` may be const.
template <typename Byte, typename Visit>
void visit_tcp_options(std::span<Byte> bytes, const Visit& visit) {
    TcpOptions options(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    while (options.next()) visit(options.kind(), bytes.subspan(options.offset() + 2, options.length() - 2));
}

/// The well-formed options with zeros for their values.
inline std::vector<std::uint8_t> tcp_option_layout(std::span<const std::uint8_t> bytes) {
    std::vector<std::uint8_t> layout(bytes.begin(), bytes.end());
    TcpOptions options(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    while (options.next()) std::fill_n(layout.begin() + options.offset() + 2, options.length() - 2, 0);
    if (options.malformed()) layout.resize(options.offset());
    return layout;
}

}  // namespace tracebench
