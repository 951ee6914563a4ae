// What names a host or a connection, and whose secret it is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/privacy/leakage.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing_traces::append;
using testing_traces::endpoint;
using testing_traces::packet;

std::vector<std::uint8_t> bytes(const std::string& text) {
    return {text.begin(), text.end()};
}

/// A TCP packet with these first payload bytes.
PacketFields carrying(Endpoint src, Endpoint dst, std::vector<std::uint8_t> payload) {
    PacketFields fields = packet(src, dst, tcp_flag::ack, static_cast<std::uint32_t>(payload.size()));
    fields.payload = std::move(payload);
    return fields;
}

/// A DNS query for one label.
std::vector<std::uint8_t> query(const std::string& name) {
    std::vector<std::uint8_t> message = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    message.push_back(static_cast<std::uint8_t>(name.size()));
    message.insert(message.end(), name.begin(), name.end());
    message.insert(message.end(), {0, 0, 1, 0, 1});
    return message;
}

LabelledTrace asks(const std::string& name, std::uint8_t host) {
    LabelledTrace sample{name, "dns", Trace()};
    PacketFields fields = packet(endpoint(host, 40000), endpoint(53, 53), 0, 0);
    fields.payload = query(name);
    fields.payload_length = static_cast<std::uint32_t>(fields.payload.size());
    append(sample.trace, 0, fields);
    return sample;
}

const std::set<std::string>& of(const Identifiers& identifiers, IdentifierKind kind) {
    return identifiers[static_cast<std::size_t>(kind)];
}

TEST(Identifiers, AreFoundInAConversation) {
    LabelledTrace sample{"s", "web", Trace()};
    const Endpoint client = endpoint(7, 50000), server = endpoint(9, 80);
    PacketFields syn = packet(client, server, tcp_flag::syn, 0);
    syn.sequence = 4'000'000'000;
    syn.tcp_options = {8, 10, 0, 0, 0x30, 0x39, 0, 0, 0, 0};  // TSval 12345
    PacketFields answer = packet(server, client, tcp_flag::syn | tcp_flag::ack, 0);
    answer.sequence = 77;
    append(sample.trace, 0, syn);
    append(sample.trace, 0.01, answer);
    append(sample.trace, 0.02,
           carrying(client, server, bytes("GET / HTTP/1.1\r\nHost: Shop.example\r\n\r\n")));
    const Identifiers found = find_identifiers(ObservedSample(sample.trace));
    EXPECT_THAT(of(found, IdentifierKind::addresses), ElementsAre("192.0.2.7", "192.0.2.9"));
    EXPECT_THAT(of(found, IdentifierKind::macs), ElementsAre("02:00:00:00:00:01", "02:00:00:00:00:02"));
    EXPECT_THAT(of(found, IdentifierKind::endpoints), ElementsAre("192.0.2.7:50000", "192.0.2.9:80"));
    EXPECT_THAT(of(found, IdentifierKind::connections), ElementsAre("TCP|192.0.2.7|50000|192.0.2.9|80"));
    EXPECT_THAT(of(found, IdentifierKind::client_ports), ElementsAre("TCP/50000"));
    EXPECT_THAT(of(found, IdentifierKind::http_hosts), ElementsAre("shop.example"));
    EXPECT_THAT(of(found, IdentifierKind::tcp_timestamps), ElementsAre("12345"));
    EXPECT_THAT(of(found, IdentifierKind::initial_sequences), UnorderedElementsAre("4000000000", "77"));
    EXPECT_THAT(of(found, IdentifierKind::server_names), IsEmpty());
}

TEST(Identifiers, LeaveOutWhatNamesNobody) {
    LabelledTrace sample{"s", "dns", Trace()};
    Endpoint broadcast = endpoint(0, 5353);
    broadcast.address.bytes = {255, 255, 255, 255};
    PacketFields fields = packet(endpoint(7, 5353), broadcast, 0, 10);
    fields.dst_mac.fill(0xFF);
    append(sample.trace, 0, fields);
    const Identifiers found = find_identifiers(ObservedSample(sample.trace));
    EXPECT_THAT(of(found, IdentifierKind::addresses), ElementsAre("192.0.2.7"));
    EXPECT_THAT(of(found, IdentifierKind::macs), ElementsAre("02:00:00:00:00:01"));
    EXPECT_THAT(of(found, IdentifierKind::connections), IsEmpty());
    EXPECT_THAT(of(found, IdentifierKind::client_ports), IsEmpty());
}

const Finding& find(const Findings& findings, const std::string& metric, const std::string& group = "") {
    for (const Finding& finding : findings.list)
        if (finding.value.metric == "privacy." + metric && finding.value.group == group) return finding;
    throw std::out_of_range(metric);
}

TEST(Leakage, WhatHeldOutSamplesHaveTooIsNoSecret) {
    const auto train = view_privacy({asks("secret", 1), asks("hidden", 2), asks("public", 3)});
    const auto heldout = view_privacy({asks("public", 4), asks("public", 5)});
    const auto synthetic = view_privacy({asks("secret", 6), asks("public", 7), asks("invented", 8)});
    const Findings findings = measure_leakage({train, heldout, synthetic});
    const Finding& leaked = find(findings, "leaked_identifiers", "dns_names");
    EXPECT_DOUBLE_EQ(leaked.value.value, 1.0 / 3);
    EXPECT_EQ(leaked.value.floor, 0);  // each half of the held-out samples knows the public name
    EXPECT_DOUBLE_EQ(find(findings, "recovered_identifiers", "dns_names").value.value, 1.0 / 2);
    EXPECT_FALSE(find(findings, "leaked_identifiers", "http_hosts").value.skipped.empty());
    const auto& details = findings.details["leaks"]["dns_names"];
    EXPECT_EQ(details["secrets"], 2);
    EXPECT_EQ(details["public"], 1);
    EXPECT_EQ(details["recovered"], 1);
    EXPECT_THAT(details["examples"], Contains("secret"));
}

TEST(Leakage, FloorIsWhatUnseenSamplesShareWithTheTrainingSamples) {
    const auto train = view_privacy({asks("popular", 1)});
    const auto heldout = view_privacy({asks("popular", 4), asks("other", 5)});
    const Findings findings = measure_leakage({train, heldout, view_privacy({asks("popular", 6)})});
    // Half of the pairs: "popular" where the half with "other" says what is public.
    EXPECT_EQ(find(findings, "leaked_identifiers", "dns_names").value.floor, 0.5);
    EXPECT_EQ(find(findings, "leaked_identifiers", "dns_names").value.value, 0);
}

TEST(Leakage, VerbatimPayloadIsFoundAndFillerIsNot) {
    const Endpoint client = endpoint(7, 50000), server = endpoint(9, 9999);
    const auto flow_with = [&](const std::string& payload) {
        LabelledTrace sample{"s", "x", Trace()};
        append(sample.trace, 0, carrying(client, server, bytes(payload)));
        return view_privacy({sample, sample});
    };
    const auto train = flow_with("....the password is swordfish....");
    const auto heldout = flow_with("an entirely different conversation");
    const Findings found = measure_leakage({train, heldout, flow_with("____the password is swordfish____")});
    EXPECT_EQ(find(found, "verbatim_payload").value.value, 1);
    EXPECT_EQ(find(found, "verbatim_payload").value.floor, 0);
    EXPECT_EQ(find(found, "longest_verbatim").value.value, 25);  // the password is swordfish
    const Findings shared = measure_leakage({train, train, flow_with("____the password is swordfish____")});
    EXPECT_EQ(find(shared, "verbatim_payload").value.value, 0);
    const Findings filler =
        measure_leakage({flow_with(std::string(200, '\0')), heldout, flow_with(std::string(200, '\0'))});
    EXPECT_FALSE(find(filler, "verbatim_payload").value.skipped.empty());
}

}  // namespace
}  // namespace tracebench
