/// Against PyTorch, and against readers and writers that are not ours: see tests/golden/weights/make.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/process.h"
#include "weights_support.h"

namespace tracebench {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::WeightFolder;

const std::filesystem::path golden = std::filesystem::path(TRACEBENCH_SOURCE_DIR) / "tests/golden/weights";

json expected(const char* which) {
    return json::parse(read_file(golden / "expected.json")).at(which);
}

json as_json(const std::vector<NamedTensor>& tensors) {
    json list = json::array();
    for (const NamedTensor& tensor : tensors) {
        json bits = json::array();
        for (const float value : tensor.values) bits.push_back(std::bit_cast<std::uint32_t>(value));
        list.push_back({{"name", tensor.name}, {"shape", tensor.shape}, {"bits", bits}});
    }
    return list;
}

std::string refusal(const char* file) {
    try {
        read_pytorch_bin(golden / file);
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(SsmWeightsGolden, ReadsWhatPytorchSaves) {
    EXPECT_EQ(as_json(read_pytorch_bin(golden / "state_dict.bin")), expected("state_dict"));
}

TEST(SsmWeightsGolden, ReadsPickleProtocolFour) {
    EXPECT_EQ(as_json(read_pytorch_bin(golden / "plain_dict.bin")), expected("state_dict"));
}

TEST(SsmWeightsGolden, ReadsSafetensorsOfEveryType) {
    EXPECT_EQ(as_json(read_safetensors(golden / "mixed.safetensors")), expected("mixed"));
}

TEST(SsmWeightsGolden, RefusesWhatIsNoStateDictOfFloats) {
    EXPECT_THAT(refusal("refused_integers.bin"), HasSubstr("'steps' is kept in a torch.LongStorage"));
    EXPECT_THAT(refusal("refused_checkpoint.bin"), HasSubstr("'state_dict' is a dict, not a tensor"));
    EXPECT_THAT(refusal("refused_module.bin"), HasSubstr("asks for 'torch.nn.modules.linear.Linear'"));
    EXPECT_THAT(refusal("refused_legacy.bin"), HasSubstr("is not a zip archive; save it with torch.save()"));
    EXPECT_THAT(refusal("refused_expanded.bin"),
                HasSubstr("'weight' has 1000000 elements in a storage of 1"));
}

TEST(SsmWeightsGolden, RefusesPicklesThatWouldExecute) {
    EXPECT_THAT(refusal("refused_system.bin"), HasSubstr("asks for 'posix.system'"));
    EXPECT_THAT(refusal("refused_eval.bin"), HasSubstr("asks for '__builtin__.eval'"));
    EXPECT_FALSE(std::filesystem::exists("executed"));
}

TEST(SsmWeightsGolden, WritesWhatAnotherReaderReads) {
    const WeightFolder folder;
    const auto path = folder.path() / "model.safetensors";
    const std::vector<NamedTensor> tensors = {{"b.weight", {2, 3}, {1, -2.5F, 3e-45F, 0, -0.0F, 1e38F}},
                                              {"a \"quoted\" é", {}, {7}},
                                              {"none", {0, 4}, {}}};
    write_safetensors(path, tensors, {{"format", "pt"}, {"step", "12"}});
    const ProcessResult result = run_process(
        {.arguments = {"python3", (golden / "make.py").string(), "--show", path.string()}, .timeout_s = 60});
    if (result.end == ProcessResult::End::not_started) GTEST_SKIP() << "python3 is not installed";
    ASSERT_TRUE(result.succeeded()) << result.errors;
    const json shown = json::parse(result.output);
    EXPECT_EQ(shown.at("tensors"), as_json(tensors));
    EXPECT_EQ(shown.at("metadata"), json({{"format", "pt"}, {"step", "12"}}));
}

}  // namespace
}  // namespace tracebench
