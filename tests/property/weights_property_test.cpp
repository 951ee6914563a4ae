// Weights come back as they were written, and whatever bytes a file of weights holds, reading it ends well.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "generators/weights/state_dict.h"
#include "tests/unit/generators/weights_support.h"

namespace tracebench {
namespace {

using testing::WeightFolder;

NamedTensor arbitrary_tensor(std::string name) {
    NamedTensor tensor;
    tensor.name = std::move(name);
    tensor.shape = *rc::gen::resize(
        4, rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 5)));
    if (tensor.shape.size() > 8) tensor.shape.resize(8);
    const auto bits = *rc::gen::container<std::vector<std::uint32_t>>(static_cast<std::size_t>(tensor.size()),
                                                                      rc::gen::arbitrary<std::uint32_t>());
    for (const std::uint32_t value : bits) tensor.values.push_back(std::bit_cast<float>(value));
    return tensor;
}

/// Not a number has many forms, all of which have to come back.
bool same(const NamedTensor& a, const NamedTensor& b) {
    return a.name == b.name && a.shape == b.shape &&
           std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                      [](float x, float y) {
                          return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
                      });
}

RC_GTEST_PROP(Safetensors, ComesBackAsItWasWritten, ()) {
    const auto names =
        *rc::gen::resize(12, rc::gen::unique<std::vector<std::string>>(rc::gen::string<std::string>()));
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) {
        const std::string valid =
            nlohmann::json(name).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
        tensors.push_back(arbitrary_tensor(std::to_string(tensors.size()) + valid));
    }
    const WeightFolder folder;
    write_safetensors(folder.path() / "w", tensors, nullptr);
    const auto back = read_safetensors(folder.path() / "w");
    RC_ASSERT(back.size() == tensors.size());
    for (std::size_t i = 0; i < back.size(); ++i) RC_ASSERT(same(back[i], tensors[i]));
}

/// A valid file with some bytes changed, removed, repeated, or cut.
std::string damaged(std::string bytes) {
    const int changes = *rc::gen::inRange(0, 8);
    for (int i = 0; i < changes && !bytes.empty(); ++i) {
        const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
        const auto length = *rc::gen::inRange<std::size_t>(1, 9);
        switch (*rc::gen::inRange(0, 5)) {
            case 0:
                bytes[at] = *rc::gen::arbitrary<char>();
                break;
            case 1:
                bytes[at] = static_cast<char>(bytes[at] ^ 1 << *rc::gen::inRange(0, 8));
                break;
            case 2:
                bytes.erase(at, length);
                break;
            case 3:
                bytes.insert(at, bytes.substr(*rc::gen::inRange<std::size_t>(0, bytes.size()), length));
                break;
            default:
                bytes.replace(at, 1, 1, "\x00\x7F\x80\xFF"[*rc::gen::inRange(0, 4)]);
                break;
        }
    }
    if (*rc::gen::inRange(0, 4) == 0) bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    return bytes;
}

/// Whatever is read is what its shape says; whatever is not, is the input's fault.
template <typename Read>
void must_end_well(const std::string& bytes, Read read) {
    const WeightFolder folder;
    try {
        for (const NamedTensor& tensor : read(folder.write("w", bytes)))
            RC_ASSERT(std::cmp_equal(tensor.values.size(), tensor.size()));
    } catch (const InputError&) {
    }
}

std::string golden(const char* name) {
    return read_file(std::filesystem::path(TRACEBENCH_SOURCE_DIR) / "tests/golden/weights" / name);
}

RC_GTEST_PROP(Safetensors, DamageNeverCrashes, ()) {
    static const std::string valid = golden("mixed.safetensors");
    must_end_well(damaged(valid), [](const std::filesystem::path& path) { return read_safetensors(path); });
}

RC_GTEST_PROP(PytorchBin, DamageNeverCrashes, ()) {
    static const std::string valid = golden("state_dict.bin");
    must_end_well(damaged(valid), read_pytorch_bin);
}

/// The archive whole, its checksums right: only the pickle is damaged.
RC_GTEST_PROP(PytorchBin, DamagedPicklesNeverCrash, ()) {
    using namespace testing;
    static const std::string valid = pickle::whole(pickle::dict(
        {pickle::text("a"), pickle::tensor(pickle::storage("0", 12), 1, {2, 3}, {4, 1}), pickle::text("b"),
         pickle::tensor(pickle::storage("0", 12), 0, {4, 3}, {1, 4}), pickle::text("c"),
         pickle::tensor(pickle::storage("1", 3, "DoubleStorage"), 2, {}, {})}));
    must_end_well(zip({{"a/data.pkl", damaged(valid)},
                       {"a/data/0", std::string(48, '1')},
                       {"a/data/1", std::string(24, '1')}}),
                  read_pytorch_bin);
}

/// Opcodes in any order, most of them ones that are known.
RC_GTEST_PROP(StateDict, AnyOpcodesEndWell, ()) {
    using namespace testing;
    static const std::vector<std::string> words = {"(",
                                                   "N",
                                                   "\x88",
                                                   "\x89",
                                                   "K\1",
                                                   ")",
                                                   "t",
                                                   "\x85",
                                                   "\x86",
                                                   "\x87",
                                                   "]",
                                                   "a",
                                                   "e",
                                                   "}",
                                                   "s",
                                                   "u",
                                                   "q\1",
                                                   "h\1",
                                                   "\x94",
                                                   "R",
                                                   "b",
                                                   "Q",
                                                   "\x93",
                                                   ".",
                                                   pickle::text("a"),
                                                   pickle::text("storage"),
                                                   pickle::integer(INT64_MAX),
                                                   pickle::integer(-1),
                                                   pickle::global("torch", "FloatStorage"),
                                                   pickle::global("collections", "OrderedDict"),
                                                   pickle::global("torch._utils", "_rebuild_tensor_v2"),
                                                   pickle::global("torch._utils", "_rebuild_parameter"),
                                                   pickle::storage("0", 12),
                                                   pickle::tensor(pickle::storage("0", 12), 0, {3}, {4})};
    std::string program = "\x80\x02}";
    for (const auto& word : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(words)))
        program += word;
    try {
        for (const TensorView& view : read_state_dict(program + ".", "w"))
            RC_ASSERT(view.shape.size() == view.strides.size());
    } catch (const InputError&) {
    }
}

}  // namespace
}  // namespace tracebench
