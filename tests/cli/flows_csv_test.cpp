// `tracebench flows --csv`: every row is a flow of the JSON, whatever the columns.

#include <map>
#include <sstream>

#include "tests/cli/cli.h"

namespace tracebench::test {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::string part;
    std::istringstream stream(text);
    while (std::getline(stream, part, separator)) parts.push_back(part);
    if (!text.empty() && text.back() == separator && separator == ',') parts.emplace_back();
    return parts;
}

/// Rows by column name.
std::vector<std::map<std::string, std::string>> table(const std::string& csv) {
    const auto lines = split(csv, '\n');
    std::vector<std::map<std::string, std::string>> rows;
    const auto names = split(lines.at(0), ',');
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto cells = split(lines[i], ',');
        EXPECT_EQ(cells.size(), names.size()) << lines[i];
        rows.emplace_back();
        for (std::size_t c = 0; c < names.size(); ++c) rows.back()[names[c]] = cells.at(c);
    }
    return rows;
}

TEST(FlowsCsv, RowsAreTheFlowsOfTheJson) {
    const std::string capture = (lab() / "web" / "web-01.pcap").string();
    const auto flows = nlohmann::json::parse(tracebench({"flows", capture, "--json"}).output).at("flows");
    const auto cic = table(tracebench({"flows", capture, "--csv"}).output),
               ipfix = table(tracebench({"flows", capture, "--csv", "--features", "ipfix"}).output);
    ASSERT_EQ(cic.size(), flows.size());
    ASSERT_EQ(ipfix.size(), flows.size());
    EXPECT_EQ(cic[0].size(), 7u + 76);
    for (std::size_t i = 0; i < flows.size(); ++i) {
        EXPECT_EQ(cic[i].at("Flow ID"), flows[i].at("flow_id").get<std::string>());
        EXPECT_EQ(std::stoull(cic[i].at("Total Fwd Packet")), flows[i].at("packets").at(0));
        EXPECT_EQ(std::stoull(cic[i].at("Total Bwd packets")), flows[i].at("packets").at(1));
        EXPECT_EQ(std::stoull(ipfix[i].at("packetDeltaCount")), flows[i].at("packets").at(0));
        EXPECT_EQ(std::stoull(ipfix[i].at("reversePacketDeltaCount")), flows[i].at("packets").at(1));
        // Ethernet: 14 bytes a frame, and up to six of padding.
        const std::uint64_t frames = flows[i].at("bytes").at(0), packets = flows[i].at("packets").at(0);
        EXPECT_LE(std::stoull(ipfix[i].at("octetDeltaCount")) + 14 * packets, frames);
        EXPECT_GE(std::stoull(ipfix[i].at("octetDeltaCount")) + 20 * packets, frames);
    }
}

TEST(FlowsCsv, SaysWhatItTakes) {
    const std::string capture = (lab() / "web" / "web-01.pcap").string();
    for (const std::vector<std::string>& extra :
         {std::vector<std::string>{"--csv", "--features", "netflow"}, {"--csv", "--json"}}) {
        std::vector<std::string> arguments = {"flows", capture};
        arguments.insert(arguments.end(), extra.begin(), extra.end());
        EXPECT_EQ(tracebench(arguments).code, 2);
    }
}

}  // namespace
}  // namespace tracebench::test
