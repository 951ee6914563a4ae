#pragma once
/// Bytes as text that JSON, URIs and mails can hold.

#include <string>
#include <string_view>

namespace tracebench {

/// RFC 4648, section 4, with padding.
std::string base64(std::string_view bytes);

}  // namespace tracebench
