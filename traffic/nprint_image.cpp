#include "traffic/nprint_image.h"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {

constexpr std::uint64_t max_file = 64 << 20;
constexpr std::size_t max_height = 8192;
constexpr std::size_t pixel = 4;  // RGBA

/// Frees what libpng keeps, whatever happens.
struct Png : png_image {
    Png() : png_image{} { version = PNG_IMAGE_VERSION; }
    ~Png() { png_image_free(this); }
    Png(const Png&) = delete;
    Png& operator=(const Png&) = delete;
};

/// The columns of an image, in order.
std::vector<std::size_t> image_columns(bool drop_addresses) {
    const NprintField& source = *find_nprint_field("ipv4_src");
    const NprintField& destination = *find_nprint_field("ipv4_dst");
    std::vector<std::size_t> columns;
    for (std::size_t column = 0; column < kNprintColumns; ++column) {
        const bool address =
            column >= source.first && column < std::size_t{destination.first} + destination.width;
        if (!address || !drop_addresses) columns.push_back(column);
    }
    return columns;
}

/// The nearest of red, green and blue is the one whose channel is largest; red, then green where equal.
std::int8_t bit_of(const std::uint8_t* rgba) {
    const std::uint8_t largest = std::max({rgba[0], rgba[1], rgba[2]});
    if (largest == rgba[0]) return 1;
    return largest == rgba[1] ? std::int8_t{0} : std::int8_t{-1};
}

bool blank(const NprintRow& row) {
    return std::all_of(row.begin(), row.end(), [](std::int8_t bit) { return bit < 0; });
}

}  // namespace

void write_nprint_image(const std::filesystem::path& path, std::span<const NprintRow> rows,
                        bool drop_addresses) {
    if (rows.size() > kNprintImageRows)
        throw InputError(path.string(),
                         fmt::format("an image holds {} packets, not {}", kNprintImageRows, rows.size()));
    const std::vector<std::size_t> columns = image_columns(drop_addresses);
    std::vector<std::uint8_t> pixels(columns.size() * kNprintImageRows * pixel);
    std::uint8_t* out = pixels.data();
    for (std::size_t y = 0; y < kNprintImageRows; ++y)
        for (const std::size_t column : columns) {
            const std::int8_t bit = y < rows.size() ? rows[y][column] : std::int8_t{-1};
            out[bit > 0 ? 0 : bit == 0 ? 1 : 2] = 255;
            out[3] = 255;
            out += pixel;
        }

    Png image;
    image.width = static_cast<png_uint_32>(columns.size());
    image.height = kNprintImageRows;
    image.format = PNG_FORMAT_RGBA;
    std::string file(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
    png_alloc_size_t size = file.size();
    if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
        throw InputError(path.string(), fmt::format("cannot make the image: {}", image.message));
    write_file(path, std::string_view(file).substr(0, size));
}

std::string nprint_png(std::span<const NprintRow> rows) {
    constexpr std::uint8_t palette[3][3] = {{0, 0, 255}, {0, 255, 0}, {255, 0, 0}};  // -1, 0, 1
    std::vector<std::uint8_t> pixels;
    pixels.reserve(rows.size() * kNprintColumns);
    for (const NprintRow& row : rows)
        for (const std::int8_t bit : row) pixels.push_back(static_cast<std::uint8_t>(bit + 1));
    Png image;
    image.width = kNprintColumns;
    image.height = static_cast<png_uint_32>(rows.size());
    image.format = PNG_FORMAT_RGB_COLORMAP;
    image.colormap_entries = 3;
    std::string file(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
    png_alloc_size_t size = file.size();
    if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, palette) == 0)
        throw std::runtime_error(fmt::format("cannot make an image: {}", image.message));
    file.resize(size);
    return file;
}

NprintImage read_nprint_image(const std::filesystem::path& path) {
    const std::string place = path == "-" ? "standard input" : path.string();
    const std::string file = read_file(path, max_file);
    Png image;
    if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0)
        throw InputError(place, fmt::format("is not a readable PNG image: {}", image.message));
    const std::vector<std::size_t> all = image_columns(false), without = image_columns(true);
    if (image.width != all.size() && image.width != without.size())
        throw InputError(
            place, fmt::format("is {} pixels wide", image.width),
            fmt::format("{}, or {} without the address columns, was expected", all.size(), without.size()));
    if (image.height > max_height)
        throw InputError(place, fmt::format("is {} pixels high", image.height),
                         fmt::format("at most {} was expected", max_height));
    if ((image.format & PNG_FORMAT_FLAG_COLOR) == 0)
        throw InputError(place, "is a greyscale image", "red, green and blue pixels were expected");

    image.format = PNG_FORMAT_RGBA;
    std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
    if (png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr) == 0)
        throw InputError(place, fmt::format("is a damaged PNG image: {}", image.message));

    const std::vector<std::size_t>& columns = image.width == all.size() ? all : without;
    NprintImage result;
    result.present.resize(kNprintColumns);
    for (const std::size_t column : columns) result.present[column] = true;
    const std::uint8_t* in = pixels.data();
    for (std::size_t y = 0; y < image.height; ++y) {
        NprintRow& row = result.rows.emplace_back();
        row.fill(-1);
        for (const std::size_t column : columns) {
            row[column] = bit_of(in);
            in += pixel;
        }
    }
    while (!result.rows.empty() && blank(result.rows.back())) result.rows.pop_back();
    return result;
}

}  // namespace tracebench
