#include "ssm_fields_support.h"

namespace tracebench::ssm {
namespace {

using namespace fields_testing;

TEST(FieldsLossless, EveryLabCapture) {
    const FieldsEncoding encoding({"any"});
    const auto captures = lab_captures();
    ASSERT_FALSE(captures.empty());
    EncodeReport total;
    for (const auto& path : captures) {
        SCOPED_TRACE(path.filename());
        const Trace trace = read_trace(path.string());
        expect_lossless(encoding, trace);
        encoding.encode("any", trace, total);
    }
    EXPECT_GT(total.packets, 10'000U);
    // A packet in a few tokens is what the encoding is for: 12 is the bound that the design promises.
    EXPECT_LT(static_cast<double>(total.tokens) / static_cast<double>(total.packets), 12);
}

// What the model is allowed to write has to include what networks do. (A length is judged before a sequence
// number is said, so that what only a retransmission may have is refused.)
TEST(FieldsLossless, ConstraintsAllowRealTraffic) {
    const FieldsEncoding encoding({"any"});
    std::uint64_t fed = 0, refused = 0;
    for (const auto& path : lab_captures()) {
        EncodeReport report;
        const FieldsTranscript transcript = encoding.transcribe("any", read_trace(path.string()), report);
        const auto decoder = encoding.replay("any", transcript.identities, true);
        for (std::size_t i = 1; i < transcript.tokens.size(); ++i, ++fed) {
            refused += decoder->allowed(transcript.tokens[i]) ? 0 : 1;
            decoder->accept(transcript.tokens[i]);
        }
    }
    EXPECT_GT(fed, 100'000U);
    EXPECT_LT(static_cast<double>(refused), 0.001 * static_cast<double>(fed)) << refused << " of " << fed;
}

}  // namespace
}  // namespace tracebench::ssm
