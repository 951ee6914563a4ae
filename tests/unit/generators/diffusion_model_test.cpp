// What training, control, adapters and sampling do, and that the fused pass is the same network as LibTorch's
// operations with automatic gradients.

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/shared_library.h"
#include "diffusion_model_fixture.h"

namespace tracebench::diffusion::test {
namespace {

std::unique_ptr<DiffusionModel> plain_model(const ComputeOptions& compute) {
    using Factory = DiffusionModel*(const ModelConfig*, const ComputeOptions*, std::uint64_t);
    static auto* const factory = reinterpret_cast<Factory*>(
        load_program_symbol("libtracebench_diffusion.so", "tracebench_make_plain_diffusion_model"));
    const ModelConfig config = odd_config();
    return std::unique_ptr<DiffusionModel>(factory(&config, &compute, 7));
}

double largest_difference(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
    double largest = a.size() == b.size() ? 0 : 1e9;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        for (std::size_t j = 0; j < a[i].values.size(); ++j)
            largest = std::max<double>(largest, std::abs(a[i].values[j] - b[i].values[j]));
    return largest;
}

void expect_equal(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].name, b[i].name);
        EXPECT_EQ(a[i].values, b[i].values) << a[i].name;
    }
}

TEST_F(DiffusionModelTest, AutoencoderLearnsRowsExactly) {
    auto model = make_diffusion_model(odd_config(), {.threads = 1}, 7);
    const OddBatch rows(1, 128, 3);
    const Loss before = model->evaluate(Stage::autoencoder, rows.batch, 1);
    EXPECT_EQ(before.rows, 128);
    EXPECT_GT(before.wrong_rows, 64);
    for (std::uint64_t step = 0; step < 300; ++step)
        model->train_step(Stage::autoencoder, rows.batch, {.learning_rate = 3e-3, .ema = 0.95}, step);
    const Loss after = model->evaluate(Stage::autoencoder, rows.batch, 1);
    EXPECT_EQ(after.wrong_columns, 0);
    EXPECT_EQ(after.wrong_rows, 0);
    EXPECT_LT(after.mean, 0.1 * before.mean);
    const SampledRows again = model->reconstruct(rows.batch);
    EXPECT_EQ(again.ternary, rows.ternary);
    for (std::size_t i = 0; i < rows.gaps.size(); ++i) EXPECT_NEAR(again.gaps[i], rows.gaps[i], 1e-5);
}

TEST_F(DiffusionModelTest, ColumnsCountAsOftenAsIsSaid) {
    const OddBatch rows(1, 64, 3);
    const auto loss = [&](const std::vector<std::int8_t>& emphasis) {
        ModelConfig config = odd_config();
        config.emphasis = emphasis;
        return make_diffusion_model(config, {.threads = 1}, 7)
            ->evaluate(Stage::autoencoder, rows.batch, 1)
            .mean;
    };
    const double once = loss({});
    EXPECT_NEAR(loss(std::vector<std::int8_t>(21, 3)), 3 * once, 1e-4 * once);
    std::vector<std::int8_t> first(21, 1),
        others(21, 2);  // one column once more than the others, and once less
    first[0] = 2;
    others[0] = 1;
    EXPECT_GT(loss(first), once);
    EXPECT_NEAR(loss(first) + loss(others), 3 * once, 1e-4 * once);
}

TEST_F(DiffusionModelTest, LatentsAreStandardised) {
    auto model = disturbed_model();
    const OddBatch rows(1, 200, 3);
    model->standardise_latents(rows.batch);
    // Gaps are a channel as they are: their moments by hand.
    double sum = 0, squares = 0;
    for (const float gap : rows.gaps) sum += gap, squares += static_cast<double>(gap) * gap;
    const double mean = sum / 200, deviation = std::sqrt(squares / 200 - mean * mean);
    std::size_t compared = 0;
    for (const NamedTensor& tensor : model->parameters(Part::autoencoder)) {
        if (!tensor.name.starts_with("latent.")) continue;
        EXPECT_NEAR(tensor.values.back(), tensor.name == "latent.mean" ? mean : deviation, 1e-5)
            << tensor.name;
        ++compared;
    }
    EXPECT_EQ(compared, 2u);
}

TEST_F(DiffusionModelTest, EncodedBatchesAreAsGoodAsRows) {
    auto model = disturbed_model();
    const OddBatch rows(3, 30, 3);
    const std::vector<float> latents = model->encode(rows.batch);
    ASSERT_EQ(latents.size(), 3u * 30 * 16);
    for (std::size_t row = 0; row < 90; ++row) EXPECT_EQ(latents[row * 16 + 15], rows.gaps[row]);
    RowBatch encoded = rows.batch;
    encoded.latents = latents;
    encoded.ternary = {};
    encoded.gaps = {};
    EXPECT_EQ(model->evaluate(Stage::denoiser, encoded, 1).mean,
              model->evaluate(Stage::denoiser, rows.batch, 1).mean);
    EXPECT_THROW(model->evaluate(Stage::autoencoder, encoded, 1), std::invalid_argument);
    encoded.latents = encoded.latents.first(5);
    EXPECT_THROW(model->evaluate(Stage::denoiser, encoded, 1), std::invalid_argument);
}

TEST_F(DiffusionModelTest, AnUntrainedDenoiserLosesOne) {
    auto model = make_diffusion_model(odd_config(), {.threads = 1}, 7);
    const OddBatch rows(16, 64, 3);
    model->standardise_latents(rows.batch);
    EXPECT_NEAR(model->evaluate(Stage::denoiser, rows.batch, 1).mean, 1,
                0.1);  // v has variance 1, its estimate is 0
}

TEST_F(DiffusionModelTest, DenoiserLearns) {
    auto model = make_diffusion_model(odd_config(), {.threads = 1}, 7);
    const OddBatch rows(6, 32, 3);
    for (std::uint64_t step = 0; step < 100; ++step)
        model->train_step(Stage::autoencoder, rows.batch, {.learning_rate = 3e-3}, step);
    model->standardise_latents(rows.batch);
    for (std::uint64_t step = 0; step < 100; ++step)
        model->train_step(Stage::denoiser, rows.batch, {.learning_rate = 3e-3, .ema = 0.95}, step);
    EXPECT_LT(model->evaluate(Stage::denoiser, rows.batch, 1).mean, 0.7);
}

TEST_F(DiffusionModelTest, FusedPassAndPlainOperationsTrainAlike) {
    const OddBatch rows(3, 30, 3);
    const std::unique_ptr<DiffusionModel> models[] = {disturbed_model(), plain_model({.threads = 2})};
    disturb(*models[1], Part::autoencoder, 1);
    disturb(*models[1], Part::denoiser, 2);
    expect_equal(models[0]->parameters(Part::denoiser), models[1]->parameters(Part::denoiser));
    for (const auto& model : models)
        for (std::uint64_t step = 0; step < 2; ++step)
            // A large epsilon: steps in proportion to the gradient, so that its errors are not made signs.
            model->train_step(Stage::denoiser, rows.batch,
                              {.learning_rate = 0.1, .epsilon = 1, .clip_norm = 0}, step);
    const auto first = models[0]->parameters(Part::denoiser), second = models[1]->parameters(Part::denoiser);
    auto start = disturbed_model();
    EXPECT_GT(largest_difference(first, start->parameters(Part::denoiser)), 1e-3);
    EXPECT_LT(largest_difference(first, second), 2e-5);
}

TEST_F(DiffusionModelTest, RowsPastTheEndChangeNothing) {
    auto model = disturbed_model();
    const OddBatch rows(2, 30, 3);
    std::vector<std::int8_t> ternary;
    std::vector<float> gaps;
    std::vector<std::uint8_t> mask;
    const std::int64_t columns = model->config().columns();
    for (std::int64_t sample = 0; sample < 2; ++sample) {
        const auto take = [&](auto& to, const auto& from, std::int64_t width, auto fill) {
            to.insert(to.end(), from.begin() + sample * 30 * width, from.begin() + (sample + 1) * 30 * width);
            to.insert(to.end(), static_cast<std::size_t>(60 * width), fill);
        };
        take(ternary, rows.ternary, columns, std::int8_t{-1});
        take(gaps, rows.gaps, 1, 0.5f);
        take(mask, rows.mask, 1, std::uint8_t{0});
    }
    RowBatch longer = rows.batch;
    longer.rows = 90;
    longer.ternary = ternary;
    longer.gaps = gaps;
    longer.mask = mask;
    longer.control = {};
    // The noise of a batch depends on its shape: compare what sampling gives beside a longer sample.
    EXPECT_EQ(model->evaluate(Stage::denoiser, longer, 1).rows,
              model->evaluate(Stage::denoiser, rows.batch, 1).rows);
    const auto requests = some_requests(*model);
    const auto together = model->sample(requests, {.rows_at_once = 1000});
    const auto alone = model->sample(requests, {.rows_at_once = 1});
    EXPECT_LT(distance(together, alone), 1e-3);
}

TEST_F(DiffusionModelTest, SameSeedSameBytes) {
    std::vector<std::vector<SampledRows>> results;
    for (const int threads : {1, 2, 2}) {
        auto model = disturbed_model({.threads = threads});
        results.push_back(model->sample(some_requests(*model), {.steps = 4, .guidance = 2}));
    }
    EXPECT_TRUE(same_bytes(results[1], results[2]));
    EXPECT_LT(distance(results[0], results[1]), 1e-3);
    auto model = disturbed_model();
    auto requests = some_requests(*model);
    for (SampleRequest& request : requests) request.seed += 1000;
    EXPECT_GT(distance(model->sample(requests, {.steps = 4, .guidance = 2}), results[1]), 0.01);
}

TEST_F(DiffusionModelTest, TrainingRepeats) {
    const OddBatch rows(3, 30, 3);
    std::vector<std::vector<NamedTensor>> results;
    for (int i = 0; i < 2; ++i) {
        auto model = disturbed_model();
        for (std::uint64_t step = 0; step < 3; ++step) {
            model->train_step(Stage::autoencoder, rows.batch, {}, step);
            model->train_step(Stage::denoiser, rows.batch, {}, step);
        }
        results.push_back(model->parameters(Part::denoiser));
    }
    expect_equal(results[0], results[1]);
}

TEST_F(DiffusionModelTest, RowsCountAsOftenAsIsSaid) {
    const OddBatch rows(3, 30, 3);
    std::vector<float> weights(90, 1);
    const auto trained = [&](std::span<const float> given, double& loss) {
        RowBatch batch = rows.batch;
        batch.weights = given;
        auto model = disturbed_model();
        loss = model->train_step(Stage::denoiser, batch, {.clip_norm = 0}, 1).loss.mean;
        return model->parameters(Part::denoiser);
    };
    double of_none = 0, of_ones = 0, of_some = 0;
    const auto plain = trained({}, of_none);
    expect_equal(plain, trained(weights, of_ones));
    weights[7] = 5;
    EXPECT_GT(largest_difference(plain, trained(weights, of_some)), 1e-5);
    EXPECT_EQ(of_none, of_ones);
    EXPECT_EQ(of_none, of_some);
    for (const float wrong : {0.F, -1.F, std::numeric_limits<float>::infinity()}) {
        weights[7] = wrong;
        EXPECT_THROW(trained(weights, of_some), std::invalid_argument);
    }
    EXPECT_THROW(trained(std::span(weights).first(89), of_some), std::invalid_argument);
}

TEST_F(DiffusionModelTest, ResumingIsGoingOn) {
    const OddBatch rows(3, 30, 3);
    auto whole = disturbed_model();
    for (std::uint64_t step = 0; step < 2; ++step) whole->train_step(Stage::denoiser, rows.batch, {}, step);
    auto resumed = make_diffusion_model(odd_config(), {.threads = 2}, 99);
    for (const Part part : {Part::autoencoder, Part::denoiser, Part::averaged})
        resumed->set_parameters(part, whole->parameters(part), "checkpoint");
    resumed->set_training_state(Stage::denoiser, whole->training_state(Stage::denoiser), "checkpoint");
    for (const auto& model : {whole.get(), resumed.get()})
        model->train_step(Stage::denoiser, rows.batch, {}, 2);
    expect_equal(whole->parameters(Part::denoiser), resumed->parameters(Part::denoiser));
    expect_equal(whole->parameters(Part::averaged), resumed->parameters(Part::averaged));
    expect_equal(whole->training_state(Stage::denoiser), resumed->training_state(Stage::denoiser));
}

TEST_F(DiffusionModelTest, AveragesFollowAsSaid) {
    const OddBatch rows(3, 30, 3);
    auto model = disturbed_model();
    const auto start = model->parameters(Part::denoiser);
    model->train_step(Stage::denoiser, rows.batch, {.ema = 0.999}, 0);
    const auto now = model->parameters(Part::denoiser), average = model->parameters(Part::averaged);
    for (std::size_t i = 0; i < now.size(); ++i)  // min(0.999, 1 / 10) of what was
        for (std::size_t j = 0; j < now[i].values.size(); ++j)
            EXPECT_NEAR(average[i].values[j], 0.1 * start[i].values[j] + 0.9 * now[i].values[j], 1e-6);
}

TEST_F(DiffusionModelTest, GuidanceOneIsConditionalAndZeroIsNot) {
    auto model = disturbed_model();
    const auto requests = some_requests(*model);
    std::vector<SampleRequest> any = requests;
    for (SampleRequest& request : any) request.class_id = -1;
    const auto conditional = model->sample(requests, {.steps = 3, .guidance = 1});
    EXPECT_LT(distance(model->sample(requests, {.steps = 3, .guidance = 1.0000001}), conditional), 1e-3);
    EXPECT_GT(distance(model->sample(requests, {.steps = 3, .guidance = 3}), conditional), 0.01);
    const auto unconditional = model->sample(any, {.steps = 3, .guidance = 1});
    EXPECT_TRUE(same_bytes(model->sample(requests, {.steps = 3, .guidance = 0}), unconditional));
    EXPECT_GT(distance(conditional, unconditional), 0.01);
}

TEST_F(DiffusionModelTest, ANewControlBranchChangesNothingUntilItIsTrained) {
    auto model = disturbed_model();
    const OddBatch rows(3, 90, 3);
    auto requests = some_requests(*model);
    const auto before = model->sample(requests, {.steps = 3});
    model->add_control();
    for (SampleRequest& request : requests)
        request.control = std::span(rows.control).first(static_cast<std::size_t>(request.rows) * 7);
    EXPECT_TRUE(same_bytes(model->sample(requests, {.steps = 3}), before));
    const auto base = model->parameters(Part::denoiser);
    for (std::uint64_t step = 0; step < 3; ++step)
        model->train_step(Stage::control, rows.batch, {.learning_rate = 1e-2}, step);
    expect_equal(model->parameters(Part::denoiser), base);
    const auto trained = model->sample(requests, {.steps = 3});
    EXPECT_GT(distance(trained, before), 1e-3);
    EXPECT_TRUE(same_bytes(model->sample(requests, {.steps = 3, .control_strength = 0}), before));
    // One without a layout beside others with one.
    requests[2].control = {};
    const auto mixed = model->sample(requests, {.steps = 3});
    EXPECT_LT(distance({mixed[2]}, {before[2]}), 1e-3);
    EXPECT_LT(distance({mixed[1]}, {trained[1]}), 1e-3);
}

TEST_F(DiffusionModelTest, ANewAdapterChangesNothingUntilItIsTrained) {
    auto model = disturbed_model();
    const auto requests = some_requests(*model);
    const auto before = model->sample(requests, {.steps = 3});
    model->add_adapter({.rank = 3, .alpha = 6, .new_classes = 2}, 5);
    EXPECT_TRUE(same_bytes(model->sample(requests, {.steps = 3}), before));

    OddBatch rows(4, 40, 3);
    for (std::int32_t& value : rows.classes) value = 3;  // the first new class
    const auto base = model->parameters(Part::averaged);
    for (std::uint64_t step = 0; step < 5; ++step)
        model->train_step(Stage::adapter, rows.batch, {.learning_rate = 1e-2}, step);
    expect_equal(model->parameters(Part::averaged), base);
    const SampleRequest fresh{3, 40, 1, {}};
    const auto applied = model->sample(std::span(&fresh, 1), {.steps = 3});
    EXPECT_GT(distance(model->sample(requests, {.steps = 3}), before), 1e-3);

    auto loaded = disturbed_model();
    loaded->set_adapter(*model->adapter(), model->parameters(Part::adapter), "adapter");
    EXPECT_TRUE(same_bytes(loaded->sample(std::span(&fresh, 1), {.steps = 3}), applied));
    model->merge_adapter();
    EXPECT_EQ(model->config().classes, 5);
    EXPECT_LT(distance(model->sample(std::span(&fresh, 1), {.steps = 3}), applied), 1e-3);
}

TEST_F(DiffusionModelTest, PreviewsEndInTheResult) {
    auto model = disturbed_model();
    const auto requests = some_requests(*model);
    double done = 0;
    const auto made =
        model->sample(requests, {.steps = 6, .preview_steps = {1, 3, 6}, .progress = [&](double share) {
                                     EXPECT_GT(share, done);
                                     done = share;
                                 }});
    EXPECT_NEAR(done, 1, 1e-9);
    for (const SampledRows& sample : made) {
        ASSERT_EQ(sample.previews.size(), 3u);
        EXPECT_EQ(sample.previews[2], sample.ternary);
        EXPECT_NE(sample.previews[0], sample.ternary);
    }
}

}  // namespace
}  // namespace tracebench::diffusion::test
