#pragma once
/// Tests of the `fields` encoding: encoding and replaying a trace, comparing what came back, random walks
/// over what a decoder allows.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "generators/ethernet.h"
#include "generators/ssm/encoding/fields/reader.h"
#include "generators/ssm/encoding/fields/record.h"
#include "generators/ssm/encoding/fields_encoding.h"
#include "traffic/bytes.h"
#include "traffic/capture_reader.h"

namespace tracebench::ssm::fields_testing {

/// The shipped captures, sorted by path.
inline std::vector<std::filesystem::path> lab_captures() {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(TRACEBENCH_SOURCE_DIR "/datasets/lab"))
        if (entry.path().extension() == ".pcap") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
}

inline Trace packets_of(TraceDecoder& decoder) {
    Trace trace;
    while (const auto packet = decoder.next_packet())
        trace.append(packet->time_ns, packet->bytes, packet->original_length);
    return trace;
}

/// Decodes tokens that begin with a label. Requires that all are allowed.
inline Trace replayed(const FieldsEncoding& encoding, const FieldsTranscript& transcript) {
    const auto decoder = encoding.replay(encoding.labels().front(), transcript.identities, false);
    for (std::size_t i = 1; i < transcript.tokens.size(); ++i) {
        const Token token = transcript.tokens[i];
        if (!decoder->allowed(token)) {
            ADD_FAILURE() << "not allowed: " << encoding.vocabulary().name(token) << ", token " << i;
            break;
        }
        decoder->accept(token);
    }
    EXPECT_TRUE(decoder->ended());
    return packets_of(*decoder);
}

/// Bytes in which two captures of one packet have to agree: Ethernet to transport header, checksums aside,
/// and the first bytes of UDP payload.
inline std::vector<std::uint8_t> compared_bytes(const PacketView& packet) {
    const Headers h = dissect(packet);
    const std::uint32_t payload = h.has_udp() ? 12 : h.has_icmpv6() ? 4 : 0;
    std::vector<std::uint8_t> bytes(
        packet.bytes.begin(),
        packet.bytes.begin() + std::min({h.payload_offset + payload, h.captured, h.ip_end}));
    const std::uint32_t sum = h.transport_offset + (h.has_tcp() ? 16 : h.has_udp() ? 6 : 2);
    store16(&bytes[sum], 0);
    if (h.ip_version == 4) store16(&bytes[h.ip_offset + 10], 0);
    return bytes;
}

/// Encodes and decodes again: what came back is `trace` without what was left out, to the byte. Returns how
/// many packets were left out.
inline std::uint64_t expect_lossless(const FieldsEncoding& encoding, const Trace& trace) {
    EncodeReport report;
    const FieldsTranscript transcript = encoding.transcribe(encoding.labels().front(), trace, report);
    EXPECT_EQ(report.packets + report.left_out, trace.size());
    EXPECT_EQ(report.tokens, transcript.tokens.size());
    const Trace back = replayed(encoding, transcript);
    EXPECT_EQ(back.size(), report.packets);
    const EthernetTrace ethernet = to_ethernet(trace);
    std::size_t at = 0;
    std::uint64_t left_out = ethernet.dropped;
    for (const PacketView& packet : ethernet.trace.packets) {
        // Packets of equal time may differ in whether they could be encoded, so the bytes tell which is next.
        const bool same = at < back.size() && back.packets[at].time_ns == packet.time_ns &&
                          back.packets[at].original_length == packet.original_length && read_record(packet) &&
                          compared_bytes(back.packets[at]) == compared_bytes(packet);
        at += same ? 1 : 0;
        left_out += same ? 0 : 1;
    }
    EXPECT_EQ(at, back.size()) << "decoded packet " << at << " is none of the original's";
    EXPECT_EQ(left_out, report.left_out);
    return report.left_out;
}

/// Says items one by one to a decoder, and what it has to be told between them.
class Speaker {
  public:
    Speaker(const FieldsEncoding& encoding, TraceDecoder& decoder)
        : encoding_(&encoding), decoder_(&decoder) {}

    void operator()(Item item, int value, const std::vector<int>& bytes = {}) {
        accept(item, value);
        for (const int byte : bytes) accept(Item::byte, byte);
        while (const auto told = decoder_->forced()) {
            if (!encoding_->is_context(*told)) break;
            decoder_->accept(*told);
        }
    }
    bool may(Item item, int value) const {
        return decoder_->allowed(encoding_->vocabulary().token(item, value));
    }

  private:
    void accept(Item item, int value) {
        const Token token = encoding_->vocabulary().token(item, value);
        ASSERT_TRUE(decoder_->allowed(token)) << encoding_->vocabulary().name(token);
        decoder_->accept(token);
    }

    const FieldsEncoding* encoding_;
    TraceDecoder* decoder_;
};

/// Chooses the kind of the next item at random, with a bias to going on with a live flow, and its value at
/// random; where that finds nothing in a while, any token that is allowed.
class RandomWalk {
  public:
    RandomWalk(const FieldsEncoding& encoding, TraceDecoder& decoder, std::uint64_t seed)
        : encoding_(&encoding), decoder_(&decoder), random_(seed) {}

    /// Nothing where no token is allowed.
    std::optional<Token> choose() {
        if (const auto forced = decoder_->forced()) return forced;
        for (int draw = 0; draw < 400; ++draw)
            if (const Token token = draw_token(); decoder_->allowed(token)) return token;
        const auto size = encoding_->vocabulary_size();
        const std::size_t start = random_.below(size);
        for (std::size_t i = 0; i < size; ++i) {
            const auto token = static_cast<Token>((start + i) % size);
            if (token != encoding_->end_token() && decoder_->allowed(token)) return token;
        }
        return std::nullopt;
    }

    /// So many tokens, then those that complete a further packet. The trace does not end: what was announced
    /// may be more than anybody waits for.
    void go(int tokens) {
        for (int i = 0; i < tokens; ++i) ASSERT_TRUE(step());
        for (const auto packets = decoder_->packets(); decoder_->packets() == packets;) ASSERT_TRUE(step());
    }

    /// Ends the trace as soon as that is allowed.
    void go_to_end(int most_tokens) {
        for (int i = 0; i < most_tokens && !decoder_->ended(); ++i) {
            if (decoder_->allowed(encoding_->end_token()))
                decoder_->accept(encoding_->end_token());
            else
                ASSERT_TRUE(step());
        }
    }

  private:
    bool step() {
        const auto token = choose();
        EXPECT_TRUE(token) << "dead end after " << decoder_->packets() << " packets";
        if (!token) return false;
        EXPECT_TRUE(decoder_->allowed(*token)) << encoding_->vocabulary().name(*token);
        decoder_->accept(*token);
        return true;
    }

    Token draw_token() {
        const Vocabulary& vocabulary = encoding_->vocabulary();
        const std::uint64_t dice = random_.below(10);
        if (dice == 0) return vocabulary.token(Item::flow, static_cast<int>(random_.below(2)));
        Item item = dice < 3 ? Item::flow : static_cast<Item>(random_.below(item_kinds));
        if (item == Item::end) item = Item::label;
        auto values = static_cast<std::uint64_t>(vocabulary.values(item));
        if (item == Item::kind && dice < 8) values = 2;  // mostly TCP: it has the most rules
        if ((item == Item::flows || item == Item::extent) && dice < 8) values = 12;  // some are huge
        return vocabulary.token(item, static_cast<int>(random_.below(values)));
    }

    const FieldsEncoding* encoding_;
    TraceDecoder* decoder_;
    Random random_;
};

}  // namespace tracebench::ssm::fields_testing
