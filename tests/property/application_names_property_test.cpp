// What holds of names taken out of payloads, whatever the bytes.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "traffic/application_names.h"

namespace tracebench {
namespace {

using Bytes = std::vector<std::uint8_t>;

bool printable_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127; });
}

void check_all(const Bytes& payload) {
    // A copy without room to spare: a read past the end is one past the allocation.
    const Bytes exact(payload.begin(), payload.end());
    if (const auto name = tls_server_name(exact)) RC_ASSERT(printable_name(*name));
    if (const auto name = http_host(exact)) RC_ASSERT(printable_name(*name));
    for (const std::string& name : dns_question_names(exact)) {
        RC_ASSERT(printable_name(name));
        RC_ASSERT(name.size() <= 4 * 255u);
    }
}

RC_GTEST_PROP(ApplicationNames, ArePrintableWhateverTheBytes, (const Bytes& payload)) {
    check_all(payload);
}

RC_GTEST_PROP(ApplicationNames, SurviveDamagedMessages, ()) {
    const std::vector<Bytes> heads = {{22, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3},
                                      {0, 1, 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 1, 'a', 0xC0, 12},
                                      {'G', 'E', 'T', ' ',  '/',  ' ', 'H', 'T', 'T', 'P', '/',
                                       '1', '.', '1', '\r', '\n', 'H', 'o', 's', 't', ':'}};
    Bytes payload = *rc::gen::elementOf(heads);
    const auto tail =
        *rc::gen::container<Bytes>(rc::gen::element<std::uint8_t>(0, 1, 2, 3, 12, 63, 0xC0, 'a', '\r', '\n'));
    payload.insert(payload.end(), tail.begin(), tail.end());
    const auto at = *rc::gen::inRange<std::size_t>(0, payload.size());
    payload[at] = *rc::gen::arbitrary<std::uint8_t>();
    check_all(payload);
}

RC_GTEST_PROP(ApplicationNames, QuestionsComeBackAsTheyWereAsked, ()) {
    // At most 6 * 41 bytes, below the 255 of a name.
    std::vector<std::string> labels(*rc::gen::inRange<std::size_t>(1, 7));
    const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    for (std::string& label : labels)
        label = *rc::gen::container<std::string>(*rc::gen::inRange<std::size_t>(1, 41),
                                                 rc::gen::elementOf(letters));
    Bytes message = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    std::string expected;
    for (const std::string& label : labels) {
        message.push_back(static_cast<std::uint8_t>(label.size()));
        message.insert(message.end(), label.begin(), label.end());
        expected += (expected.empty() ? "" : ".") + label;
    }
    message.insert(message.end(), {0, 0, 1, 0, 1});
    RC_ASSERT(dns_question_names(message) == std::vector<std::string>{expected});
}

}  // namespace
}  // namespace tracebench
