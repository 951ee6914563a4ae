#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "weights_support.h"

namespace tracebench {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;

std::vector<NamedTensor> read(const std::string& bytes) {
    const WeightFolder folder;
    return read_safetensors(folder.write("model.safetensors", bytes));
}

/// What the refusal says after the file's name.
std::string refusal(const std::string& bytes) {
    try {
        read(bytes);
    } catch (const InputError& error) {
        const std::string message = error.what();
        const auto place = message.find("model.safetensors: ");
        return place == std::string::npos ? "does not name the file: " + message : message.substr(place + 19);
    }
    return "accepted";
}

std::string entry(const std::string& name, const std::string& type, const std::string& shape,
                  const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" +
           offsets + "}";
}

const std::string one_and_two = little(0x3F800000, 4) + little(0x40000000, 4);

TEST(Safetensors, ReadsAFileWrittenByHand) {
    const auto tensors = read(safetensors(
        R"({"__metadata__":{"format":"pt"},)" + entry("w", "F32", "[2,1]", "[0,8]") + "," +
            entry("empty", "F16", "[0,3]", "[8,8]") + "," + entry("scalar", "BF16", "[]", "[8,10]") + "}  ",
        one_and_two + "\x40\xC0"));
    ASSERT_EQ(tensors.size(), 3U);
    EXPECT_EQ(tensors[0].name, "w");
    EXPECT_THAT(tensors[0].shape, ElementsAre(2, 1));
    EXPECT_THAT(tensors[0].values, ElementsAre(1, 2));
    EXPECT_THAT(tensors[1].shape, ElementsAre(0, 3));
    EXPECT_THAT(tensors[1].values, IsEmpty());
    EXPECT_THAT(tensors[2].shape, IsEmpty());
    EXPECT_THAT(tensors[2].values, ElementsAre(-3));
}

TEST(Safetensors, LeavesNotANumberToTheModel) {
    const auto tensors =
        read(safetensors("{" + entry("w", "F32", "[1]", "[0,4]") + "}", little(0x7FC00000, 4)));
    EXPECT_TRUE(std::isnan(tensors.at(0).values.at(0)));
}

TEST(Safetensors, ReadsNoTensors) {
    EXPECT_THAT(read(safetensors("{}")), IsEmpty());
}

TEST(Safetensors, WritesTheFormatByteForByte) {
    const WeightFolder folder;
    const auto path = folder.path() / "deep" / "model.safetensors";
    write_safetensors(path, {{"b", {2}, {1, 2}}, {"a", {}, {-3}}}, {{"format", "pt"}});
    std::ifstream file(path, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), {});
    std::string header =
        R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
        R"("a":{"dtype":"F32","shape":[],"data_offsets":[8,12]}})";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    EXPECT_EQ(content, safetensors(header, one_and_two + little(0xC0400000, 4)));
}

TEST(Safetensors, LeavesTheOldFileWhereTheNewOneIsWrong) {
    const WeightFolder folder;
    const auto path = folder.path() / "model.safetensors";
    write_safetensors(path, {{"a", {1}, {5}}}, nullptr);
    EXPECT_THROW(write_safetensors(path, {{"a", {2}, {5}}}, nullptr), std::invalid_argument);
    EXPECT_THROW(write_safetensors(path, {{"a", {1}, {5}}, {"a", {1}, {6}}}, nullptr), std::invalid_argument);
    EXPECT_THAT(read_safetensors(path).at(0).values, ElementsAre(5));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Safetensors, SaysWhyItCannotWrite) {
    EXPECT_THROW(write_safetensors("/proc/no/model.safetensors", {}, nullptr), InputError);
    try {
        write_safetensors("/dev/full", {{"a", {1}, {5}}}, nullptr);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(
            error.what(),
            "/dev/full: cannot write: No space left on device; free some disk space or choose another place");
    }
}

TEST(Safetensors, RefusesFilesThatAreNone) {
    const WeightFolder folder;
    EXPECT_THROW(read_safetensors(folder.path() / "absent"), InputError);
    EXPECT_THROW(read_safetensors(folder.path()), InputError);
    EXPECT_THROW(read_safetensors("/dev/zero"), InputError);
    EXPECT_EQ(refusal(""), "is empty; copy or download it again");
    EXPECT_EQ(refusal("1234567"), "has only 7 bytes; a safetensors file was expected");
    EXPECT_THAT(refusal(safetensors("")), HasSubstr("does not begin with '{'"));
    EXPECT_THAT(refusal(safetensors(" {}")), HasSubstr("does not begin with '{'"));
}

TEST(Safetensors, RefusesHeadersOutOfBounds) {
    EXPECT_EQ(refusal(little(UINT64_MAX, 8) + "{}"),
              "claims a header of 18446744073709551615 bytes; at most 100000000 are allowed; a safetensors "
              "file was "
              "expected");
    EXPECT_THAT(refusal(little(100'000'001, 8) + "{}"), HasSubstr("claims a header of 100000001 bytes"));
    EXPECT_EQ(refusal(little(3, 8) + "{}"),
              "ends within its header of 3 bytes, after 2; copy or download it again");
}

TEST(Safetensors, RefusesHeadersThatAreNotJson) {
    EXPECT_THAT(refusal(safetensors("{")), HasSubstr("the header is not valid JSON at its byte 2"));
    EXPECT_THAT(refusal(safetensors("{}}")), HasSubstr("not valid JSON"));
    EXPECT_THAT(refusal(safetensors("{\"\xFF\":1}")), HasSubstr("not valid JSON"));
    EXPECT_THAT(refusal(safetensors(std::string("{}\0", 3))), HasSubstr("not valid JSON"));
}

TEST(Safetensors, RefusesOtherLayouts) {
    EXPECT_THAT(refusal(safetensors(R"({"a":1})")),
                HasSubstr("tensor 'a' has a number in an unexpected place"));
    EXPECT_THAT(refusal(safetensors(R"({"a":[]})")),
                HasSubstr("tensor 'a' has an array in an unexpected place"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"b":{}}})")), HasSubstr("unknown key 'b'"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"shape":{}}})")), HasSubstr("an object in an unexpected place"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"shape":[[]]}})")),
                HasSubstr("an array in an unexpected place"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"shape":[-1]}})")), HasSubstr("a negative number"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"shape":[1.5]}})")), HasSubstr("a fraction"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"dtype":null}})")), HasSubstr("null"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"dtype":"F32"}})")),
                HasSubstr("lacks dtype, shape or data_offsets"));
    EXPECT_THAT(refusal(safetensors("{" + entry("a", "F32", "[1]", "[0]") + "}")), HasSubstr("lacks"));
    EXPECT_THAT(refusal(safetensors("{" + entry("a", "F32", "[1]", "[0,4,8]") + "}")),
                HasSubstr("more than two"));
    EXPECT_THAT(refusal(safetensors(R"({"a":{"dtype":"F32","dtype":"F16"}})")), HasSubstr("has dtype twice"));
    EXPECT_THAT(refusal(safetensors(R"({"__metadata__":{"a":1}})")),
                HasSubstr("a number in an unexpected place"));
    EXPECT_THAT(refusal(safetensors(R"({"__metadata__":{"a":{}}})")),
                HasSubstr("an object in an unexpected place"));
    EXPECT_THAT(refusal(safetensors(R"({"__metadata__":"a"})")),
                HasSubstr("a string in an unexpected place"));
}

TEST(Safetensors, RefusesDepthAndCountsWithoutKeepingThem) {
    EXPECT_THAT(refusal(safetensors("{\"a\":" + std::string(1'000'000, '['))), HasSubstr("unexpected place"));
    std::string shape = "[1";
    for (int i = 0; i < 8; ++i) shape += ",1";
    EXPECT_THAT(refusal(safetensors("{" + entry("a", "F32", shape + "]", "[0,4]") + "}")),
                HasSubstr("tensor 'a' has more than 8 dimensions"));
    EXPECT_THAT(refusal(safetensors("{\"" + std::string(1025, 'x') + "\":1}")),
                HasSubstr("whose name has 1025 bytes"));
    std::string many = "{";
    for (int i = 0; i <= 1 << 17; ++i) many += entry(std::to_string(i), "F32", "[0]", "[0,0]") + ",";
    many.back() = '}';
    EXPECT_THAT(refusal(safetensors(many)), HasSubstr("more than 131072 tensors"));
}

TEST(Safetensors, RefusesOtherTypes) {
    EXPECT_EQ(refusal(safetensors("{" + entry("a", "I64", "[1]", "[0,8]") + "}", one_and_two)),
              "tensor 'a' has the type 'I64'; save it as F32, F16, BF16 or F64: only those are read");
}

TEST(Safetensors, RefusesANameThatIsThereTwice) {
    EXPECT_EQ(refusal(safetensors(
                  "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("a", "F32", "[1]", "[4,8]") + "}",
                  one_and_two)),
              "tensor 'a' is there twice");
    EXPECT_THAT(refusal(safetensors(R"({"__metadata__":{},"__metadata__":{}})")), HasSubstr("twice"));
}

TEST(Safetensors, RefusesOffsetsThatOverlapOrLeaveGaps) {
    const auto two = [](const std::string& first, const std::string& second) {
        return refusal(
            safetensors("{" + entry("a", "F32", "[1]", first) + "," + entry("b", "F32", "[1]", second) + "}",
                        one_and_two + one_and_two));
    };
    EXPECT_EQ(two("[0,4]", "[2,6]"),
              "tensor 'b' begins at byte 2 of the data, before the one before ends, at 4; tensors may "
              "neither overlap "
              "nor leave gaps");
    EXPECT_THAT(two("[0,4]", "[0,4]"), HasSubstr("tensor 'b' begins at byte 0"));
    EXPECT_THAT(two("[0,4]", "[8,12]"),
                HasSubstr("tensor 'b' begins at byte 8 of the data, after the one before"));
    EXPECT_THAT(two("[4,8]", "[8,12]"), HasSubstr("tensor 'a' begins at byte 4"));
    EXPECT_EQ(two("[4,8]", "[0,4]"),
              "has 8 bytes of data after those of its tensors; copy or download it again");
    EXPECT_THAT(two("[0,4]", "[14,18]"), HasSubstr("tensor 'b' is at bytes 14 to 18 of 16"));
    EXPECT_THAT(two("[0,4]", "[8,4]"), HasSubstr("tensor 'b' is at bytes 8 to 4 of 16"));
    EXPECT_THAT(two("[0,4]", "[0,18446744073709551615]"), HasSubstr("tensor 'b' is at bytes 0 to 1844"));
}

TEST(Safetensors, RefusesShapesThatDoNotFitTheirBytes) {
    const auto shaped = [](const std::string& type, const std::string& shape) {
        return refusal(safetensors("{" + entry("a", type, shape, "[0,8]") + "}", one_and_two));
    };
    const std::string disagrees = "tensor 'a' has 8 bytes, which is not what its shape and type need";
    EXPECT_EQ(shaped("F32", "[2]"), "accepted");
    EXPECT_THAT(shaped("F32", "[3]"), HasSubstr(disagrees));
    EXPECT_THAT(shaped("F16", "[2]"), HasSubstr(disagrees));
    EXPECT_THAT(shaped("F64", "[]"), HasSubstr("accepted"));
    EXPECT_THAT(shaped("F32", "[4294967296,4294967296,4294967296]"), HasSubstr(disagrees));
    EXPECT_THAT(shaped("F32", "[18446744073709551615]"), HasSubstr("shape beyond all memory"));
    EXPECT_THAT(shaped("F32", "[0,9223372036854775807,9223372036854775807]"), HasSubstr(disagrees));
}

TEST(Safetensors, EscapesHostileNames) {
    EXPECT_THAT(refusal(safetensors(R"({"\u001b[2J":1})")), HasSubstr("tensor '\\x1b[2J' has a number"));
}

TEST(ReadWeights, PrefersSafetensors) {
    const WeightFolder folder;
    folder.write("pytorch_model.bin", "not a zip archive");
    EXPECT_THROW(read_weights(folder.path()), InputError);
    write_safetensors(folder.path() / "model.safetensors", {{"a", {1}, {5}}}, nullptr);
    EXPECT_EQ(read_weights(folder.path()).at(0).name, "a");
}

TEST(ReadWeights, NamesAFolderWithoutWeights) {
    const WeightFolder folder;
    try {
        read_weights(folder.path());
        FAIL();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(),
                    EndsWith(": holds neither model.safetensors nor pytorch_model.bin; name a folder "
                             "with the weights of a model"));
    }
}

}  // namespace
}  // namespace tracebench
