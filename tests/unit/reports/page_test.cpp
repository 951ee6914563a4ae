#include "reports/page.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "reports/render.h"

namespace tracebench {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// What stands between the data element's tags.
std::string embedded(const std::string& page) {
    const std::string open = "id=\"data\">";
    const std::size_t begin = page.find(open) + open.size();
    return page.substr(begin, page.find("</script>", begin) - begin);
}

TEST(Page, HostileTextStaysData) {
    const json data = {
        {"name", "</script><script>alert(1)</script><!--\xE2\x80\xA8\xE2\x80\xA9 {{scripts}} &amp; \xFF"}};
    const std::string page = assemble_page("<b>\"title\"", "<main></main>", "'use strict';", data);
    const std::string text = embedded(page);
    EXPECT_THAT(text, Not(HasSubstr("<")));
    EXPECT_THAT(text, Not(HasSubstr("\xE2\x80\xA8")));
    EXPECT_EQ(
        json::parse(text)["name"],
        "</script><script>alert(1)</script><!--\xE2\x80\xA8\xE2\x80\xA9 {{scripts}} &amp; \xEF\xBF\xBD");
    EXPECT_THAT(page, HasSubstr("<title>&lt;b&gt;&quot;title&quot;</title>"));
    EXPECT_THAT(page, Not(HasSubstr("<script>alert(1)")));
}

TEST(Page, PolicyAllowsItsOwnScriptsOnly) {
    const std::string page = assemble_page("t", "", "", json::object());
    const std::string head = page.substr(0, page.find("<style>"));
    EXPECT_THAT(head, HasSubstr("default-src 'none'; script-src 'sha256-"));
    EXPECT_THAT(head, Not(HasSubstr("script-src 'unsafe-inline'")));
    for (const char* loading : {"<script src", "<link rel=\"stylesheet\"", "@import"})
        EXPECT_EQ(page.find(loading), std::string::npos) << loading;
    // ECharts holds these for pictures it could draw; our own markup and styles do not.
    const std::string own = page.substr(0, page.find("<script"));
    for (const char* loading : {"<img", "url("}) EXPECT_EQ(own.find(loading), std::string::npos) << loading;
}

TEST(Page, RoundsNumbersOnly) {
    EXPECT_EQ(
        rounded({{"x", 0.123456789012}, {"n", 123456789012}, {"s", "0.123456789012"}, {"v", {1.0 / 3}}}, 4),
        json({{"x", 0.1235}, {"n", 123456789012}, {"s", "0.123456789012"}, {"v", {0.3333}}}));
}

TEST(Report, SmallestRecordMakesAPageUnderTwoMegabytes) {
    RunRecord record;
    const std::string page = render_html(record);
    EXPECT_LT(page.size(), 2'000'000u);
    EXPECT_EQ(json::parse(embedded(page))["schema_version"], 1);
}

}  // namespace
}  // namespace tracebench
