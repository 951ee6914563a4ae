#include "traffic/rules/rule_list.h"

#include <fmt/format.h>

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
    return text;
}

}  // namespace tracebench
