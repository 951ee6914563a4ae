#include "generators/ssm/training/batches.h"

#include <algorithm>

#include "base/random.h"

namespace tracebench::ssm {
namespace {

// Samples a row gets in one wave: enough to even out the rows' ends, few enough to mix waves and short
// samples.
constexpr std::int64_t samples_per_row = 4;

using Block = std::vector<SegmentBatch>;  // calls that must follow one another

std::int64_t padded(std::int64_t length) {
    return (length + length_multiple - 1) / length_multiple * length_multiple;
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

/// One call each, in ascending order of length; at most a quarter of a call is padding, where it has the
/// choice.
void add_short(std::vector<std::int64_t> samples, std::span<const std::int64_t> lengths,
               const BatchShape& shape, std::vector<Block>& blocks) {
    std::stable_sort(samples.begin(), samples.end(), [&](std::int64_t a, std::int64_t b) {
        return padded(lengths[static_cast<std::size_t>(a)]) < padded(lengths[static_cast<std::size_t>(b)]);
    });
    SegmentBatch call;
    std::int64_t used = 0;
    const auto finish = [&] {
        if (!call.rows.empty()) blocks.push_back({std::move(call)});
        call = {};
        used = 0;
    };
    for (const std::int64_t sample : samples) {
        const std::int64_t length = lengths[static_cast<std::size_t>(sample)];
        const std::int64_t size = (static_cast<std::int64_t>(call.rows.size()) + 1) * padded(length);
        const bool wasteful = padded(length) > call.length && 4 * (used + length) < 3 * size;
        if (size > shape.batch_tokens || (wasteful && !call.rows.empty())) finish();
        call.length = padded(length);
        call.rows.push_back({sample, 0, length});
        used += length;
    }
    finish();
}

/// One wave: a queue of samples a row.
Block wave(std::vector<std::int64_t> samples, std::span<const std::int64_t> lengths, const BatchShape& shape,
           Random& random) {
    const auto length_of = [&](std::int64_t sample) { return lengths[static_cast<std::size_t>(sample)]; };
    std::stable_sort(samples.begin(), samples.end(),
                     [&](std::int64_t a, std::int64_t b) { return length_of(a) > length_of(b); });
    std::int64_t segments = 0;
    for (const std::int64_t sample : samples) segments += divide_up(length_of(sample), shape.segment);
    // Next to one giant there is work for fewer rows only.
    const std::int64_t longest = divide_up(length_of(samples.front()), shape.segment);
    const std::int64_t rows = std::clamp<std::int64_t>(
        segments / longest, 1, std::max<std::int64_t>(1, shape.batch_tokens / shape.segment));

    std::vector<std::vector<std::int64_t>> queues(static_cast<std::size_t>(rows));
    std::vector<std::int64_t> load(queues.size());
    for (const std::int64_t sample : samples) {
        const auto least = std::min_element(load.begin(), load.end()) - load.begin();
        queues[static_cast<std::size_t>(least)].push_back(sample);
        load[static_cast<std::size_t>(least)] += divide_up(length_of(sample), shape.segment);
    }
    for (auto& queue : queues) random.shuffle(queue);

    Block calls;
    std::vector<std::size_t> next(queues.size());
    std::vector<std::int64_t> offset(queues.size());
    while (true) {
        std::int64_t left = 0;
        for (std::size_t row = 0; row < queues.size(); ++row)
            if (next[row] < queues[row].size())
                left = std::max(left, length_of(queues[row][next[row]]) - offset[row]);
        if (left == 0) return calls;
        SegmentBatch call;
        call.length = std::min(shape.segment, padded(left));
        for (std::size_t row = 0; row < queues.size(); ++row) {
            if (next[row] == queues[row].size()) {
                call.rows.emplace_back();
                continue;
            }
            const std::int64_t sample = queues[row][next[row]];
            const std::int64_t count = std::min(call.length, length_of(sample) - offset[row]);
            call.rows.push_back({sample, offset[row], count});
            offset[row] += count;
            if (offset[row] == length_of(sample)) {
                ++next[row];
                offset[row] = 0;
            }
        }
        calls.push_back(std::move(call));
    }
}

}  // namespace

std::int64_t SegmentBatch::tokens() const {
    std::int64_t sum = 0;
    for (const RowSegment& row : rows) sum += row.count;
    return sum;
}

std::vector<SegmentBatch> plan_batches(std::span<const std::int64_t> lengths, const BatchShape& shape,
                                       std::uint64_t seed) {
    Random random(seed);
    std::vector<std::int64_t> order;
    for (std::size_t i = 0; i < lengths.size(); ++i)
        if (lengths[i] > 0) order.push_back(static_cast<std::int64_t>(i));
    random.shuffle(order);

    std::vector<std::int64_t> short_samples, long_samples;
    for (const std::int64_t sample : order)
        (lengths[static_cast<std::size_t>(sample)] <= shape.segment ? short_samples : long_samples)
            .push_back(sample);
    std::vector<Block> blocks;
    add_short(std::move(short_samples), lengths, shape, blocks);
    const std::int64_t rows = std::max<std::int64_t>(1, shape.batch_tokens / shape.segment);
    const auto wave_size = static_cast<std::size_t>(rows * samples_per_row);
    for (std::size_t i = 0; i < long_samples.size(); i += wave_size) {
        const std::size_t end = std::min(i + wave_size, long_samples.size());
        blocks.push_back(wave({long_samples.begin() + static_cast<std::ptrdiff_t>(i),
                               long_samples.begin() + static_cast<std::ptrdiff_t>(end)},
                              lengths, shape, random));
    }
    random.shuffle(blocks);
    std::vector<SegmentBatch> calls;
    for (Block& block : blocks) std::move(block.begin(), block.end(), std::back_inserter(calls));
    return calls;
}

namespace {

/// A segment's inputs and, one further on, its targets.
std::span<const Token> tokens_of(const RowSegment& segment, std::span<const std::span<const Token>> samples) {
    return samples[static_cast<std::size_t>(segment.sample)].subspan(
        static_cast<std::size_t>(segment.offset), static_cast<std::size_t>(segment.count) + 1);
}

}  // namespace

std::int64_t BatchBuffers::targets(const SegmentBatch& batch,
                                   std::span<const std::span<const Token>> samples) const {
    if (weight_of_.empty()) return batch.tokens();
    std::int64_t sum = 0;
    for (const RowSegment& segment : batch.rows) {
        if (segment.sample < 0) continue;
        const auto targets = tokens_of(segment, samples).subspan(1);
        sum += std::count_if(targets.begin(), targets.end(),
                             [this](Token target) { return weight_of(target) > 0; });
    }
    return sum;
}

Batch BatchBuffers::fill(const SegmentBatch& batch, std::span<const std::span<const Token>> samples) {
    const std::size_t length = static_cast<std::size_t>(batch.length), size = batch.rows.size() * length;
    inputs_.assign(size, 0);
    targets_.assign(size, -1);
    continues_.assign(batch.rows.size(), 0);
    weights_.assign(weight_of_.empty() ? 0 : size, 1);
    for (std::size_t row = 0; row < batch.rows.size(); ++row) {
        const RowSegment& segment = batch.rows[row];
        if (segment.sample < 0) continue;
        const auto tokens = tokens_of(segment, samples);
        for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
            inputs_[row * length + i] = tokens[i];
            const float weight = weight_of(tokens[i + 1]);
            if (weight > 0) targets_[row * length + i] = tokens[i + 1];
            if (!weights_.empty()) weights_[row * length + i] = weight;
        }
        continues_[row] = segment.offset > 0;
    }
    return {
        static_cast<std::int64_t>(batch.rows.size()), batch.length, inputs_, targets_, continues_, weights_};
}

Batch BatchBuffers::fill(const SegmentBatch& batch, std::span<const std::span<const Token>> samples,
                         const TokenNoise& noise, Random& random) {
    const Batch filled = fill(batch, samples);
    for (Token& token : inputs_) token = noise(token, random);
    return filled;
}

}  // namespace tracebench::ssm
