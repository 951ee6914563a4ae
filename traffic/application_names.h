#pragma once
/// Names that hosts put in clear at the beginning of a conversation: TLS SNI, DNS questions, HTTP Host.
///
/// The bytes are the transport payload as captured: cut anywhere, damaged or made to deceive. Nothing is read
/// beyond them, and what cannot be reached is absent. Names come out in lower case (they are compared without
/// case, RFC 4343) and printable: bytes other than letters, digits, `-`, `_` and `.` are `\DDD` in
/// decimal, as in RFC 1035 section 5.1.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tracebench {

/// The host_name of server_name (RFC 6066 section 3) in a ClientHello (RFC 8446 section 4.1.2) that begins
/// with the first byte and in one TLS record; the record may go on beyond what was captured. Nothing where
/// the name itself is cut, empty or longer than 255 bytes.
std::optional<std::string> tls_server_name(std::span<const std::uint8_t> payload);

/// The names of the question section (RFC 1035 section 4.1.2) of a query or response that begins with its
/// header (over TCP: after the two bytes of length), at most 64 of them, up to the first that is cut or
/// malformed. Compression pointers (section 4.1.4) must point backwards, which rules out loops. The root has
/// no name and is left out.
std::vector<std::string> dns_question_names(std::span<const std::uint8_t> message);

/// The host of the Host field (RFC 9112 section 3.2), without a port, of an HTTP/1 request that begins with
/// the first byte. Nothing where its line is cut, as what follows might belong to the name.
std::optional<std::string> http_host(std::span<const std::uint8_t> payload);

}  // namespace tracebench
