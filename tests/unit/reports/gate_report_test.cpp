#include "reports/gate_report.h"

#include <gmock/gmock.h>

#include "reports/text.h"

namespace tracebench {
namespace {

using testing::HasSubstr;
using testing::Not;

GateFinding finding(const std::string& outcome, const std::string& group = "ip.ttl") {
    GateFinding out;
    out.dataset = "lab";
    out.generator = "markov";
    out.metric = "jsd";
    out.group = group;
    out.baseline = 0.25;
    out.current = 0.5;
    out.ci95[0] = 0.125;
    out.ci95[1] = 0.375;
    out.unit = "bit";
    out.outcome = outcome;
    out.message = "grew";
    return out;
}

const GateSummary summary{"regression", "One metric got worse.", "runs/now", "ci/baseline.json", 1.5};

TEST(Junit, CountsAndCases) {
    const std::string xml = render_junit(
        summary, {finding("regression"), finding("pass", "ip.tos"), finding("inconclusive", "tcp.window"),
                  finding("missing", "x"), finding("improved", "y"), finding("not_comparable", "z")});
    EXPECT_THAT(xml, HasSubstr("tests=\"6\" failures=\"3\" errors=\"0\" skipped=\"1\" time=\"1.500\""));
    EXPECT_THAT(xml, HasSubstr("<testsuite name=\"lab / markov\" tests=\"6\" failures=\"3\""));
    EXPECT_THAT(xml, HasSubstr("<failure type=\"regression\" message=\"grew\">baseline 0.25, now 0.5, change "
                               "+0.25 [+0.125, +0.375] bit; lower is better</failure>"));
    EXPECT_THAT(xml, HasSubstr("name=\"jsd ip.tos\"/>"));
    EXPECT_THAT(xml, HasSubstr("<skipped message=\"inconclusive: grew\"/>"));
}

TEST(Junit, NothingMeasuredIsStillADocument) {
    EXPECT_THAT(render_junit(summary, {}), HasSubstr("tests=\"0\""));
}

TEST(Junit, HostileNamesStayText) {
    GateFinding hostile = finding("regression", "\"><x a='&'>\x01\xFF\n\xEF\xBF\xBF");
    hostile.message = "]]></failure>";
    const std::string xml = render_junit(summary, {hostile});
    EXPECT_THAT(
        xml,
        HasSubstr("jsd &quot;&gt;&lt;x a=&apos;&amp;&apos;&gt;\xEF\xBF\xBD\xEF\xBF\xBD&#10;\xEF\xBF\xBD\""));
    EXPECT_THAT(xml, HasSubstr("message=\"]]&gt;&lt;/failure&gt;\""));
}

TEST(GateMarkdown, WorstFirstAndPassesOnlyCounted) {
    const std::string text = render_gate_markdown(
        summary, {finding("pass"), finding("improved", "better"), finding("regression", "worse")});
    EXPECT_THAT(text, HasSubstr("3 metrics compared, 1 regression, 1 improved, 1 pass."));
    EXPECT_LT(text.find("jsd worse"), text.find("jsd better"));
    EXPECT_THAT(text, Not(HasSubstr("jsd ip.ttl")));
}

TEST(GateMarkdown, CutsLongTables) {
    std::vector<GateFinding> many(60, finding("regression"));
    EXPECT_THAT(render_gate_markdown(summary, many), HasSubstr("10 more rows are in the JUnit file."));
}

TEST(GateMarkdown, HostileNamesStayText) {
    const std::string text =
        render_gate_markdown(summary, {finding("missing", "a|b\n# <img src=x> [l](u) `c`")});
    EXPECT_THAT(text, HasSubstr("jsd a\\|b \\# &lt;img src=x\\> \\[l\\]\\(u\\) \\`c\\`"));
}

TEST(Text, InvalidUtf8BecomesReplacementCharacters) {
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(escape_xml("\xC0\x80"), bad + bad);            // overlong
    EXPECT_EQ(escape_xml("\xED\xA0\x80"), bad + bad + bad);  // surrogate
    EXPECT_EQ(escape_xml("\xE2\x82"), bad + bad);            // cut short
    EXPECT_EQ(escape_xml("\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(Text, JsonInsideAScriptElement) {
    EXPECT_EQ(escape_script_json("[\"</script><!--\xE2\x80\xA8\xE2\x80\xA9&\xE2\x82\xAC\"]"),
              "[\"\\u003c/script\\u003e\\u003c!--\\u2028\\u2029\\u0026\xE2\x82\xAC\"]");
}

}  // namespace
}  // namespace tracebench
