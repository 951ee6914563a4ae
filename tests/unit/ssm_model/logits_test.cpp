// The chunked form (seen through its losses), the recurrent form (the decoder) and a naive float64 recurrence
// are one model.

#include <cmath>
#include <limits>

#include "model_fixture.h"
#include "naive_model.h"

namespace tracebench::ssm::test {
namespace {

constexpr double tolerance = 1e-4;

/// The model's own log-probability of every token at position `t`: one evaluation each with one target.
std::vector<double> chunked_log_probabilities(SequenceModel& model, const std::vector<Token>& tokens,
                                              std::size_t t) {
    std::vector<double> out;
    for (Token token = 0; token < model.config().vocab_size; ++token) {
        std::vector<Token> targets(tokens.size(), -1);
        targets[t] = token;
        const Loss loss = model.evaluate({.rows = 1,
                                          .length = static_cast<std::int64_t>(tokens.size()),
                                          .inputs = tokens,
                                          .targets = targets,
                                          .continues = {}});
        EXPECT_EQ(loss.targets, 1);
        out.push_back(-loss.nats);
    }
    return out;
}

double largest(const std::vector<double>& values) {
    double most = 0;
    for (const double value : values) most = std::max(most, std::abs(value));
    return most;
}

class LogitsTest : public EachBackend {};

TEST_P(LogitsTest, ChunkedFormIsTheRecurrence) {
    const ModelConfig config = odd_config();
    // One thread: threads that wait for each other in hundreds of small calls are slow on a busy machine.
    auto model = make_model(config, GetParam(), Precision::float32, 5, 1);
    model->set_parameters(disturbed_parameters(*model), "test");
    const std::vector<Token> tokens = random_tokens(23, config.vocab_size, 3);  // four chunks and a part
    const std::vector<double> expected = NaiveModel(config, model->parameters()).logits(tokens);
    const auto v = static_cast<std::size_t>(config.vocab_size);
    // The first, both sides of a seam between chunks, the last.
    for (const std::size_t t : {0u, 1u, 4u, 5u, 14u, 22u}) {
        const std::vector<double> row = log_softmax(&expected[t * v], v);
        const std::vector<double> found = chunked_log_probabilities(*model, tokens, t);
        for (std::size_t i = 0; i < v; ++i) EXPECT_NEAR(found[i], row[i], tolerance * largest(row)) << t;
    }
}

TEST_P(LogitsTest, RecurrentFormIsTheRecurrence) {
    const ModelConfig config = odd_config();
    auto model = make_model(config, GetParam());
    model->set_parameters(disturbed_parameters(*model), "test");
    const NaiveModel naive(config, model->parameters());
    const auto v = static_cast<std::size_t>(config.vocab_size);
    // Three rows: one waits at every third step, one begins anew in the middle.
    constexpr std::size_t rows = 3, steps = 20, restart = 9;
    auto decoder = model->decoder(rows);
    ASSERT_EQ(decoder->rows(), static_cast<std::int64_t>(rows));
    std::vector<std::vector<Token>> fed(rows);
    for (std::size_t step = 0; step < steps; ++step) {
        if (step == restart) {
            decoder->reset(1);
            fed[1].clear();
        }
        std::vector<Token> tokens = random_tokens(rows, config.vocab_size, 100 + step);
        if (step % 3 == 2) tokens[0] = -1;
        std::vector<float> logits(rows * v, std::numeric_limits<float>::quiet_NaN());
        decoder->step(tokens, logits);
        for (std::size_t row = 0; row < rows; ++row) {
            if (tokens[row] < 0) {
                EXPECT_TRUE(std::isnan(logits[row * v])) << "logits of a row that waits were written";
                continue;
            }
            fed[row].push_back(tokens[row]);
            std::vector<double> expected = naive.logits(fed[row]);
            expected.erase(expected.begin(), expected.end() - static_cast<std::ptrdiff_t>(v));
            for (std::size_t i = 0; i < v; ++i)
                EXPECT_NEAR(logits[row * v + i], expected[i], tolerance * largest(expected))
                    << step << ' ' << row;
        }
    }
}

TEST_P(LogitsTest, DecoderKeepsItsSnapshot) {
    const ModelConfig config = odd_config();
    auto model = make_model(config, GetParam());
    auto before = model->decoder(1);
    std::vector<NamedTensor> changed = disturbed_parameters(*model);
    model->set_parameters(changed, "test");
    auto after = model->decoder(1);
    const std::vector<Token> token{3};
    std::vector<float> one(static_cast<std::size_t>(config.vocab_size)), two = one, again = one;
    before->step(token, one);
    after->step(token, two);
    EXPECT_NE(one, two);
    before->reset(0);
    before->step(token, again);
    EXPECT_EQ(one, again);
}

TEST_P(LogitsTest, SegmentsWithCarriedStateAreTheWholeSequence) {
    const ModelConfig config = odd_config();
    auto model = make_model(config, GetParam());
    model->set_parameters(disturbed_parameters(*model), "test");
    constexpr std::size_t rows = 2, length = 24;
    const std::vector<Token> inputs = random_tokens(rows * length, config.vocab_size, 5);
    const std::vector<Token> targets = random_tokens(rows * length, config.vocab_size, 6);
    const double whole =
        NaiveModel(config, model->parameters())
            .loss({.rows = rows, .length = length, .inputs = inputs, .targets = targets, .continues = {}});
    // Segments of 1, 2, 11 and 10 tokens: shorter than the convolution, and no multiple of the chunk.
    const auto in_segments = [&](const std::vector<std::uint8_t>& goes_on) {
        double sum = 0;
        std::size_t begin = 0;
        for (const std::size_t size : {1u, 2u, 11u, 10u}) {
            std::vector<Token> in, out;
            for (std::size_t row = 0; row < rows; ++row)
                for (std::size_t t = begin; t < begin + size; ++t) {
                    in.push_back(inputs[row * length + t]);
                    out.push_back(targets[row * length + t]);
                }
            const std::vector<std::uint8_t> continues =
                begin == 0 ? std::vector<std::uint8_t>{0, 0} : goes_on;
            sum += model
                       ->evaluate({.rows = rows,
                                   .length = static_cast<std::int64_t>(size),
                                   .inputs = in,
                                   .targets = out,
                                   .continues = continues})
                       .nats;
            begin += size;
        }
        return sum;
    };
    EXPECT_NEAR(in_segments({1, 1}), whole, tolerance * whole);
    EXPECT_GT(std::abs(in_segments({1, 0}) - whole), 10 * tolerance * whole)
        << "a row that begins anew forgets";
}

TEST_P(LogitsTest, TrainingAndEvaluationCarryApart) {
    const ModelConfig config = odd_config();
    auto model = make_model(config, GetParam());
    const std::vector<Token> tokens = random_tokens(8, config.vocab_size, 5);
    const std::vector<std::uint8_t> on{1}, off{0};
    const auto batch = [&](const std::vector<std::uint8_t>& continues) {
        return Batch{.rows = 1, .length = 8, .inputs = tokens, .targets = tokens, .continues = continues};
    };
    model->evaluate(batch(off));
    const double continued = model->evaluate(batch(on)).nats;
    model->evaluate(batch(off));
    model->accumulate(batch(off), 1);
    model->accumulate(batch(on), 1);
    EXPECT_EQ(model->evaluate(batch(on)).nats, continued);
}

TEST_P(LogitsTest, WhatACallerGetsWrongIsSaid) {
    auto model = make_model(odd_config(), GetParam());
    const std::vector<Token> two{1, 2}, past{1, 21}, negative{1, -1};
    const std::vector<std::uint8_t> on{1};
    const auto evaluate = [&](const std::vector<Token>& inputs, const std::vector<Token>& targets,
                              const std::vector<std::uint8_t>& continues) {
        model->evaluate(
            {.rows = 1, .length = 2, .inputs = inputs, .targets = targets, .continues = continues});
    };
    EXPECT_THROW(evaluate(past, two, {}), std::invalid_argument);
    EXPECT_THROW(evaluate(negative, two, {}), std::invalid_argument);
    EXPECT_THROW(evaluate(two, past, {}), std::invalid_argument);
    EXPECT_THROW(evaluate(two, {}, {}), std::invalid_argument);
    EXPECT_THROW(evaluate(two, two, on), std::invalid_argument) << "nothing to go on from";
    EXPECT_THROW(model->decoder(0), std::invalid_argument);
    std::vector<float> logits(21);
    EXPECT_THROW(model->decoder(1)->step(std::vector<Token>{21}, logits), std::invalid_argument);
}

TEST_P(LogitsTest, BFloat16IsNear) {
    ModelConfig config = odd_config();
    config.d_model = 64;
    auto exact = make_model(config, GetParam()),
         rounded = make_model(config, GetParam(), Precision::bfloat16);
    const std::vector<Token> inputs = random_tokens(40, config.vocab_size, 5);
    const std::vector<Token> targets = random_tokens(40, config.vocab_size, 6);
    const Batch batch{.rows = 1, .length = 40, .inputs = inputs, .targets = targets, .continues = {}};
    const double expected = exact->evaluate(batch).nats;
    EXPECT_NEAR(rounded->evaluate(batch).nats, expected, 5e-3 * expected);  // bfloat16 has 8 bits
}

INSTANTIATE_TEST_SUITE_P(All, LogitsTest, testing::Values(Backend::plain, Backend::fused), BackendName());

}  // namespace
}  // namespace tracebench::ssm::test
