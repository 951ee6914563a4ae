#include <cmath>

#include "generators/ssm/encoding/fields/plan_questions.h"
#include "generators/ssm/generation/generate_traces.h"
#include "generators/ssm/generation/plan_calibration.h"
#include "ssm_fakes.h"
#include "ssm_fields_support.h"

namespace tracebench::ssm {
namespace {

using namespace tracebench::ssm::testing;
using fields_testing::lab_captures;
using nlohmann::json;

/// Asks one question: how much payload, by label.
class AskingEncoding : public FakeEncoding {
  public:
    using FakeEncoding::FakeEncoding;

    int kind(Token token) const override { return token < payload0 ? 0 : token < label0 ? 1 : -1; }
    std::unique_ptr<QuestionTracker> questions() const override { return std::make_unique<Tracker>(); }

  private:
    class Tracker : public QuestionTracker {
      public:
        void accept(Token token) override {
            if (token >= label0) label_ = token - label0;
            asks_ = token >= gap0 && token < payload0;
        }
        std::int64_t next() const override { return asks_ ? label_ : -1; }

      private:
        std::int64_t label_ = 0;
        bool asks_ = false;
    };
};

struct SsmCalibration : ::testing::Test {
    AskingEncoding encoding{{"web", "video"}};
    FakeModel model{fake_config(static_cast<std::int64_t>(encoding.vocabulary_size())), 3};
    Progress progress;
    static constexpr Token web = FakeEncoding::label0, video = web + 1, gap = FakeEncoding::gap0,
                           payload = FakeEncoding::payload0;

    std::vector<std::vector<Token>> sequences;
    PlanCalibration learn(std::int64_t rows = 4) {
        PlanCalibration calibration;
        calibration.learn(model, encoding, {sequences.begin(), sequences.end()}, rows, progress);
        return calibration;
    }
    /// Of the payloads after the label and a gap of 0.
    std::vector<float> logits(Token label) {
        const auto decoder = model.decoder(1);
        std::vector<float> values(encoding.vocabulary_size());
        decoder->step(std::span(&label, 1), values);
        decoder->step(std::span(&gap, 1), values);
        return values;
    }
    static std::vector<double> payload_probabilities(const std::vector<float>& logits) {
        std::vector<double> p;
        double sum = 0;
        for (Token token = payload; token < web; ++token)
            sum += p.emplace_back(std::exp(static_cast<double>(logits[static_cast<std::size_t>(token)])));
        for (double& value : p) value /= sum;
        return p;
    }
};

// Asked four times in the same circumstances: (times + the model's own belief) / 5.
TEST_F(SsmCalibration, AnswersAsOftenAsInTraining) {
    for (const Token size : {0, 0, 0, 2}) sequences.push_back({web, gap, payload + size, 0});
    const PlanCalibration calibration = learn();
    EXPECT_EQ(calibration.questions(), 1U);
    std::vector<float> values = logits(web);
    const std::vector<double> before = payload_probabilities(values);
    calibration.apply(0, values);
    const std::vector<double> after = payload_probabilities(values);
    for (std::size_t i = 0; i < after.size(); ++i)
        EXPECT_NEAR(after[i], ((i == 0 ? 3 : i == 2 ? 1 : 0) + before[i]) / 5, 1e-6) << i;
}

TEST_F(SsmCalibration, OtherQuestionsAndTokensStayAsTheyAre) {
    for (int i = 0; i < 9; ++i) sequences.push_back({web, gap, payload, 0});
    const PlanCalibration calibration = learn();
    const std::vector<float> before = logits(video);
    std::vector<float> after = before;
    calibration.apply(1, after);  // never asked
    EXPECT_EQ(after, before);
    calibration.apply(0, after);
    for (Token token = 0; token < payload; ++token)
        EXPECT_EQ(after[static_cast<std::size_t>(token)], before[static_cast<std::size_t>(token)]);
    EXPECT_NE(after, before);
}

TEST_F(SsmCalibration, DoesNotDependOnHowManySequencesAreReadAtOnce) {
    Random random(5);
    for (int i = 0; i < 23; ++i) {
        std::vector<Token> sequence{i % 2 == 0 ? web : video};
        for (std::uint64_t packets = random.below(5); packets > 0; --packets) {
            sequence.push_back(gap + static_cast<Token>(random.below(4)));
            sequence.push_back(payload + static_cast<Token>(random.below(8)));
        }
        sequence.push_back(0);
        sequences.push_back(std::move(sequence));
    }
    sequences.push_back({web});  // nothing follows
    const json one = learn(1).to_json();
    EXPECT_EQ(one.at("questions").size(), 2U);
    for (const std::int64_t rows : {2, 7, 100}) {
        const json many = learn(rows).to_json();
        ASSERT_EQ(many.at("questions").size(), 2U);
        for (const std::size_t question : {0U, 1U})
            for (std::size_t i = 0; i < 8; ++i)
                EXPECT_NEAR(many["questions"][question]["log_factors"][i].get<double>(),
                            one["questions"][question]["log_factors"][i].get<double>(), 1e-5);
    }
}

TEST_F(SsmCalibration, IsKeptInGeneration) {
    for (int i = 0; i < 200; ++i) sequences.push_back({web, gap, payload + 3, 0});
    const PlanCalibration calibration = learn();
    TracesRequest request;
    request.label = "web";
    request.count = 200;
    request.limits.packets = 1;
    const auto with_payload_3 = [&] {
        int count = 0;
        generate_traces(model, encoding, request, progress,
                        [&](const Trace& trace) { count += trace.packets[0].original_length == 63 ? 1 : 0; });
        return count;
    };
    EXPECT_LT(with_payload_3(), 80);
    request.calibration = &calibration;
    EXPECT_GT(with_payload_3(), 160);  // other gaps are the model's to answer for
}

TEST_F(SsmCalibration, GoesThroughItsFile) {
    for (const Token size : {0, 0, 5, 2}) sequences.push_back({web, gap, payload + size, 0});
    const json document = learn().to_json();
    const auto read = [&](const json& changed) {
        return PlanCalibration::from_json(CheckedJson(changed, "calibration.json"),
                                          encoding.vocabulary_size());
    };
    EXPECT_EQ(read(json::parse(document.dump())).to_json(), document);
    const auto refused = [&](const char* pointer, const json& value) {
        json changed = document;
        changed[json::json_pointer(pointer)] = value;
        EXPECT_THROW(read(changed), InputError) << pointer << " " << value;
    };
    refused("/questions", 3);
    refused("/questions/0/question", -1);
    refused("/questions/0/tokens/0", encoding.vocabulary_size());
    refused("/questions/0/tokens/0", -1);
    refused("/questions/0/log_factors/0", 1e9);
    refused("/questions/0/log_factors/0", nullptr);
    refused("/questions/0/log_factors", json::array({1.0}));
}

/// Items that answer the plan's questions.
bool answers_plan(Item item) {
    return item == Item::flows || (item >= Item::kind && item <= Item::ending);
}

TEST(PlanQuestions, AreThoseOfThePlanAndNoOthers) {
    const FieldsEncoding encoding({"any", "other"});
    const Vocabulary& vocabulary = encoding.vocabulary();
    std::map<Item, std::set<std::int64_t>> numbers;
    for (const auto& path : lab_captures()) {
        SCOPED_TRACE(path.filename());
        EncodeReport report;
        const std::vector<Token> tokens = encoding.encode("any", read_trace(path.string()), report);
        const auto questions = encoding.questions();
        for (const Token token : tokens) {
            const ItemHead head = vocabulary.head(token);
            const bool told = head.item == Item::topic || head.item == Item::begun;
            if (!told) {
                ASSERT_EQ(questions->next() >= 0, answers_plan(head.item)) << vocabulary.name(token);
            }
            if (answers_plan(head.item)) numbers[head.item].insert(questions->next());
            questions->accept(token);
        }
    }
    EXPECT_EQ(numbers[Item::flows].size(), 1U);
    EXPECT_EQ(numbers[Item::kind].size(), 1U);
    EXPECT_GT(numbers[Item::extent].size(), 5U);  // by protocol and service
    std::set<std::int64_t> all;
    std::size_t sum = 0;
    for (const auto& [item, of_item] : numbers) {
        all.insert(of_item.begin(), of_item.end());
        sum += of_item.size();
    }
    EXPECT_EQ(all.size(), sum);  // no number stands for two items
}

TEST(PlanQuestions, AreAskedOfEachLabel) {
    const FieldsEncoding encoding({"any", "other"});
    std::set<std::int64_t> numbers;
    for (const char* label : {"any", "other"}) {
        const auto questions = encoding.questions();
        questions->accept(encoding.label_token(label));
        numbers.insert(questions->next());
    }
    EXPECT_EQ(numbers.size(), 2U);
}

}  // namespace
}  // namespace tracebench::ssm
