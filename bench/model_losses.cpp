#include "bench/model_losses.h"

#include <fmt/format.h>

#include <charconv>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {

constexpr const char* losses_file = "losses.csv";
constexpr std::size_t max_rows = 10'000'000;

}  // namespace

void write_losses(Generator& generator, const Samples& train, const Samples& heldout,
                  const std::filesystem::path& folder, Progress& progress) {
    const auto of_train = generator.losses(train, progress);
    const auto of_heldout = of_train ? generator.losses(heldout, progress) : std::nullopt;
    if (!of_heldout) return;
    std::string text = csv_row({"set", "sample", "loss"});
    const auto add = [&](const char* set, const Samples& samples, const std::vector<double>& losses) {
        auto loss = losses.begin();
        for (const LabelledTrace& sample : samples)
            text += csv_row({set, sample.id, fmt::format("{}", *loss++)});
    };
    add("train", train, *of_train);
    add("heldout", heldout, *of_heldout);
    write_file(folder / losses_file, text);
}

std::optional<ModelLosses> read_losses(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / losses_file;
    if (!std::filesystem::exists(path)) return std::nullopt;
    const CsvTable table = read_csv(path, max_rows);
    const std::size_t set = table.require_column("set"), loss = table.require_column("loss");
    ModelLosses losses;
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
        const std::string& text = table.rows[row][loss];
        const std::string& side = table.rows[row][set];
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() ||
            (side != "train" && side != "heldout"))
            throw InputError(table.name,
                             fmt::format("row {} is no loss of a train or heldout sample", row + 1),
                             "run the sample task again with --fresh");
        (side == "train" ? losses.train : losses.heldout).push_back(value);
    }
    return losses;
}

}  // namespace tracebench
