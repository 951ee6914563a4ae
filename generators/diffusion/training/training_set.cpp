#include "generators/diffusion/training/training_set.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/random.h"

namespace tracebench::diffusion {
namespace {

constexpr std::size_t per_byte = 4, packed_row = kTernary / per_byte;
static_assert(kTernary % per_byte == 0);

/// The four columns that a byte holds, two bits each: value + 1, the first one lowest.
constexpr auto unpacked_bytes = [] {
    std::array<std::array<std::int8_t, per_byte>, 256> table{};
    for (std::size_t byte = 0; byte < table.size(); ++byte)
        for (std::size_t i = 0; i < per_byte; ++i)
            table[byte][i] = static_cast<std::int8_t>(static_cast<int>(byte >> (2 * i) & 3) - 1);
    return table;
}();

template <typename T>
std::string_view bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

void row_layout(std::span<const std::int8_t, kTernary> row, std::span<std::uint8_t, kImageBytes> layout) {
    for (std::size_t byte = 0; byte < kImageBytes; ++byte) {
        const auto bits = row.subspan(8 * byte, 8);
        layout[byte] = std::any_of(bits.begin(), bits.end(), [](std::int8_t bit) { return bit >= 0; });
    }
}

void TrainingSet::add(const std::string& label, std::int32_t class_id, const ModelRows& rows) {
    samples_.push_back({label, class_id, gaps_.size(), rows.rows()});
    gaps_.insert(gaps_.end(), rows.log_gap.begin(), rows.log_gap.end());
    packed_.reserve(packed_.size() + rows.rows() * packed_row);
    for (std::size_t i = 0; i < rows.ternary.size(); i += per_byte) {
        unsigned byte = 0;
        for (std::size_t k = 0; k < per_byte; ++k)
            byte |= static_cast<unsigned>(rows.ternary[i + k] + 1) << (2 * k);
        packed_.push_back(static_cast<std::uint8_t>(byte));
    }
}

void TrainingSet::row(std::size_t row, std::span<std::int8_t, kTernary> out) const {
    const std::uint8_t* const bytes = packed_.data() + row * packed_row;
    for (std::size_t i = 0; i < packed_row; ++i)
        std::copy_n(unpacked_bytes[bytes[i]].begin(), per_byte,
                    out.begin() + static_cast<long>(per_byte * i));
}

std::vector<std::int8_t> TrainingSet::fixed() const {
    std::vector<std::int8_t> result;
    std::vector<std::int8_t> values(kTernary);
    for (std::size_t i = 0; i < rows(); ++i) {
        row(i, std::span<std::int8_t, kTernary>(values));
        if (i == 0) result = fixed_columns(values, kTernary);
        for (std::size_t column = 0; column < kTernary; ++column)
            if (result[column] != values[column]) result[column] = kVaries;
    }
    return result.empty() ? fixed_columns({}, kTernary) : result;
}

std::string TrainingSet::hash() const {
    std::string text;
    for (const Sample& sample : samples_)
        text +=
            sample.label + '\0' + std::to_string(sample.class_id) + ' ' + std::to_string(sample.rows) + '\n';
    return sha256(text + sha256(bytes_of(packed_)) + sha256(bytes_of(gaps_)));
}

const RowBatch& TrainingSet::fill(std::span<const std::size_t> rows, BatchBuffer& buffer) const {
    buffer.ternary.resize(rows.size() * kTernary);
    buffer.gaps.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row(rows[i], std::span(buffer.ternary).subspan(i * kTernary).first<kTernary>());
        buffer.gaps[i] = gaps_[rows[i]];
    }
    buffer.batch = {};
    buffer.batch.samples = 1;
    buffer.batch.rows = static_cast<std::int64_t>(rows.size());
    buffer.batch.ternary = buffer.ternary;
    buffer.batch.gaps = buffer.gaps;
    return buffer.batch;
}

const RowBatch& TrainingSet::fill(std::span<const Piece> pieces, std::size_t padding, bool with_control,
                                  BatchBuffer& buffer, std::span<const float> latents,
                                  std::span<const float> weights) const {
    std::size_t longest = 0;
    for (const Piece& piece : pieces) longest = std::max(longest, piece.rows);
    const std::size_t rows = std::min((longest + padding - 1) / padding * padding, kImageRows);
    const std::size_t all = pieces.size() * rows;
    const std::size_t width = latents.empty() ? 0 : latents.size() / gaps_.size();
    buffer.ternary.assign(width > 0 ? 0 : all * kTernary, -1);
    buffer.gaps.assign(width > 0 ? 0 : all, kPaddingGap);
    buffer.latents.assign(all * width, 0);
    buffer.mask.assign(all, 0);
    buffer.weights.assign(weights.empty() ? 0 : all, 1);
    buffer.control.assign(with_control ? all * kImageBytes : 0, 0);
    buffer.classes.clear();
    buffer.first_row.clear();
    buffer.lengths.clear();
    for (std::size_t p = 0; p < pieces.size(); ++p) {
        const Piece& piece = pieces[p];
        const Sample& sample = samples_[piece.sample];
        buffer.classes.push_back(sample.class_id);
        buffer.first_row.push_back(static_cast<std::int64_t>(piece.first));
        buffer.lengths.push_back(static_cast<std::int64_t>(sample.rows));
        std::array<std::int8_t, kTernary> unpacked;
        for (std::size_t i = 0; i < rows; ++i) {
            const std::size_t at = p * rows + i, from = sample.first + piece.first + i;
            const std::span<std::int8_t, kTernary> values =
                width > 0 ? std::span(unpacked)
                          : std::span(buffer.ternary).subspan(at * kTernary).first<kTernary>();
            if (i >= piece.rows) {
                values[model_column::there] = 0;
                continue;
            }
            buffer.mask[at] = 1;
            if (!weights.empty()) buffer.weights[at] = weights[from];
            if (width == 0) buffer.gaps[at] = gaps_[from];
            std::copy_n(latents.begin() + static_cast<long>(from * width), width,
                        buffer.latents.begin() + static_cast<long>(at * width));
            if (width == 0 || with_control) row(from, values);
            if (with_control)
                row_layout(values, std::span(buffer.control).subspan(at * kImageBytes).first<kImageBytes>());
        }
    }
    buffer.batch = {};
    buffer.batch.samples = static_cast<std::int64_t>(pieces.size());
    buffer.batch.rows = static_cast<std::int64_t>(rows);
    buffer.batch.ternary = buffer.ternary;
    buffer.batch.gaps = buffer.gaps;
    buffer.batch.latents = buffer.latents;
    buffer.batch.mask = buffer.mask;
    buffer.batch.weights = buffer.weights;
    buffer.batch.classes = buffer.classes;
    buffer.batch.first_row = buffer.first_row;
    buffer.batch.lengths = buffer.lengths;
    buffer.batch.control = buffer.control;
    return buffer.batch;
}

std::vector<Piece> plan_pieces(const TrainingSet& set, std::span<const std::size_t> samples, std::size_t crop,
                               std::uint64_t seed) {
    Random random(seed);
    std::vector<Piece> pieces;
    for (const std::size_t i : samples) {
        const std::size_t rows = set.samples()[i].rows;
        if (rows <= crop) {
            if (rows > 0) pieces.push_back({i, 0, rows});
            continue;
        }
        for (std::size_t begun = 0; begun < rows; begun += crop) {
            // From half a piece before the sample to half a piece after it, then moved inside.
            const std::size_t place = random.below(rows), half = crop / 2;
            const std::size_t first = place < half ? 0 : std::min(place - half, rows - crop);
            pieces.push_back({i, first, crop});
        }
    }
    random.shuffle(pieces);
    return pieces;
}

}  // namespace tracebench::diffusion
