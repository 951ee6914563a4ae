// nprint --repair as a user runs it.

#include "cli.h"

namespace tracebench::test {
namespace {

class NprintRepair : public CliTest {};

TEST_F(NprintRepair, ImagesWithoutAddressesBecomeLegalCaptures) {
    const std::string capture = (lab() / "web" / "web-01.pcap").string(), image = path("web.png"),
                      made = path("web.pcap");
    ASSERT_EQ(tracebench({"nprint", "--png", capture, "--drop-addresses", "-o", image}).code, 0);
    const ProcessResult repair = tracebench({"nprint", "--from-png", image, "--repair", "-o", made});
    ASSERT_EQ(repair.code, 0) << repair.errors;
    EXPECT_NE(repair.errors.find("298 packets"), std::string::npos) << repair.errors;
    EXPECT_NE(repair.errors.find("tcp_cksum"), std::string::npos) << repair.errors;
    const ProcessResult check = tracebench({"compliance", "--strict", made});
    EXPECT_EQ(check.code, 0) << check.output;
    const std::string again = path("again.pcap"), other = path("other.pcap");
    ASSERT_EQ(tracebench({"nprint", "--from-png", image, "--repair", "-o", again}).code, 0);
    ASSERT_EQ(tracebench({"nprint", "--from-png", image, "--repair", "--seed", "2", "-o", other}).code, 0);
    EXPECT_EQ(read_file(made), read_file(again));
    EXPECT_NE(read_file(made), read_file(other));
}

TEST_F(NprintRepair, TextTooAndOnlyWhereThereAreRows) {
    const std::string capture = (lab() / "dns" / "dns-01.pcap").string(), text = path("dns.npt"),
                      made = path("dns.pcap");
    ASSERT_EQ(tracebench({"nprint", capture, "-o", text}).code, 0);
    ASSERT_EQ(tracebench({"nprint", "--to-pcap", text, "--repair", "-o", made}).code, 0);
    EXPECT_EQ(tracebench({"compliance", "--strict", made}).code, 0);
    const ProcessResult refused = tracebench({"nprint", capture, "--repair"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.errors.find("--from-png"), std::string::npos) << refused.errors;
}

}  // namespace
}  // namespace tracebench::test
