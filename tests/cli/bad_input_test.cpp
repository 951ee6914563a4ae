/// Every kind of bad input ends with exit code 2 and one line that names the place.

#include <gmock/gmock.h>

#include <fstream>

#include "tests/cli/cli.h"

namespace tracebench::test {
namespace {

using testing::HasSubstr;

/// One line, which holds each of the words; nothing on standard output.
void expect_refused(const ProcessResult& result, const std::vector<std::string>& words) {
    EXPECT_EQ(result.end, ProcessResult::End::exited);
    EXPECT_EQ(result.code, 2) << result.errors;
    EXPECT_EQ(result.output, "");
    ASSERT_FALSE(result.errors.empty());
    EXPECT_EQ(std::count(result.errors.begin(), result.errors.end(), '\n'), 1) << result.errors;
    for (const std::string& word : words) EXPECT_THAT(result.errors, HasSubstr(word));
}

class BadInput : public CliTest {};

TEST_F(BadInput, UnknownVerbAndOption) {
    expect_refused(tracebench({"explode"}), {"explode"});
    expect_refused(tracebench({}), {"--help"});
    expect_refused(tracebench({"flows", "x.pcap", "--colour"}), {"--colour"});
}

TEST_F(BadInput, MissingFile) {
    for (const char* verb : {"flows", "compliance", "inspect", "nprint"})
        expect_refused(tracebench({verb, path("no.pcap")}), {"no.pcap", "No such file"});
    expect_refused(tracebench({"run", path("no.json"), "-o", path("out")}), {"no.json", "No such file"});
    expect_refused(tracebench({"check", path("no"), "--baseline", path("no.json")}), {"no"});
}

TEST_F(BadInput, NotACapture) {
    const std::string file = write("notes.pcap", "this is a text file, not a capture at all\n");
    for (const char* verb : {"flows", "compliance", "inspect", "nprint"})
        expect_refused(tracebench({verb, file}), {"notes.pcap"});
    expect_refused(tracebench({"flows", write("empty.pcap", "")}), {"empty.pcap"});
    expect_refused(tracebench({"flows", folder_.string()}), {folder_.filename().string()});
}

TEST_F(BadInput, HostileNamesAreEscaped) {
    const ProcessResult result = tracebench({"flows", path("\x1b[31mred\nline.pcap")});
    expect_refused(result, {"\\x1b[31mred\\x0aline.pcap"});
}

TEST_F(BadInput, TruncatedCaptureIsUsedUpToTheDamage) {
    std::string whole = read_file(lab() / "dns" / "dns-01.pcap");
    const auto all = nlohmann::json::parse(tracebench({"flows", (lab() / "dns" / "dns-01.pcap").string(), "--json"}).output);
    const std::string cut = write("cut.pcap", whole.substr(0, whole.size() - 3));
    const ProcessResult result = tracebench({"flows", cut, "--json"});
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(nlohmann::json::parse(result.output).at("packets").get<int>(), all.at("packets").get<int>() - 1);
    EXPECT_THAT(result.errors, HasSubstr("byte"));
}

TEST_F(BadInput, ACaptureWithoutPacketsIsEmptyNotBroken) {
    const std::string header = read_file(lab() / "dns" / "dns-01.pcap").substr(0, 24);
    const ProcessResult result = tracebench({"flows", write("none.pcap", header), "--json"});
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(nlohmann::json::parse(result.output).at("packets"), 0);
}

TEST_F(BadInput, ManifestWithATypo) {
    expect_refused(tracebench({"run", write("a.json", R"({"name":"x","datasets":[],"generatorz":[]})"), "-o", path("o")}),
                   {"a.json", "/generatorz", "generators"});
    expect_refused(tracebench({"run", write("b.json", "{\"name\": \"x\",\n  oops}"), "-o", path("o")}), {"b.json", "line 2"});
    expect_refused(tracebench({"plan", write("c.json", R"({"name":"x","datasets":[{"name":"d","folder":".","labels":".","unit":"packet"}],"generators":[{"name":"markov"}]})")}),
                   {"c.json", "/datasets/0/unit", "session"});
    EXPECT_FALSE(std::filesystem::exists(path("o")));
}

TEST_F(BadInput, UnknownGeneratorMetricClassifier) {
    expect_refused(tracebench({"run", small_manifest(R"([{"name":"gan"}])"), "-o", path("o")}),
                   {"/generators/0", "gan", "markov"});
    expect_refused(tracebench({"run", small_manifest(R"([{"name":"markov","settings":{"colour":1}}])"), "-o", path("o")}),
                   {"/generators/0", "colour"});
    EXPECT_FALSE(std::filesystem::exists(path("o")));
}

TEST_F(BadInput, LabelForNoFile) {
    std::filesystem::copy(lab() / "dns" / "dns-01.pcap", folder_ / "a.pcap");
    write("labels.csv", "file,label\na.pcap,dns\nb.pcap,dns\n");
    const std::string manifest = write(
        "m.json", R"({"name":"x","datasets":[{"name":"d","folder":".","labels":"labels.csv"}],"generators":[{"name":"markov"}]})");
    expect_refused(tracebench({"data", "validate", manifest}), {"labels.csv", "b.pcap"});
    write("labels.csv", "file,class\na.pcap,dns\n");
    expect_refused(tracebench({"data", "validate", manifest}), {"labels.csv", "label"});
    write("labels.csv", "file,label\na.pcap\n");
    expect_refused(tracebench({"data", "validate", manifest}), {"labels.csv", "row 2"});
}

TEST_F(BadInput, UnwritableOutput) {
    const std::string file = write("file", "x");
    expect_refused(tracebench({"run", small_manifest(), "-o", file + "/below"}), {"below"});
    expect_refused(tracebench({"nprint", (lab() / "dns" / "dns-01.pcap").string(), "-o", file + "/n.txt"}), {"file"});
}

TEST_F(BadInput, FullDisk) {
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    expect_refused(tracebench({"nprint", (lab() / "ssh" / "ssh-01.pcap").string(), "-o", "/dev/full"}),
                   {"No space left"});
}

}  // namespace
}  // namespace tracebench::test
