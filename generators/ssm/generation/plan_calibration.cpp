#include "generators/ssm/generation/plan_calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.h"

namespace tracebench::ssm {
namespace {

constexpr std::size_t most_questions = 1'000'000;
constexpr double largest_log_factor = 20;

/// One question as it was asked and answered.
struct Tally {
    std::uint64_t asked = 0;
    std::map<Token, double> given, expected;  ///< times; of all tokens that are answers
};

/// One sequence on its way through the model.
struct Row {
    std::span<const Token> tokens;
    std::size_t at = 0;  ///< of the token that is fed next
    std::unique_ptr<QuestionTracker> questions;
};

/// By kind, the tokens that can stand for each other.
std::map<int, std::vector<Token>> tokens_by_kind(const Encoding& encoding) {
    std::map<int, std::vector<Token>> kinds;
    for (std::size_t id = 0; id < encoding.vocabulary_size(); ++id)
        if (const int kind = encoding.kind(static_cast<Token>(id)); kind >= 0)
            kinds[kind].push_back(static_cast<Token>(id));
    return kinds;
}

void count(Tally& tally, Token given, std::span<const Token> answers, std::span<const float> logits) {
    const auto logit = [&](Token token) {
        return static_cast<double>(logits[static_cast<std::size_t>(token)]);
    };
    double most = logit(given);
    for (const Token token : answers) most = std::max(most, logit(token));
    double sum = 0;
    for (const Token token : answers) sum += std::exp(logit(token) - most);
    for (const Token token : answers) tally.expected[token] += std::exp(logit(token) - most) / sum;
    ++tally.given[given];
    ++tally.asked;
}

}  // namespace

void PlanCalibration::learn(SequenceModel& model, const Encoding& encoding,
                            const std::vector<std::span<const Token>>& sequences, std::int64_t rows,
                            Progress& progress) {
    if (encoding.questions() == nullptr || sequences.empty()) return;
    const std::map<int, std::vector<Token>> kinds = tokens_by_kind(encoding);
    // The longest first, so that the rows end at about the same time.
    std::vector<std::size_t> order(sequences.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sequences[a].size() > sequences[b].size(); });
    const auto width = static_cast<std::size_t>(model.config().vocab_size);
    const auto count_of_rows = std::min(static_cast<std::size_t>(rows), sequences.size());
    const auto decoder = model.decoder(static_cast<std::int64_t>(count_of_rows));
    std::vector<Row> under_way(count_of_rows);
    std::vector<Token> inputs(count_of_rows, -1);
    std::vector<float> logits(count_of_rows * width);
    std::map<std::int64_t, Tally> tallies;
    std::size_t begun = 0;
    double fed = 0;
    const auto total =
        std::accumulate(sequences.begin(), sequences.end(), 0.0,
                        [](double sum, auto sequence) { return sum + static_cast<double>(sequence.size()); });
    for (std::size_t active = count_of_rows; active > 0;) {
        active = 0;
        for (std::size_t r = 0; r < count_of_rows; ++r) {
            Row& row = under_way[r];
            if (row.at + 1 >= row.tokens.size()) {
                row = {};
                inputs[r] = -1;
                decoder->reset(static_cast<std::int64_t>(r));
                if (begun == order.size()) continue;
                row = {sequences[order[begun++]], 0, encoding.questions()};
                if (row.tokens.size() < 2) continue;
            }
            inputs[r] = row.tokens[row.at++];
            row.questions->accept(inputs[r]);
            ++active;
        }
        if (active == 0 && begun < order.size()) active = 1;  // sequences without targets
        progress.check_interrupted();
        decoder->step(inputs, logits);
        for (std::size_t r = 0; r < count_of_rows; ++r) {
            if (inputs[r] < 0) continue;
            ++fed;
            const std::int64_t question = under_way[r].questions->next();
            const Token given = under_way[r].tokens[under_way[r].at];
            const auto answers = kinds.find(encoding.kind(given));
            if (question < 0 || answers == kinds.end() || encoding.is_context(given)) continue;
            count(tallies[question], given, answers->second, std::span(logits).subspan(r * width, width));
        }
        progress.update(fed, total, "tokens", "plans compared");
    }
    for (const auto& [question, tally] : tallies) {
        const auto n = static_cast<double>(tally.asked);
        std::vector<Answer>& answers = questions_[question];
        answers.clear();
        for (const auto& [token, expected] : tally.expected) {
            const auto given = tally.given.find(token);
            const double times = given == tally.given.end() ? 0 : given->second;
            const double believed = std::max(expected / n, 1e-12);
            const double factor = std::log((times / believed + 1) / (n + 1));
            answers.push_back(
                {token, static_cast<float>(std::clamp(factor, -largest_log_factor, largest_log_factor))});
        }
    }
}

void PlanCalibration::apply(std::int64_t question, std::span<float> logits) const {
    const auto found = questions_.find(question);
    if (found == questions_.end()) return;
    for (const Answer& answer : found->second)
        logits[static_cast<std::size_t>(answer.token)] += answer.log_factor;
}

nlohmann::json PlanCalibration::to_json() const {
    nlohmann::json questions = nlohmann::json::array();
    for (const auto& [question, answers] : questions_) {
        nlohmann::json tokens = nlohmann::json::array(), factors = nlohmann::json::array();
        for (const Answer& answer : answers) {
            tokens.push_back(answer.token);
            factors.push_back(answer.log_factor);
        }
        questions.push_back({{"question", question}, {"tokens", tokens}, {"log_factors", factors}});
    }
    return {{"questions", questions}};
}

PlanCalibration PlanCalibration::from_json(const CheckedJson& json, std::size_t vocabulary) {
    PlanCalibration calibration;
    for (const CheckedJson& question : json.at("questions").items(most_questions)) {
        const auto tokens = question.at("tokens").items(vocabulary);
        const auto factors = question.at("log_factors").items(vocabulary);
        if (tokens.size() != factors.size())
            question.fail("has another number of log_factors than of tokens", "train the model again");
        std::vector<Answer> answers;
        for (std::size_t i = 0; i < tokens.size(); ++i)
            answers.push_back(
                {static_cast<Token>(tokens[i].integer(0, static_cast<std::int64_t>(vocabulary) - 1)),
                 static_cast<float>(factors[i].number(-largest_log_factor, largest_log_factor))});
        calibration.questions_[question.at("question").integer(0, std::int64_t{1} << 60)] =
            std::move(answers);
    }
    return calibration;
}

}  // namespace tracebench::ssm
