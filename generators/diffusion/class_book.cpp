#include "generators/diffusion/class_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"
#include "generators/diffusion/training/training_set.h"

namespace tracebench::diffusion {
namespace {

using nlohmann::json;

constexpr std::size_t most_classes = 4096, longest_label = 4096;
constexpr double longest_scaled_gap = 10;  // far beyond any time

}  // namespace

ControlLayout ControlLayout::of(const ModelRows& rows) {
    ControlLayout layout;
    std::array<std::uint8_t, kImageBytes> bytes{};
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        row_layout(rows.row(i), bytes);
        Pattern pattern{};
        for (std::size_t k = 0; k < kImageBytes; ++k)
            pattern[k / 8] = static_cast<std::uint8_t>(pattern[k / 8] | bytes[k] << (7 - k % 8));
        if (!layout.runs_.empty() && layout.runs_.back().first == pattern)
            ++layout.runs_.back().second;
        else
            layout.runs_.emplace_back(pattern, 1);
    }
    return layout;
}

std::size_t ControlLayout::rows() const {
    std::size_t sum = 0;
    for (const auto& [pattern, count] : runs_) sum += count;
    return sum;
}

std::vector<std::uint8_t> ControlLayout::expand(std::size_t rows) const {
    std::vector<std::uint8_t> bytes(rows * kImageBytes, 0);
    std::size_t row = 0;
    for (const auto& [pattern, count] : runs_)
        for (std::uint32_t i = 0; i < count && row < rows; ++i, ++row)
            for (std::size_t k = 0; k < kImageBytes; ++k)
                bytes[row * kImageBytes + k] = pattern[k / 8] >> (7 - k % 8) & 1;
    return bytes;
}

json ControlLayout::to_json() const {
    json runs = json::array();
    for (const auto& [pattern, count] : runs_)
        runs.push_back({to_hex({reinterpret_cast<const char*>(pattern.data()), pattern.size()}), count});
    return runs;
}

ControlLayout ControlLayout::from_json(const CheckedJson& json) {
    ControlLayout layout;
    std::size_t rows = 0;
    for (const CheckedJson& run : json.items(kImageRows)) {
        const std::vector<CheckedJson> pair = run.items(2);
        if (pair.size() != 2) run.fail("is not a pair of hexadecimal digits and a count");
        const std::string bytes = pair[0].hex(kImageBytes / 8);
        if (bytes.size() != kImageBytes / 8)
            pair[0].fail(fmt::format("does not have {} bytes", kImageBytes / 8));
        const std::int64_t count = pair[1].integer(1, kImageRows);
        rows += static_cast<std::size_t>(count);
        if (rows > kImageRows) json.fail(fmt::format("has more than {} rows", kImageRows));
        auto& added = layout.runs_.emplace_back();
        std::copy(bytes.begin(), bytes.end(), added.first.begin());
        added.second = static_cast<std::uint32_t>(count);
    }
    return layout;
}

void ClassBook::add_class(const std::string& label) {
    if (find(label) >= 0) throw std::invalid_argument("class book: a class is there twice");
    entries_.emplace_back().label = label;
}

void ClassBook::add_sample(const std::string& label, const ModelRows& rows, bool with_layout) {
    ClassEntry& entry = entries_.at(static_cast<std::size_t>(find(label)));
    if (rows.rows() == 0) return;
    entry.lengths.add(rows.rows());
    entry.values.add(rows);
    entry.longest_gap = std::max(entry.longest_gap.value_or(kPaddingGap), std::ranges::max(rows.log_gap));
    entry.most_hosts = std::max(entry.most_hosts.value_or(0), count_hosts(rows));
    if (with_layout && entry.layouts.size() < most_layouts) entry.layouts.push_back(ControlLayout::of(rows));
}

std::int32_t ClassBook::find(const std::string& label) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const ClassEntry& entry) { return entry.label == label; });
    return found == entries_.end() ? -1 : static_cast<std::int32_t>(found - entries_.begin());
}

std::vector<std::string> ClassBook::labels() const {
    std::vector<std::string> labels;
    for (const ClassEntry& entry : entries_)
        if (!entry.lengths.empty()) labels.push_back(entry.label);
    std::sort(labels.begin(), labels.end());
    return labels;
}

json ClassBook::to_json(std::size_t first) const {
    json classes = json::array();
    for (std::size_t id = first; id < entries_.size(); ++id) {
        const ClassEntry& entry = entries_[id];
        json text = {{"label_hex", to_hex(entry.label)}, {"lengths", entry.lengths.to_json()}};
        text["values"] = entry.values.to_json();
        if (entry.longest_gap) text["longest_gap"] = *entry.longest_gap;
        if (entry.most_hosts) text["most_hosts"] = *entry.most_hosts;
        for (const ControlLayout& layout : entry.layouts) text["layouts"].push_back(layout.to_json());
        classes.push_back(std::move(text));
    }
    return classes;
}

void ClassBook::append(const CheckedJson& json) {
    for (const CheckedJson& text : json.items(most_classes)) {
        text.allow_only({"label_hex", "lengths", "layouts", "longest_gap", "most_hosts", "values"});
        ClassEntry entry;
        entry.label = text.at("label_hex").hex(longest_label);  // any bytes, which JSON strings are not
        if (find(entry.label) >= 0)
            text.at("label_hex").fail(fmt::format("'{}' is there twice", printable(entry.label)));
        entry.lengths = Histogram::from_json(text.at("lengths"), kImageRows);
        if (!entry.lengths.empty() && entry.lengths.counts().begin()->first == 0)
            text.at("lengths").fail("holds a sample without rows");
        if (const auto values = text.find("values")) entry.values = KnownValues::from_json(*values);
        if (const auto gap = text.find("longest_gap"))
            entry.longest_gap = static_cast<float>(gap->number(kPaddingGap, longest_scaled_gap));
        if (const auto hosts = text.find("most_hosts"))
            entry.most_hosts = static_cast<std::size_t>(hosts->integer(0, 2 * kImageRows));
        if (const auto layouts = text.find("layouts"))
            for (const CheckedJson& layout : layouts->items(most_layouts))
                entry.layouts.push_back(ControlLayout::from_json(layout));
        if (entries_.size() == most_classes) json.fail(fmt::format("has more than {} classes", most_classes));
        entries_.push_back(std::move(entry));
    }
}

}  // namespace tracebench::diffusion
