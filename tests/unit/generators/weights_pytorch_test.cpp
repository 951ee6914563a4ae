#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weights_support.h"

namespace tracebench {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;

std::vector<NamedTensor> read(const std::string& bytes) {
    const WeightFolder folder;
    return read_pytorch_bin(folder.write("pytorch_model.bin", bytes));
}

/// What the refusal says after the file's name.
std::string refusal(const std::string& bytes) {
    try {
        read(bytes);
    } catch (const InputError& error) {
        const std::string message = error.what();
        const auto place = message.find("pytorch_model.bin: ");
        return place == std::string::npos ? "does not name the file: " + message : message.substr(place + 19);
    }
    return "accepted";
}

/// The values 0, 1, 2... as 32-bit floats.
std::string floats(int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += little(std::bit_cast<std::uint32_t>(static_cast<float>(i)), 4);
    return bytes;
}

/// An archive with this pickle and a storage '0' of 12 floats.
std::string archive_of(const std::string& pickle) {
    return zip({{"archive/data.pkl", pickle}, {"archive/data/0", floats(12)}, {"archive/version", "3\n"}});
}
std::string refusal_of_pickle(const std::string& pickle) {
    return refusal(archive_of(pickle));
}
/// Of a dict with one tensor.
std::string tensor_file(const std::string& tensor) {
    return archive_of(pickle::whole(pickle::dict({pickle::text("w"), tensor})));
}
std::string refusal_of_tensor(const std::string& tensor) {
    return refusal(tensor_file(tensor));
}

TEST(PytorchBin, ReadsAFileWrittenByHand) {
    const auto tensors = read(tensor_file(pickle::tensor(pickle::storage("0", 12), 1, {2, 3}, {4, 1})));
    ASSERT_EQ(tensors.size(), 1U);
    EXPECT_EQ(tensors[0].name, "w");
    EXPECT_THAT(tensors[0].shape, ElementsAre(2, 3));
    EXPECT_THAT(tensors[0].values, ElementsAre(1, 2, 3, 5, 6, 7));
}

TEST(PytorchBin, FollowsStrides) {
    const auto tensors = read(tensor_file(pickle::tensor(pickle::storage("0", 12), 0, {2, 3, 2}, {1, 4, 2})));
    EXPECT_THAT(tensors.at(0).values, ElementsAre(0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11));
}

TEST(PytorchBin, ReadsThePickleWhereverItIs) {
    const std::string whole =
        pickle::whole(pickle::dict({pickle::text("w"), pickle::tensor(pickle::storage("k", 1), 0, {}, {})}));
    EXPECT_THAT(read(zip({{"data/k", little(0x40000000, 4)}, {"data.pkl", whole}})).at(0).values,
                ElementsAre(2));
}

TEST(PytorchBin, ReadsNamesInAnyLanguage) {
    const std::string whole =
        pickle::whole(pickle::dict({pickle::text("w"), pickle::tensor(pickle::storage("é", 1), 0, {}, {})}));
    for (const std::uint16_t utf8_flag : {0x800, 0})
        EXPECT_THAT(
            read(zip({{.name = "modèle/data.pkl", .content = whole, .flags = utf8_flag},
                      {.name = "modèle/data/é", .content = little(0x40000000, 4), .flags = utf8_flag}}))
                .at(0)
                .values,
            ElementsAre(2));
}

TEST(PytorchBin, ReadsTheByteOrder) {
    const std::string whole = pickle::whole("}");
    EXPECT_THAT(read(zip({{"a/data.pkl", whole}, {"a/byteorder", "little"}})), IsEmpty());
    EXPECT_EQ(refusal(zip({{"a/data.pkl", whole}, {"a/byteorder", "big"}})),
              "was saved on a big-endian machine; save it on a little-endian one");
}

TEST(PytorchBin, RefusesFilesThatAreNone) {
    EXPECT_EQ(refusal(""), "is empty; copy or download it again");
    EXPECT_EQ(refusal("PK but not a zip archive"),
              "is not a zip archive; save it with torch.save() of PyTorch 1.6 or later, and copy it whole");
    EXPECT_THAT(refusal(zip({{"archive/version", "3\n"}})), HasSubstr("holds no data.pkl"));
    EXPECT_THAT(refusal(zip({})), HasSubstr("is not a zip archive"));
    const std::string whole = tensor_file(pickle::tensor(pickle::storage("0", 12), 0, {12}, {1}));
    EXPECT_EQ(refusal(whole), "accepted");
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_NE(refusal(whole.substr(0, size)), "accepted");
}

TEST(PytorchBin, RefusesCompressedAndEncryptedMembers) {
    const std::string whole = pickle::whole("}");
    EXPECT_EQ(refusal(zip({{.name = "archive/data.pkl", .content = whole, .method = 8, .claimed = 1 << 30}})),
              "member 'archive/data.pkl' is compressed; torch.save() stores members as they are: save it "
              "with that");
    EXPECT_THAT(refusal(zip({{.name = "archive/data.pkl", .content = whole, .flags = 1}})),
                HasSubstr("is encrypted"));
}

TEST(PytorchBin, RefusesMembersBeyondTheArchive) {
    const std::string whole = pickle::whole("}");
    EXPECT_THAT(refusal(zip({{.name = "a/data.pkl", .content = whole, .claimed = 1 << 30}})),
                HasSubstr("claims more bytes than the archive has"));
    EXPECT_THAT(refusal(zip({{"a/data.pkl", std::string((16 << 20) + 1, ' ')}})),
                HasSubstr("member 'a/data.pkl' is larger than 16777216 bytes"));
}

TEST(PytorchBin, NoticesDamage) {
    std::string whole = tensor_file(pickle::tensor(pickle::storage("0", 12), 0, {12}, {1}));
    whole[whole.find(floats(12)) + 5] ^= 1;
    EXPECT_THAT(refusal(whole), HasSubstr("damaged archive"));
}

TEST(PytorchBin, NeverCallsAnything) {
    const auto calls = [](const std::string& module, const std::string& function) {
        return refusal_of_pickle(pickle::whole(pickle::global(module, function) +
                                               pickle::tuple({pickle::text("touch /tmp/x")}) + "R"));
    };
    EXPECT_EQ(calls("os", "system"),
              "data.pkl, byte 2: asks for 'os.system', which no state dict of floating-point tensors needs; "
              "nothing "
              "was executed; save the model's state_dict() alone, or do not trust this file");
    EXPECT_THAT(calls("posix", "system"), HasSubstr("'posix.system'"));
    EXPECT_THAT(calls("builtins", "eval"), HasSubstr("'builtins.eval'"));
    EXPECT_THAT(calls("__builtin__", "exec"), HasSubstr("'__builtin__.exec'"));
    EXPECT_THAT(calls("torch.serialization", "load"), HasSubstr("'torch.serialization.load'"));
    EXPECT_THAT(calls("torch._utils", "_rebuild_device_tensor_from_numpy"), HasSubstr("from_numpy'"));
    EXPECT_THAT(calls("o\x1b[2J", "system"), HasSubstr("'o\\x1b[2J.system'"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole(pickle::text("os") + pickle::text("system") + "\x93")),
                HasSubstr("'os.system'"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("(ios\nsystem\n")), HasSubstr("operation 0x69"));  // INST
    EXPECT_THAT(refusal_of_pickle(pickle::whole(pickle::global("torch", "FloatStorage") + ")\x81")),
                HasSubstr("operation 0x81"));                                                // NEWOBJ
    EXPECT_THAT(refusal_of_pickle(pickle::whole("\x82\x01")), HasSubstr("operation 0x82"));  // EXT1
}

TEST(PytorchBin, RefusesDamagedPickles) {
    EXPECT_EQ(refusal_of_pickle("\x80"), "data.pkl, byte 0: the file ends early; copy or download it again");
    EXPECT_THAT(refusal_of_pickle("\x80\x02"), HasSubstr("byte 2: the file ends early"));
    EXPECT_THAT(refusal_of_pickle("\x80\x01."), HasSubstr("protocol 1 is not read"));
    EXPECT_THAT(refusal_of_pickle("\x80\x06."), HasSubstr("protocol 6 is not read"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("")), HasSubstr("byte 2: takes a value that is not there"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("(")), HasSubstr("takes a value that is not there"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("t")), HasSubstr("a mark that is not there"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("Na")), HasSubstr("takes a value that is not there"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("NNa")), HasSubstr("appends to something that is none"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("NNNs")), HasSubstr("sets items of something that is none"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("}(Nu")), HasSubstr("a key without its value"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("NNb")),
                HasSubstr("sets attributes of something that is none"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("N)R")), HasSubstr("calls something that is no function"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("q\1")), HasSubstr("remembers a value that is not there"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("(q\1")), HasSubstr("remembers a mark"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("h\7")), HasSubstr("recalls value 7"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("\x8a\x09" + std::string(9, '1'))), HasSubstr("64 bits"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("X" + little(UINT32_MAX, 4) + "a")), HasSubstr("ends early"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("\x8d" + little(UINT64_MAX, 8) + "a")),
                HasSubstr("ends early"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("cos")), HasSubstr("ends early"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole("NN\x93")), HasSubstr("without a name"));
}

TEST(PytorchBin, BoundsNestingCountsAndMemory) {
    std::string deep = "N";
    for (int i = 0; i < 1'000'000; ++i) deep += "\x85";
    EXPECT_THAT(refusal_of_pickle(pickle::whole(deep)), HasSubstr("does not hold a dict"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole(deep + deep)), HasSubstr("more than 1048576 values"));
    std::string pushed = "Nq\1", remembered = "N";
    for (int i = 0; i < 1 << 20; ++i) {
        pushed += "h\1";
        remembered += "\x94";
    }
    EXPECT_THAT(refusal_of_pickle(pickle::whole(pushed)), HasSubstr("more than 1048576 values on the stack"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole(remembered + "\x94")),
                HasSubstr("remembers more than 1048576"));
    // A dict that holds itself.
    EXPECT_THAT(refusal_of_pickle(pickle::whole("}q\1" + pickle::text("a") + "h\1s")),
                HasSubstr("'a' is a dict"));
}

TEST(PytorchBin, RefusesWhatIsNoStateDict) {
    EXPECT_THAT(refusal_of_pickle(pickle::whole("]")), HasSubstr("does not hold a dict"));
    EXPECT_THAT(refusal_of_pickle(pickle::whole(pickle::dict({pickle::integer(1), "N"}))),
                HasSubstr("key 0 of the dict is not a tensor's name"));
    EXPECT_EQ(refusal_of_tensor("N"), "'w' is not a tensor; save the model's state_dict() alone");
    EXPECT_THAT(refusal_of_tensor("}"), HasSubstr("'w' is a dict, not a tensor"));
    EXPECT_THAT(refusal_of_tensor(pickle::storage("0", 12)), HasSubstr("'w' is not a tensor"));
    const std::string tensor = pickle::tensor(pickle::storage("0", 12), 0, {12}, {1});
    EXPECT_EQ(refusal_of_pickle(
                  pickle::whole(pickle::dict({pickle::text("a"), tensor, pickle::text("a"), tensor}))),
              "'a' is there twice");
}

TEST(PytorchBin, RefusesTensorsBuiltInAnotherWay) {
    const std::string rebuild = pickle::global("torch._utils", "_rebuild_tensor_v2");
    const std::string storage = pickle::storage("0", 12);
    EXPECT_THAT(refusal_of_tensor(rebuild + ")R"), HasSubstr("_rebuild_tensor_v2 with too few arguments"));
    EXPECT_THAT(refusal_of_tensor(rebuild + pickle::tuple({"N"}) + "R"), HasSubstr("has no storage"));
    EXPECT_THAT(refusal_of_tensor(rebuild + pickle::tuple({"NQ"}) + "R"),
                HasSubstr("storage of an unknown form"));
    EXPECT_THAT(refusal_of_tensor(rebuild + pickle::tuple({pickle::integers({1, 2, 3, 4, 5}) + "Q"}) + "R"),
                HasSubstr("storage of an unknown form"));
    EXPECT_THAT(refusal_of_tensor(pickle::tensor(storage, -1, {1}, {1})),
                HasSubstr("has no integer of 0 or more as offset"));
    EXPECT_THAT(refusal_of_tensor(pickle::tensor(storage, 0, {-1}, {1})),
                HasSubstr("has no integer of 0 or more as shape"));
    EXPECT_THAT(refusal_of_tensor(pickle::tensor(storage, 0, {2}, {-1})),
                HasSubstr("has no integer of 0 or more as stride"));
    EXPECT_THAT(refusal_of_tensor(pickle::tensor(storage, 0, {2, 2}, {1})), HasSubstr("different lengths"));
    EXPECT_THAT(refusal_of_tensor(pickle::tensor(storage, 0, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {})),
                HasSubstr("more than 8 dimensions"));
    EXPECT_THAT(refusal_of_tensor(rebuild + pickle::tuple({storage, pickle::integer(0), "N", "N"}) + "R"),
                HasSubstr("has no tuple as shape"));
    EXPECT_THAT(refusal_of_tensor(rebuild +
                                  pickle::tuple({storage, pickle::integer(0), ")", ")", "\x89", "}",
                                                 pickle::dict({pickle::text("neg"), "\x88"})}) +
                                  "R"),
                HasSubstr("conjugate or negative view"));
    EXPECT_THAT(refusal_of_tensor(pickle::tensor(pickle::storage("0", 6, "LongStorage"), 0, {1}, {1})),
                AllOf(HasSubstr("'w' is kept in a torch.LongStorage"), HasSubstr("only float, half")));
}

TEST(PytorchBin, RefusesTensorsBeyondTheirStorage) {
    const auto shaped = [](std::int64_t claimed, std::int64_t offset, const std::vector<std::int64_t>& shape,
                           const std::vector<std::int64_t>& strides) {
        return refusal_of_tensor(pickle::tensor(pickle::storage("0", claimed), offset, shape, strides));
    };
    EXPECT_EQ(shaped(12, 0, {3, 4}, {4, 1}), "accepted");
    EXPECT_EQ(shaped(12, 1, {3, 4}, {4, 1}),
              "'w' reaches beyond its storage of 12 elements; copy or download the file again");
    EXPECT_THAT(shaped(12, 0, {13}, {1}), HasSubstr("reaches beyond"));
    EXPECT_THAT(shaped(12, 12, {}, {}), HasSubstr("reaches beyond"));
    EXPECT_THAT(shaped(12, INT64_MAX, {2}, {INT64_MAX}), HasSubstr("reaches beyond"));
    EXPECT_THAT(shaped(12, 0, {2, 2, 2}, {INT64_MAX, INT64_MAX, INT64_MAX}), HasSubstr("reaches beyond"));
    EXPECT_THAT(shaped(12, 0, {INT64_MAX, INT64_MAX}, {1, 1}), HasSubstr("beyond all memory"));
    EXPECT_THAT(shaped(12, 0, {1000}, {0}),
                HasSubstr("has 1000 elements in a storage of 12; save it after contig"));
    EXPECT_EQ(shaped(12, 99, {0}, {1}), "accepted");
    // Claims larger than the member, and the member larger than the claim.
    EXPECT_EQ(shaped(13, 0, {13}, {1}),
              "'w' needs a storage of 13 elements of 4 bytes; archive/data/0 has 48 bytes; copy or download "
              "it again");
    EXPECT_THAT(shaped(11, 0, {11}, {1}), HasSubstr("needs a storage of 11 elements"));
    EXPECT_THAT(shaped(INT64_MAX, 0, {std::int64_t{1} << 61}, {1}),
                HasSubstr("needs a storage of 9223372036854775807"));
    EXPECT_THAT(refusal_of_tensor(pickle::tensor(pickle::storage("../../1", 12), 0, {1}, {1})),
                HasSubstr("'w' needs archive/data/../../1, which is missing"));
}

TEST(PytorchBin, BoundsWhatIsMadeOfOneStorage) {
    const std::string tensor = pickle::tensor(pickle::storage("0", 12), 0, {12}, {1});
    const auto copies = [&](int count, const std::string& more) {
        std::vector<std::string> items;
        for (int i = 0; i < count; ++i) items.insert(items.end(), {pickle::text(std::to_string(i)), tensor});
        return refusal_of_pickle(pickle::whole(pickle::dict(items) + more));
    };
    EXPECT_EQ(copies(2, ""), "accepted");
    EXPECT_THAT(copies(3, ""),
                HasSubstr("has tensors of 36 elements in storages of 12; more than twice as many"));
    // A storage that is only claimed does not count, whether or not anything is read from it.
    const auto claimed = [](std::int64_t elements) {
        return pickle::text("z") + pickle::tensor(pickle::storage("z", 1'000'000), 0, {elements}, {1}) + "s";
    };
    EXPECT_THAT(copies(3, claimed(0)), HasSubstr("more than twice as many"));
    EXPECT_THAT(copies(3, claimed(1)), HasSubstr("'z' needs archive/data/z, which is missing"));
    EXPECT_THAT(copies(1, pickle::text("z") +
                              pickle::tensor(pickle::storage("0", 24, "HalfStorage"), 0, {1}, {1}) + "s"),
                HasSubstr("storage '0' has two sizes"));
}

}  // namespace
}  // namespace tracebench
