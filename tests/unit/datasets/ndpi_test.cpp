#include "datasets/ndpi.h"

#include <gtest/gtest.h>

namespace tracebench {
namespace {

TEST(NdpiResult, ReadsFlowLines) {
    const auto verdicts = parse_ndpi_result(
        "Guessed flow protos:\t6\n\n"
        "DNS\t4\t386\t2\n"
        "\t1\t 192.168.1.7              \t 4      \n"
        "\t1\tTCP 192.168.1.7:53217 <-> 23.246.11.141:80 [proto: 7.133/HTTP.NetFlix][ClearText][Confidence: DPI]\n"
        "\t2\tUDP [fe80::9bd:81dd]:1900 -> [ff02::c]:1900 [proto: 12/SSDP][ClearText]\n"
        "\t3\tTCP 172.29.9.146:38856 <-> 172.29.9.147:8009 [VLAN: 7][proto: 139/AJP][ClearText]\n"
        "\t4\tTCP 1.2.3.4:99999 <-> 1.2.3.5:80 [proto: 7/HTTP]\n");
    ASSERT_EQ(verdicts.size(), 3u);
    EXPECT_EQ(verdicts[0].flow_id, "TCP|23.246.11.141|80|192.168.1.7|53217");
    EXPECT_EQ(verdicts[0].label, "netflix");
    EXPECT_EQ(verdicts[1].flow_id, "UDP|fe80::9bd:81dd|1900|ff02::c|1900");
    EXPECT_EQ(verdicts[1].label, "ssdp");
    EXPECT_EQ(verdicts[2].label, "ajp");
}

TEST(NdpiLabel, MergesNamesOfOneService) {
    EXPECT_EQ(ndpi_label("TLS.Skype_Teams"), "teams");
    EXPECT_EQ(ndpi_label("Skype_Teams.SkypeCall"), "teams");
    EXPECT_EQ(ndpi_label("STUN.WhatsAppCall"), "whatsapp_call");
    EXPECT_EQ(ndpi_label("TLS"), "tls");
    EXPECT_EQ(ndpi_label("DNS.NetFlix"), "dns");
}

}  // namespace
}  // namespace tracebench
