#include "traffic/application_names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "traffic/bytes.h"

namespace tracebench {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t longest_name = 255;  // RFC 1035 section 2.3.4: lengths and the root included
constexpr std::size_t most_questions = 64;
constexpr std::size_t longest_head = 16384;  // of an HTTP request that is searched for its Host

bool plain(std::uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

void append_readable(std::string& name, std::uint8_t c, bool dot_is_plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<std::uint8_t>(c - 'A' + 'a');
    if (plain(c) || (dot_is_plain && c == '.')) {
        name += static_cast<char>(c);
        return;
    }
    name += '\\';
    for (const int unit : {100, 10, 1}) name += static_cast<char>('0' + c / unit % 10);
}

std::string readable(Bytes text) {
    std::string name;
    for (const std::uint8_t c : text) append_readable(name, c, true);
    return name;
}

/// Reads fields one after the other. Where one is not wholly there, that and all later ones fail.
class Reader {
  public:
    explicit Reader(Bytes bytes) : bytes_(bytes) {}

    bool ok() const { return ok_; }
    /// Big-endian, of `size` bytes; 0 after a failure.
    std::size_t number(std::size_t size) {
        std::size_t value = 0;
        for (const std::uint8_t byte : take(size)) value = value << 8 | byte;
        return value;
    }
    Bytes take(std::size_t size) {
        ok_ = ok_ && size <= bytes_.size();
        if (!ok_) return {};
        const Bytes part = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return part;
    }
    /// The rest ends where its length field says, or where the capture does.
    void limit(std::size_t size) { bytes_ = bytes_.first(std::min(size, bytes_.size())); }

  private:
    Bytes bytes_;
    bool ok_ = true;
};

/// The first host_name (type 0) of a ServerNameList.
std::optional<std::string> first_host_name(Reader list) {
    list.limit(list.number(2));
    while (list.ok()) {
        const std::size_t type = list.number(1);
        const Bytes name = list.take(list.number(2));
        if (!list.ok()) break;
        if (type != 0) continue;
        if (name.empty() || name.size() > longest_name) break;
        return readable(name);
    }
    return std::nullopt;
}

/// Appends the name at `at` and moves `at` behind it. False where it is cut or malformed.
bool read_dns_name(Bytes message, std::size_t& at, std::string& name) {
    std::size_t place = at, total = 0;
    bool jumped = false;
    while (place < message.size()) {
        const std::uint8_t length = message[place];
        if (length == 0) {
            if (!jumped) at = place + 1;
            return true;
        }
        if ((length & 0xC0) == 0xC0) {
            if (place + 1 >= message.size()) return false;
            const std::size_t target = load16(&message[place]) & 0x3FFFU;
            if (target >= place) return false;
            if (!jumped) at = place + 2;
            jumped = true;
            place = target;
            // Every jump goes back, but labels lead forward again: their total bounds the walk.
            if (++total > longest_name) return false;
            continue;
        }
        if ((length & 0xC0) != 0 || message.size() - place - 1 < length) return false;
        if ((total += length + std::size_t{1}) >= longest_name) return false;
        if (!name.empty()) name += '.';
        for (const std::uint8_t c : message.subspan(place + 1, length)) append_readable(name, c, false);
        place += length + std::size_t{1};
    }
    return false;
}

bool same_without_case(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_request_line(std::string_view line) {
    constexpr std::array<std::string_view, 9> methods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                         "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    const std::string_view method = line.substr(0, line.find(' '));
    return std::find(methods.begin(), methods.end(), method) != methods.end() &&
           line.find(" HTTP/1.") != std::string_view::npos;
}

/// `host`, `host:port`, `[2001:db8::1]:port`.
std::string_view without_port(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

}  // namespace

std::optional<std::string> tls_server_name(std::span<const std::uint8_t> payload) {
    constexpr std::size_t handshake = 22, client_hello = 1, server_name = 0;
    Reader reader(payload);
    if (reader.number(1) != handshake) return std::nullopt;
    reader.take(2);  // legacy_record_version
    reader.limit(reader.number(2));
    if (reader.number(1) != client_hello) return std::nullopt;
    reader.limit(reader.number(3));
    reader.take(2 + 32);            // legacy_version, random
    reader.take(reader.number(1));  // legacy_session_id
    reader.take(reader.number(2));  // cipher_suites
    reader.take(reader.number(1));  // legacy_compression_methods
    reader.limit(reader.number(2));
    while (reader.ok()) {
        const std::size_t type = reader.number(2);
        const Bytes extension = reader.take(reader.number(2));
        if (reader.ok() && type == server_name) return first_host_name(Reader(extension));
    }
    return std::nullopt;
}

std::vector<std::string> dns_question_names(std::span<const std::uint8_t> message) {
    constexpr std::size_t header = 12;
    std::vector<std::string> names;
    if (message.size() < header) return names;
    const std::size_t questions = std::min<std::size_t>(load16(&message[4]), most_questions);
    std::size_t at = header;
    for (std::size_t i = 0; i < questions; ++i) {
        std::string name;
        if (!read_dns_name(message, at, name)) break;
        at += 4;  // QTYPE, QCLASS
        if (!name.empty()) names.push_back(std::move(name));
    }
    return names;
}

std::optional<std::string> http_host(std::span<const std::uint8_t> payload) {
    std::string_view head(reinterpret_cast<const char*>(payload.data()),
                          std::min(payload.size(), longest_head));
    bool first = true;
    for (std::size_t end; (end = head.find("\r\n")) != std::string_view::npos; head.remove_prefix(end + 2)) {
        const std::string_view line = head.substr(0, end);
        if (line.empty() || (first && !is_request_line(line))) return std::nullopt;
        const std::size_t colon = line.find(':');
        if (!first && colon != std::string_view::npos && same_without_case(line.substr(0, colon), "host")) {
            const std::string_view host = without_port(trimmed(line.substr(colon + 1)));
            if (host.empty() || host.size() > longest_name) return std::nullopt;
            std::string name;
            for (const char c : host) {
                // As an IPv6 literal is written.
                if (c == '[' || c == ']' || c == ':')
                    name += c;
                else
                    append_readable(name, static_cast<std::uint8_t>(c), true);
            }
            return name;
        }
        first = false;
    }
    return std::nullopt;
}

}  // namespace tracebench
