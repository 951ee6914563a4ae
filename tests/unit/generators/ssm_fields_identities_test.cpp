#include <map>
#include <set>

#include "generators/fresh_identifiers.h"
#include "ssm_fields_support.h"

namespace tracebench::ssm {
namespace {

using namespace fields_testing;

/// Drawn afresh but for the numbers of flows and packets: those of a capture, whose tokens hold for no
/// others.
class FreshOfTheSameExtents : public Identities {
  public:
    FreshOfTheSameExtents(const RecordedIdentities& recorded, std::uint64_t seed)
        : recorded_(replay_identities(recorded)), fresh_(fresh_identities(seed)) {}

    PacketIdentity packet(int gap_bucket) override { return fresh_->packet(gap_bucket); }
    IpAddress address(int kind) override { return fresh_->address(kind); }
    std::uint16_t port(int kind) override { return fresh_->port(kind); }
    bool redraws() const override { return fresh_->redraws(); }
    std::uint64_t extent(int bucket) override { return recorded_->extent(bucket); }
    std::pair<MacAddress, MacAddress> macs(const IpAddress& src, const IpAddress& dst) override {
        return fresh_->macs(src, dst);
    }

  private:
    std::unique_ptr<Identities> recorded_, fresh_;
};

/// A capture's own tokens given to a decoder that draws identities afresh.
Trace decoded(const FieldsEncoding& encoding, const Trace& trace, std::uint64_t seed) {
    EncodeReport report;
    const auto [tokens, recorded] = encoding.transcribe("any", trace, report);
    FieldsReader decoder(encoding.vocabulary(), {encoding.label_token("any"), false},
                         std::make_unique<FreshOfTheSameExtents>(recorded, seed));
    for (std::size_t i = 1; i < tokens.size(); ++i) {
        if (!decoder.allowed(tokens[i])) {
            ADD_FAILURE() << "not allowed: " << encoding.vocabulary().name(tokens[i]);
            break;
        }
        decoder.accept(tokens[i]);
    }
    EXPECT_TRUE(decoder.ended());
    return packets_of(decoder);
}

struct Identifiers {
    std::set<IpAddress> addresses;
    std::set<MacAddress> macs;
    std::set<std::uint16_t> ports;  ///< ephemeral ones: no service has them
    std::set<std::uint32_t> initial_sequences;
    std::int64_t first_ns = 0;
};
Identifiers identifiers(const Trace& trace) {
    Identifiers found;
    found.first_ns = trace.packets.front().time_ns;
    for (const PacketView& packet : trace.packets) {
        const Headers h = dissect(packet);
        const auto fields = packet_fields(packet, h);
        if (!fields) continue;
        for (const Endpoint& end : {fields->src, fields->dst}) {
            if (address_kind(end.address) != AddressKind::fixed) found.addresses.insert(end.address);
            if (end.port >= 32768) found.ports.insert(end.port);
        }
        for (const MacAddress& mac : {fields->src_mac, fields->dst_mac})
            if ((mac[0] & 1) == 0) found.macs.insert(mac);  // groups have the same everywhere
        if (h.has_tcp() && (fields->tcp_flags & tcp_flag::syn) != 0)
            found.initial_sequences.insert(fields->sequence);
    }
    return found;
}

template <typename T>
std::size_t shared(const std::set<T>& a, const std::set<T>& b) {
    return static_cast<std::size_t>(
        std::count_if(a.begin(), a.end(), [&](const T& value) { return b.contains(value); }));
}

TEST(FieldsIdentities, NothingOfTheCaptureComesBack) {
    const FieldsEncoding encoding({"any"});
    std::size_t ports = 0, shared_ports = 0, addresses = 0, shared_addresses = 0, sequences = 0;
    for (const auto& path : lab_captures()) {
        SCOPED_TRACE(path.filename());
        const Trace trace = read_trace(path.string());
        const Trace fresh = decoded(encoding, trace, 5);
        if (trace.empty() || fresh.empty()) continue;
        const Identifiers before = identifiers(trace), after = identifiers(fresh);
        EXPECT_EQ(shared(before.macs, after.macs), 0U);
        EXPECT_EQ(shared(before.initial_sequences, after.initial_sequences), 0U);
        EXPECT_NE(before.first_ns, after.first_ns);
        addresses += before.addresses.size();
        shared_addresses += shared(before.addresses, after.addresses);
        ports += before.ports.size();
        shared_ports += shared(before.ports, after.ports);
        sequences += before.initial_sequences.size();
        EXPECT_EQ(before.addresses.size(), after.addresses.size());  // as many hosts as before
    }
    ASSERT_GT(addresses, 200U);
    ASSERT_GT(ports, 100U);
    ASSERT_GT(sequences, 100U);
    // Drawn from the same ranges, a few meet by chance.
    EXPECT_LT(shared_addresses * 50, addresses) << shared_addresses << " of " << addresses;
    EXPECT_LT(shared_ports * 50, ports) << shared_ports << " of " << ports;
}

TEST(FieldsIdentities, SeedTellsThem) {
    const FieldsEncoding encoding({"any"});
    const Trace trace = read_trace(lab_captures().front().string());
    const Trace one = decoded(encoding, trace, 1), again = decoded(encoding, trace, 1),
                other = decoded(encoding, trace, 2);
    ASSERT_EQ(one.size(), again.size());
    ASSERT_FALSE(one.empty());
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one.packets[i].time_ns, again.packets[i].time_ns);
        EXPECT_TRUE(std::ranges::equal(one.packets[i].bytes, again.packets[i].bytes));
    }
    EXPECT_EQ(shared(identifiers(one).addresses, identifiers(other).addresses), 0U);
    EXPECT_NE(identifiers(one).first_ns, identifiers(other).first_ns);
}

// What the model does say stays: lengths, directions, flags, and times to within a bucket of an eighth.
TEST(FieldsIdentities, TheRestIsTheCaptures) {
    const FieldsEncoding encoding({"any"});
    const Trace trace = read_trace(lab_captures().front().string());
    EncodeReport report;
    const Trace exact = replayed(encoding, encoding.transcribe("any", trace, report));
    const Trace fresh = decoded(encoding, trace, 9);
    ASSERT_EQ(fresh.size(), exact.size());
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        const auto a = packet_fields(exact.packets[i], dissect(exact.packets[i]));
        const auto b = packet_fields(fresh.packets[i], dissect(fresh.packets[i]));
        ASSERT_TRUE(a && b);
        EXPECT_EQ(a->payload_length, b->payload_length);
        EXPECT_EQ(a->tcp_flags, b->tcp_flags);
        EXPECT_EQ(a->ttl, b->ttl);
        EXPECT_EQ(known_port(a->src.port), known_port(b->src.port));
        if (i == 0) continue;
        const std::int64_t gap = exact.packets[i].time_ns - exact.packets[i - 1].time_ns;
        const std::int64_t fresh_gap = fresh.packets[i].time_ns - fresh.packets[i - 1].time_ns;
        EXPECT_LE(std::abs(gap - fresh_gap), std::max<std::int64_t>(1024, gap / 4));
    }
}

}  // namespace
}  // namespace tracebench::ssm
