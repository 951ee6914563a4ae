#include "metrics/flow/ipfix_record.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <vector>

#include "tests/unit/metrics/traces.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

using testing_traces::append;
using testing_traces::endpoint;
using testing_traces::packet;

std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> result;
    std::string cell;
    std::istringstream stream(line + ",");
    while (std::getline(stream, cell, ',')) result.push_back(cell);
    return result;
}

/// The records of a trace, element by name.
std::vector<std::map<std::string, std::string>> records(const Trace& trace) {
    std::vector<std::map<std::string, std::string>> result;
    const auto names = cells(IpfixRecord::csv_header());
    for (const FlowPackets& flow : split_flows(trace)) {
        IpfixRecord record;
        for (std::size_t i = 0; i < flow.packets.size(); ++i)
            record.add(dissect(trace.packets[flow.packets[i]]), flow.directions[i]);
        const auto values = cells(record.csv_row(flow.flow));
        EXPECT_EQ(values.size(), names.size());
        result.emplace_back();
        for (std::size_t c = 0; c < names.size(); ++c) result.back()[names[c]] = values.at(c);
    }
    return result;
}

TEST(IpfixRecord, CountsBothDirections) {
    const Endpoint client = endpoint(1, 40000), server = endpoint(2, 443);
    Trace trace;
    PacketFields syn = packet(client, server, tcp_flag::syn, 0);
    syn.ttl = 64;
    syn.tos = 8;
    append(trace, 1.0005, syn);
    PacketFields answer = packet(server, client, tcp_flag::syn | tcp_flag::ack, 0);
    answer.ttl = 55;
    append(trace, 1.1, answer);
    PacketFields data = packet(client, server, tcp_flag::ack | tcp_flag::psh, 100);
    data.ttl = 63;
    append(trace, 1.2509, data);
    append(trace, 2, packet(client, endpoint(3, 53), 0, 30));
    const auto all = records(trace);
    ASSERT_EQ(all.size(), 2u);
    const std::map<std::string, std::string> expected = {{"sourceIPv4Address", "192.0.2.1"},
                                                         {"destinationIPv4Address", "192.0.2.2"},
                                                         {"sourceIPv6Address", ""},
                                                         {"destinationIPv6Address", ""},
                                                         {"sourceTransportPort", "40000"},
                                                         {"destinationTransportPort", "443"},
                                                         {"protocolIdentifier", "6"},
                                                         {"vlanId", ""},
                                                         {"flowStartMilliseconds", "1000"},
                                                         {"flowEndMilliseconds", "1250"},
                                                         {"flowDurationMilliseconds", "250"},
                                                         {"icmpTypeCodeIPv4", ""},
                                                         {"icmpTypeCodeIPv6", ""},
                                                         {"octetDeltaCount", "180"},  // 40 and 140
                                                         {"packetDeltaCount", "2"},
                                                         {"tcpControlBits", "26"},  // SYN, PSH, ACK
                                                         {"ipClassOfService", "8"},
                                                         {"minimumTTL", "63"},
                                                         {"maximumTTL", "64"},
                                                         {"minimumIpTotalLength", "40"},
                                                         {"maximumIpTotalLength", "140"},
                                                         {"reverseOctetDeltaCount", "40"},
                                                         {"reversePacketDeltaCount", "1"},
                                                         {"reverseTcpControlBits", "18"},
                                                         {"reverseIpClassOfService", "0"},
                                                         {"reverseMinimumTTL", "55"},
                                                         {"reverseMaximumTTL", "55"},
                                                         {"reverseMinimumIpTotalLength", "40"},
                                                         {"reverseMaximumIpTotalLength", "40"}};
    EXPECT_EQ(all[0], expected);
    // A datagram that nobody answers.
    EXPECT_EQ(all[1].at("octetDeltaCount"), "58");
    EXPECT_EQ(all[1].at("tcpControlBits"), "");
    EXPECT_EQ(all[1].at("reversePacketDeltaCount"), "0");
    EXPECT_EQ(all[1].at("reverseMinimumTTL"), "");
}

TEST(IpfixRecord, RoundsTimesDown) {
    Flow flow;
    flow.src = flow.dst = endpoint(1, 1);
    flow.first_ns = -1;
    flow.last_ns = 1'999'999;
    const auto names = cells(IpfixRecord::csv_header());
    const auto values = cells(IpfixRecord().csv_row(flow));
    EXPECT_EQ(names.at(8), "flowStartMilliseconds");
    EXPECT_EQ(values.at(8), "-1");
    EXPECT_EQ(values.at(9), "1");
}

}  // namespace
}  // namespace tracebench
