#include "traffic/application_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tracebench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Bytes = std::vector<std::uint8_t>;

Bytes bytes(const std::string& text) {
    return {text.begin(), text.end()};
}

void append16(Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

Bytes with_length16(const Bytes& content) {
    Bytes out;
    append16(out, content.size());
    out.insert(out.end(), content.begin(), content.end());
    return out;
}

/// A ServerNameList with one entry (RFC 6066 section 3).
Bytes server_name_list(std::uint8_t type, const std::string& name) {
    Bytes entry = {type};
    const Bytes text = with_length16(bytes(name));
    entry.insert(entry.end(), text.begin(), text.end());
    return with_length16(entry);
}

/// A record with a ClientHello (RFC 8446 section 4.1.2) with one extension before server_name.
Bytes client_hello(const Bytes& names) {
    Bytes extensions = {0x00, 0x17, 0x00, 0x00, 0x00, 0x00};  // extended_master_secret, then server_name
    const Bytes list = with_length16(names);
    extensions.insert(extensions.end(), list.begin(), list.end());
    Bytes body = {3, 3};
    body.insert(body.end(), 32, 0xAB);            // random
    body.insert(body.end(), {2, 7, 7});           // session id
    body.insert(body.end(), {0, 2, 0x13, 0x01});  // one suite
    body.insert(body.end(), {1, 0});              // no compression
    const Bytes block = with_length16(extensions);
    body.insert(body.end(), block.begin(), block.end());
    Bytes message = {1, 0};
    append16(message, body.size());
    message.insert(message.end(), body.begin(), body.end());
    Bytes record = {22, 3, 1};
    append16(record, message.size());
    record.insert(record.end(), message.begin(), message.end());
    return record;
}

TEST(TlsServerName, IsReadFromAClientHello) {
    EXPECT_EQ(tls_server_name(client_hello(server_name_list(0, "WWW.Example.org"))), "www.example.org");
    EXPECT_FALSE(tls_server_name(client_hello(server_name_list(1, "not-a-host"))));
    EXPECT_FALSE(tls_server_name(client_hello(server_name_list(0, ""))));
    EXPECT_FALSE(tls_server_name(client_hello(server_name_list(0, std::string(256, 'a')))));
}

TEST(TlsServerName, WhatCannotBeShownIsEscaped) {
    EXPECT_EQ(tls_server_name(client_hello(server_name_list(0, "a\x1b[2J\xff"))), "a\\027\\0912j\\255");
}

TEST(TlsServerName, NeedsTheNameButNotWhatFollowsIt) {
    Bytes hello = client_hello(server_name_list(0, "example.org"));
    for (std::size_t size = 0; size < hello.size(); ++size)
        EXPECT_FALSE(tls_server_name(std::span(hello).first(size))) << size;
    // More extensions than were captured: lengths that lie beyond the end.
    hello[3] = 0x40;
    EXPECT_EQ(tls_server_name(hello), "example.org");
    hello[5] = 2;  // a ServerHello
    EXPECT_FALSE(tls_server_name(hello));
}

/// The header of a DNS message with so many questions, then `rest`.
Bytes dns_message(std::uint8_t questions, const Bytes& rest) {
    Bytes message = {0x12, 0x34, 1, 0, 0, questions, 0, 0, 0, 0, 0, 0};
    message.insert(message.end(), rest.begin(), rest.end());
    return message;
}

TEST(DnsQuestionNames, FollowTheExampleOfTheRfc) {
    // RFC 1035 section 4.1.4: F.ISI.ARPA, then FOO.F.ISI.ARPA by pointer, here as two questions.
    const Bytes rest = {1, 'F', 3, 'I', 'S', 'I', 4,   'A',  'R', 'P', 'A', 0, 0,
                        1, 0,   1, 3,   'F', 'O', 'O', 0xC0, 12,  0,   1,   0, 1};
    EXPECT_THAT(dns_question_names(dns_message(2, rest)), ElementsAre("f.isi.arpa", "foo.f.isi.arpa"));
    EXPECT_THAT(dns_question_names(dns_message(1, rest)), ElementsAre("f.isi.arpa"));
    EXPECT_THAT(dns_question_names(dns_message(0, rest)), IsEmpty());
}

TEST(DnsQuestionNames, SurviveLoopsAndDamage) {
    EXPECT_THAT(dns_question_names(dns_message(1, {0xC0, 12})), IsEmpty());            // at itself
    EXPECT_THAT(dns_question_names(dns_message(1, {0xC0, 14, 0xC0, 12})), IsEmpty());  // ahead
    // Back to a label that leads to the pointer again: more than a name may hold.
    EXPECT_THAT(dns_question_names(dns_message(1, {1, 'a', 0xC0, 12})), IsEmpty());
    EXPECT_THAT(dns_question_names(dns_message(1, {5, 'a', 'b'})), IsEmpty());
    EXPECT_THAT(dns_question_names(dns_message(1, {0x40, 'a', 0})), IsEmpty());  // a reserved label type
    EXPECT_THAT(dns_question_names(dns_message(1, {1, 'a'})), IsEmpty());
    EXPECT_THAT(dns_question_names(dns_message(1, {0, 0, 2, 0, 1})), IsEmpty());  // the root
    EXPECT_THAT(dns_question_names(Bytes{0, 1, 2}), IsEmpty());
}

TEST(DnsQuestionNames, EscapeDotsInsideLabels) {
    EXPECT_THAT(dns_question_names(dns_message(1, {3, 'a', '.', 0, 1, 'b', 0, 0, 1, 0, 1})),
                ElementsAre("a\\046\\000.b"));
}

TEST(DnsQuestionNames, AreNoLongerThanTheRfcAllows) {
    Bytes rest;
    for (int label = 0; label < 4; ++label) {
        rest.push_back(63);
        rest.insert(rest.end(), 63, 'x');
    }
    rest.push_back(0);
    EXPECT_THAT(dns_question_names(dns_message(1, rest)), IsEmpty());  // 257 bytes
}

TEST(HttpHost, IsReadFromARequest) {
    EXPECT_EQ(http_host(bytes("GET / HTTP/1.1\r\nAccept: */*\r\nhOST:  Example.ORG:8080 \r\n\r\n")),
              "example.org");
    EXPECT_EQ(http_host(bytes("GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n")), "[2001:db8::1]");
    EXPECT_EQ(http_host(bytes("GET / HTTP/1.1\r\nHost: a\x1b\r\n")), "a\\027");
}

TEST(HttpHost, IsNotGuessed) {
    EXPECT_FALSE(http_host(bytes("GET / HTTP/1.1\r\nHost: exam")));                  // cut
    EXPECT_FALSE(http_host(bytes("GET / HTTP/1.1\r\n\r\nHost: body.example\r\n")));  // past the head
    EXPECT_FALSE(http_host(bytes("HTTP/1.1 200 OK\r\nHost: example.org\r\n")));
    EXPECT_FALSE(http_host(bytes("GET /\r\nHost: example.org\r\n")));
    EXPECT_FALSE(http_host(bytes("Host: example.org\r\n")));
    EXPECT_FALSE(http_host(bytes("GET / HTTP/1.1\r\nHost: \r\n")));
    EXPECT_FALSE(http_host({}));
}

}  // namespace
}  // namespace tracebench
