#include "traffic/nprint_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class NprintImageTest : public testing::Test {
  protected:
    void SetUp() override { fs::create_directories(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    /// An image of one colour, given as its channels.
    fs::path image(std::uint32_t width, std::uint32_t height, std::uint32_t format,
                   const std::vector<std::uint8_t>& colour) const {
        png_image png{};
        png.version = PNG_IMAGE_VERSION;
        png.width = width;
        png.height = height;
        png.format = format;
        std::vector<std::uint8_t> pixels(width * height * colour.size(), colour[0]);
        for (std::size_t i = 0; colour.size() > 1 && i < pixels.size(); ++i)
            pixels[i] = colour[i % colour.size()];
        EXPECT_NE(png_image_write_to_file(&png, file_.c_str(), 0, pixels.data(), 0, nullptr), 0);
        return file_;
    }

    std::string message(const fs::path& path) const {
        try {
            read_nprint_image(path);
        } catch (const InputError& error) {
            return error.what();
        }
        return "read without an error";
    }

    const fs::path folder_ =
        fs::path(testing::TempDir()) /
        (testing::UnitTest::GetInstance()->current_test_info()->name() + std::to_string(::getpid()));
    const fs::path file_ = folder_ / "image.png";
};

/// Pixels by libpng, apart from our reader.
std::vector<std::uint8_t> pixels_of(const fs::path& path, std::uint32_t& width, std::uint32_t& height) {
    png_image png{};
    png.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_file(&png, path.c_str()) == 0) return {};
    EXPECT_EQ(png.format, PNG_FORMAT_RGBA);
    width = png.width;
    height = png.height;
    std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(png));
    png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr);
    return pixels;
}

TEST_F(NprintImageTest, ColoursAndPadding) {
    NprintRow row;
    row.fill(-1);
    row[0] = 1;
    row[1] = 0;
    write_nprint_image(file_, std::vector<NprintRow>{row}, false);
    std::uint32_t width = 0, height = 0;
    const auto pixels = pixels_of(file_, width, height);
    ASSERT_EQ(width, 1088U);
    ASSERT_EQ(height, 1024U);
    const std::vector<std::uint8_t> begin(pixels.begin(), pixels.begin() + 12);
    EXPECT_THAT(begin, testing::ElementsAreArray({255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255}));
    for (std::size_t i = 12; i < pixels.size(); i += 4)
        ASSERT_TRUE(pixels[i] == 0 && pixels[i + 1] == 0 && pixels[i + 2] == 255 && pixels[i + 3] == 255)
            << i;
}

TEST_F(NprintImageTest, AddressesCanBeDropped) {
    NprintRow row;
    row.fill(0);
    const std::size_t options = find_nprint_field("ipv4_opt")->first;
    row[options] = 1;
    write_nprint_image(file_, std::vector<NprintRow>{row}, true);
    std::uint32_t width = 0, height = 0;
    const auto pixels = pixels_of(file_, width, height);
    ASSERT_EQ(width, 1024U);
    EXPECT_EQ(pixels[4 * (options - 64)], 255);  // the 64 address columns stand before the options
    const NprintImage back = read_nprint_image(file_);
    ASSERT_EQ(back.rows.size(), 1U);
    EXPECT_FALSE(back.present[find_nprint_field("ipv4_src")->first]);
    EXPECT_FALSE(back.present[options - 1]);
    EXPECT_TRUE(back.present[options]);
    for (std::size_t column = options - 64; column < options; ++column) row[column] = -1;
    EXPECT_EQ(back.rows[0], row);
}

TEST_F(NprintImageTest, NearestColour) {
    // As a diffusion model leaves them: closest to red, to green, to blue.
    EXPECT_EQ(read_nprint_image(image(1088, 1, PNG_FORMAT_RGB, {200, 90, 60})).rows.at(0)[7], 1);
    EXPECT_EQ(read_nprint_image(image(1088, 1, PNG_FORMAT_RGB, {90, 91, 0})).rows.at(0)[7], 0);
    EXPECT_TRUE(read_nprint_image(image(1088, 3, PNG_FORMAT_RGB, {90, 91, 92})).rows.empty());  // all padding
    EXPECT_EQ(read_nprint_image(image(1024, 2, PNG_FORMAT_RGBA, {10, 20, 5, 0})).rows.at(1)[7], 0);
}

TEST_F(NprintImageTest, BlankRowsWithinAreKept) {
    NprintRow row;
    row.fill(1);
    NprintRow blank;
    blank.fill(-1);
    write_nprint_image(file_, std::vector<NprintRow>{blank, row, blank}, false);
    const NprintImage back = read_nprint_image(file_);
    ASSERT_EQ(back.rows.size(), 2U);
    EXPECT_EQ(back.rows[0], blank);
    EXPECT_EQ(back.rows[1], row);
}

TEST_F(NprintImageTest, RefusesOtherImages) {
    EXPECT_THAT(message(image(640, 4, PNG_FORMAT_RGB, {255, 0, 0})),
                HasSubstr("is 640 pixels wide; 1088, or 1024 without the address columns, was expected"));
    EXPECT_THAT(message(image(1088, 8193, PNG_FORMAT_GRAY, {255})), HasSubstr("is 8193 pixels high"));
    EXPECT_THAT(message(image(1088, 4, PNG_FORMAT_GRAY, {255})), HasSubstr("is a greyscale image"));
    image(1088, 1024, PNG_FORMAT_RGB, {255, 0, 0});
    const std::string whole = read_file(file_);
    write_file(file_, whole.substr(0, whole.size() / 2));
    EXPECT_THAT(message(file_), HasSubstr("is a damaged PNG image"));
    write_file(file_, whole.substr(0, 20));
    EXPECT_THAT(message(file_), HasSubstr("is not a readable PNG image"));
    write_file(file_, "");
    EXPECT_THAT(message(file_), HasSubstr("is not a readable PNG image"));
    EXPECT_THROW(write_nprint_image(file_, std::vector<NprintRow>(1025), false), InputError);
}

}  // namespace
}  // namespace tracebench
