#include "traffic/rules/rule_list.h"

#include <fmt/format.h>

#include "traffic/rules/observed.h"
#include "traffic/rules/rule.h"

namespace tracebench {

std::string rule_list_markdown() {
    std::string text = fmt::format(
        "# Protocol rules\n\n"
        "{} rules, in the order in which repair applies them. Written by `tracebench compliance "
        "--list-rules`.\n\n"
        "One table serves the compliance metric, which checks, and the generators, which repair. A packet "
        "that a\n"
        "rule says nothing about is not counted. Where the capture lacks what is needed (the packet is cut, "
        "the flow\n"
        "began before the capture, the peer was not seen) it counts as *not checkable*, never as failed.\n\n"
        "Packets that a capture missed are not held against a flow: an acknowledgement within the window of "
        "bytes\n"
        "that were not seen, or of bytes past a gap, is not checkable. Data that go on where the sender "
        "stopped,\n"
        "though they were acknowledged before, still fail (`tcp.flow.acknowledged_before`).\n\n"
        "Rules of DNS, DHCP, NTP, QUIC, TLS, HTTP and MQTT read the first bytes of payload on the usual "
        "ports, "
        "and\n"
        "where anything may be spoken there, only of messages that are recognised. Payload that was not "
        "captured "
        "or\n"
        "whose first bytes are all zero (anonymised or header-only traces) is not checkable. RTP is "
        "recognised by "
        "four\n"
        "packets of one source in sequence.\n\n"
        "Session rules look across flows: what neighbours ask each other (ARP, neighbour discovery, DHCP), "
        "fragments of\n"
        "one datagram, the conversations that errors quote. An answer is held against the questions of its "
        "receiver, a\n"
        "quote against the conversations of its two hosts, only where one of them was seen. The last 65536 "
        "of "
        "each are\n"
        "remembered, and 256 datagrams that are not whole yet; what may have been forgotten is not "
        "checkable.\n\n"
        "A transport checksum that holds the sum of the pseudo header alone was left to the network card by "
        "its\n"
        "host: not checkable either, and counted as *offloaded*. Any other wrong value fails. The score of "
        "a\n"
        "capture is the share of packets that fail no rule, of those that at least one rule could check.\n\n"
        "| rule | scope | requirement | reference | repair |\n| --- | --- | --- | --- | --- |\n",
        rule_table().size());
    for (const Rule& rule : rule_table())
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", rule.id, scope_name(rule.scope()), rule.title,
                            rule.reference, rule.remedy);
    text +=
        "\n# Observed behaviour\n\n"
        "What standards allow and real traffic shows. Never failed, not scored: rates, to compare synthetic "
        "traffic\n"
        "with real traffic by.\n\n"
        "| behaviour | what is counted | of | reference |\n| --- | --- | --- | --- |\n";
    for (const Behaviour& behaviour : behaviour_table())
        text += fmt::format("| `{}` | {} | {} | {} |\n", behaviour.id, behaviour.title, behaviour.of,
                            behaviour.reference);
    return text;
}

}  // namespace tracebench
