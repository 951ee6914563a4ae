#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <sstream>

#include "datasets/ndpi.h"
#include "traffic/flow_key.h"

namespace tracebench {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

/// `192.0.2.1:443`, `[2001:db8::1]:443` or (as nDPI writes some) `2001:db8::1:443`.
bool parse_endpoint(std::string text, Endpoint& endpoint) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return false;
    const std::string port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return false;
    const unsigned long number = std::stoul(port);
    if (number > 65535) return false;
    endpoint.port = static_cast<std::uint16_t>(number);
    std::string address = text.substr(0, colon);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']')
        address = address.substr(1, address.size() - 2);
    endpoint.address = {};
    endpoint.address.version = address.find(':') == std::string::npos ? 4 : 6;
    return inet_pton(endpoint.address.version == 4 ? AF_INET : AF_INET6, address.c_str(),
                     endpoint.address.bytes.data()) == 1;
}

int protocol_number(const std::string& name) {
    static const std::map<std::string, int> numbers = {{"TCP", ip_protocol::tcp},   {"UDP", ip_protocol::udp},
                                                       {"ICMP", ip_protocol::icmp}, {"ICMPV6", ip_protocol::icmpv6},
                                                       {"SCTP", ip_protocol::sctp}, {"GRE", ip_protocol::gre},
                                                       {"IGMP", 2},                 {"VRRP", 112}};
    const auto found = numbers.find(name);
    if (found != numbers.end()) return found->second;
    const bool numeric = !name.empty() && name.size() <= 3 && name.find_first_not_of("0123456789") == std::string::npos;
    return numeric && std::stoi(name) < 256 ? std::stoi(name) : -1;
}

}  // namespace

std::string ndpi_label(const std::string& protocol) {
    static const std::map<std::string, std::string> merged = {
        {"skype_teams", "teams"},     {"skypecall", "teams"},         {"skype_teamscall", "teams"},
        {"googlecall", "meet"},       {"googlemeet", "meet"},         {"hangoutduo", "meet"},
        {"youtubeupload", "youtube"}, {"messenger", "facebook"},      {"facebookvoip", "facebook"},
        {"whatsappfiles", "whatsapp"}, {"whatsappcall", "whatsapp_call"}, {"signalvoip", "signal"},
        {"telegramvoip", "telegram"}, {"amazonalexa", "amazon"},      {"kakaotalk_voice", "kakaotalk"}};
    const std::string carrier = lower(protocol.substr(0, protocol.find('.')));
    // A DNS flow is a DNS flow whatever name it asks for; the same holds for multicast DNS.
    if (carrier == "dns" || carrier == "mdns") return carrier;
    const std::string name = lower(protocol.substr(protocol.rfind('.') == std::string::npos ? 0 : protocol.rfind('.') + 1));
    const auto found = merged.find(name);
    return found == merged.end() ? name : found->second;
}

std::vector<NdpiVerdict> parse_ndpi_result(const std::string& text) {
    // "\t1\tTCP 192.168.1.7:53217 <-> 23.246.11.141:80 [VLAN: 7][proto: 7.133/HTTP.NetFlix][...]"
    static const std::regex line_pattern(
        R"(^\t\d+\t(\S+) (\S+) (?:<->|->) (\S+) (?:\[VLAN: \d+\])?\[proto: [\d.]+/([^\]]+)\])");
    std::vector<NdpiVerdict> verdicts;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        line.resize(std::min<std::size_t>(line.size(), 400));  // std::regex recurses: bound what it sees
        if (!std::regex_search(line, match, line_pattern)) continue;
        const int protocol = protocol_number(match[1]);
        Endpoint a, b;
        if (protocol < 0 || !parse_endpoint(match[2], a) || !parse_endpoint(match[3], b)) continue;
        FlowKey key;
        key.protocol = static_cast<std::uint8_t>(protocol);
        key.low = std::min(a, b);
        key.high = std::max(a, b);
        verdicts.push_back({key.flow_id(), ndpi_label(match[4])});
    }
    return verdicts;
}

}  // namespace tracebench
