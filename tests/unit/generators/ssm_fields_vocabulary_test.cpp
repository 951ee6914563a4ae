#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "ssm_fields_support.h"

namespace tracebench::ssm {
namespace {

using namespace fields_testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(FieldsVocabulary, EveryTokenIsOneItemAndBack) {
    const Vocabulary vocabulary({"video", "web"});
    std::size_t tokens = 0;
    std::set<std::string> names;
    std::vector<bool> used(vocabulary.size(), false);
    for (std::size_t kind = 0; kind < item_kinds; ++kind) {
        const Item item = static_cast<Item>(kind);
        for (int value = 0; value < vocabulary.values(item); ++value, ++tokens) {
            const Token token = vocabulary.token(item, value);
            ASSERT_GE(token, 0);
            ASSERT_LT(static_cast<std::size_t>(token), vocabulary.size());
            EXPECT_FALSE(used[static_cast<std::size_t>(token)]) << vocabulary.name(token);
            used[static_cast<std::size_t>(token)] = true;
            EXPECT_EQ(vocabulary.head(token), (ItemHead{item, value}));
            EXPECT_TRUE(names.insert(vocabulary.name(token)).second) << vocabulary.name(token);
            EXPECT_GE(Vocabulary::bytes_after({item, value}), 0);
        }
    }
    EXPECT_EQ(tokens, vocabulary.size());
    EXPECT_EQ(vocabulary.values(Item::byte), 256);
    EXPECT_EQ(vocabulary.name(vocabulary.token(Item::label, 1)), "<|web|>");
    EXPECT_EQ(vocabulary.name(vocabulary.token(Item::topic, 1)), "topic:web");
    EXPECT_EQ(vocabulary.name(vocabulary.token(Item::flows, 3)), "flows:3");
    EXPECT_EQ(vocabulary.name(vocabulary.token(Item::flow, 3)), "flow:3");
    EXPECT_EQ(vocabulary.name(vocabulary.token(Item::left, 2)), "left:2");
    EXPECT_EQ(vocabulary.name(vocabulary.token(Item::extent, 17)), "extent:17");
    EXPECT_EQ(vocabulary.name(vocabulary.token(Item::payload, 0)), "payload:0");
}

// Values with bytes behind them: by hand from the table of items.
TEST(FieldsVocabulary, BytesAfterAnItem) {
    const auto bytes = [](Item item, int value) { return Vocabulary::bytes_after({item, value}); };
    EXPECT_EQ(bytes(Item::flow, code::far_flow), 2);
    EXPECT_EQ(bytes(Item::flow, code::far_flow - 1), 0);
    EXPECT_EQ(bytes(Item::source_host, code::literal4), 4);
    EXPECT_EQ(bytes(Item::destination_host, code::literal6), 16);
    EXPECT_EQ(bytes(Item::length, code::length_bucket - 1), 0);
    EXPECT_EQ(bytes(Item::length, code::length_bucket), 1);          // 64 to 71
    EXPECT_EQ(bytes(Item::length, code::length_bucket + 5 * 8), 1);  // 2048 to 2303: 256 lengths
    EXPECT_EQ(bytes(Item::length, code::length_bucket + 6 * 8), 2);  // 4096 to 4607: 512
    EXPECT_EQ(bytes(Item::sequence, code::sequence_distance - 1), 0);
    EXPECT_EQ(bytes(Item::sequence, code::sequence_distance), 1);      // one byte back
    EXPECT_EQ(bytes(Item::sequence, code::sequence_distance + 7), 4);  // four bytes on
    EXPECT_EQ(bytes(Item::option, code::sack + 4), 0);
    EXPECT_EQ(bytes(Item::option, code::other), 1);        // its kind
    EXPECT_EQ(bytes(Item::option, code::other + 38), 39);  // kind and 38 bytes: an option of 40
}

TEST(FieldsVocabulary, KnownPortsAscend) {
    const auto ports = known_ports();
    for (std::size_t i = 0; i < ports.size(); ++i) {
        EXPECT_EQ(known_port(ports[i]), static_cast<int>(i));
        if (i > 0) {
            EXPECT_LT(ports[i - 1], ports[i]);
        }
    }
    EXPECT_FALSE(known_port(0));
    EXPECT_FALSE(known_port(444));
    EXPECT_FALSE(known_port(65535));
}

TEST(FieldsVocabulary, IdsStayWhenLabelsAreAdded) {
    FieldsEncoding encoding({"web", "video"});
    std::vector<std::string> before;
    for (std::size_t i = 0; i < encoding.vocabulary_size(); ++i)
        before.push_back(encoding.vocabulary().name(static_cast<Token>(i)));
    const Token web = encoding.label_token("web"), video = encoding.label_token("video"),
                end = encoding.end_token();
    encoding.add_labels({"audio", "web"});
    EXPECT_EQ(encoding.vocabulary_size(), before.size() + 2);  // the label and its topic
    EXPECT_THAT(encoding.labels(), ElementsAre("audio", "video", "web"));
    EXPECT_EQ(encoding.label_token("web"), web);
    EXPECT_EQ(encoding.label_token("video"), video);
    EXPECT_EQ(encoding.label_token("audio"), static_cast<Token>(before.size()));
    EXPECT_EQ(encoding.end_token(), end);
    for (std::size_t i = 0; i < before.size(); ++i)
        EXPECT_EQ(encoding.vocabulary().name(static_cast<Token>(i)), before[i]);
}

TEST(FieldsVocabulary, UnknownLabelIsRefused) {
    const FieldsEncoding encoding({"web", "video"});
    try {
        encoding.label_token("vidoe");
        FAIL() << "not refused";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("has no label 'vidoe'"));
        EXPECT_THAT(error.what(), HasSubstr("video, web"));
    }
}

// Names from files must not reach a terminal as they are.
TEST(FieldsVocabulary, LabelsAreEscapedInMessages) {
    const FieldsEncoding encoding({"\x1B[2J"});
    try {
        encoding.label_token("\x1B[1m");
        FAIL() << "not refused";
    } catch (const InputError& error) {
        EXPECT_EQ(std::string(error.what()).find('\x1B'), std::string::npos) << error.what();
    }
}

TEST(FieldsVocabulary, WhatTheModelIsToldIsContext) {
    const FieldsEncoding encoding({"any"});
    const Vocabulary& vocabulary = encoding.vocabulary();
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
        const auto token = static_cast<Token>(i);
        const Item item = vocabulary.head(token).item;
        EXPECT_EQ(encoding.is_context(token), item == Item::topic || item == Item::begun ||
                                                  item == Item::service || item == Item::state ||
                                                  item == Item::left);
        // What is told is no plan of the model's, and neither is what it is asked of each packet.
        EXPECT_EQ(encoding.is_plan(token), item == Item::label || item == Item::end || item == Item::flows ||
                                               item == Item::extent || item == Item::ending ||
                                               item == Item::kind || item == Item::source_host ||
                                               item == Item::destination_host || item == Item::source_port ||
                                               item == Item::destination_port);
        EXPECT_EQ(encoding.kind(token) < 0, encoding.is_context(token) || item == Item::label);
    }
}

/// tokenizer.json in a folder of its own, removed at the end.
class TokenizerFile : public ::testing::Test {
  protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& text) { write_file(folder_ / "tokenizer.json", text); }
    nlohmann::json saved(const std::vector<std::string>& labels) {
        FieldsEncoding(labels).save(folder_);
        return nlohmann::json::parse(read_file(folder_ / "tokenizer.json"));
    }
    /// What load_encoding() says to a file with one thing changed.
    std::string refusal(const std::function<void(nlohmann::json&)>& damage) {
        nlohmann::json json = saved({"video", "web"});
        damage(json);
        write(json.dump());
        return refusal();
    }
    std::string refusal() {
        try {
            load_encoding(folder_);
        } catch (const InputError& error) {
            return error.what();
        }
        return "not refused";
    }

    std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("tracebench-fields-" + std::to_string(::getpid()));
};

TEST_F(TokenizerFile, GivesTheSameTokensAgain) {
    FieldsEncoding encoding({"web", "v\xFFideo \"\n", ""});
    const Trace trace = read_trace(lab_captures().front().string());
    encoding.observe("web", trace);
    encoding.save(folder_);
    const auto loaded = load_encoding(folder_);
    EXPECT_EQ(loaded->name(), "fields");
    EXPECT_EQ(loaded->labels(), encoding.labels());
    EXPECT_EQ(loaded->vocabulary_size(), encoding.vocabulary_size());
    EncodeReport report;
    for (const std::string& label : encoding.labels()) {
        EXPECT_EQ(loaded->label_token(label), encoding.label_token(label));
        EXPECT_EQ(loaded->encode(label, trace, report), encoding.encode(label, trace, report));
    }
    // What was observed is kept too: how much of a packet captures hold.
    const auto decoded = [&](const Encoding& which) {
        const auto decoder = which.decoder({.label = "web", .seed = 3, .constrained = false});
        RandomWalk(encoding, *decoder, 3).go(3000);
        return packets_of(*decoder);
    };
    const Trace one = decoded(encoding), other = decoded(*loaded);
    ASSERT_EQ(one.size(), other.size());
    ASSERT_FALSE(one.empty());
    for (std::size_t i = 0; i < one.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(one.packets[i].bytes, other.packets[i].bytes));
}

TEST_F(TokenizerFile, OfAnotherVersion) {
    EXPECT_THAT(refusal([](auto& json) { json["version"] = 4; }), HasSubstr("another version"));
    EXPECT_THAT(refusal([](auto& json) { json["version"] = 6; }), HasSubstr("another version"));
    EXPECT_THAT(refusal([](auto& json) { json["version"] = "5"; }), HasSubstr("version"));
}

TEST_F(TokenizerFile, WithALabelTwice) {
    EXPECT_THAT(refusal([](auto& json) {
                    json["labels_hex"] = {"61", "62", "61"};
                }),
                HasSubstr("is there twice"));
}

TEST_F(TokenizerFile, WithWrongTypes) {
    EXPECT_THAT(refusal([](auto& json) { json["labels_hex"] = "61"; }), HasSubstr("labels_hex"));
    EXPECT_THAT(refusal([](auto& json) { json["labels_hex"] = {61}; }), HasSubstr("labels_hex"));
    EXPECT_THAT(refusal([](auto& json) { json["labels_hex"] = {"6"}; }), HasSubstr("labels_hex"));
    EXPECT_THAT(refusal([](auto& json) { json["labels_hex"] = {"xy"}; }), HasSubstr("labels_hex"));
    EXPECT_THAT(refusal([](auto& json) { json["snap"] = -1; }), HasSubstr("snap"));
    EXPECT_THAT(refusal([](auto& json) { json["snap"] = 1'000'000; }), HasSubstr("snap"));
    EXPECT_THAT(refusal([](auto& json) { json.erase("snap"); }), HasSubstr("snap"));
    EXPECT_THAT(refusal([](auto& json) { json["encoding"] = "pixels"; }), HasSubstr("encoding"));
}

TEST_F(TokenizerFile, ThatIsNoJson) {
    for (const char* text : {"", "{", "[]", "7", "\xFF\xFE"}) {
        write(text);
        EXPECT_THAT(refusal(), HasSubstr("tokenizer.json")) << text;
    }
}

}  // namespace
}  // namespace tracebench::ssm
