#include "metrics/distance/csv_columns.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace tracebench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::string& real, const std::string& synthetic) {
    try {
        pair_columns(parse_csv(real, "real.csv"), parse_csv(synthetic, "synthetic.csv"));
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(CsvColumns, NumbersAndText) {
    const auto pairs = pair_columns(parse_csv("a,b\n1,x\n +2.5e1 ,y\n", "r"), parse_csv("a,b\n-3,z\n", "s"));
    ASSERT_EQ(pairs.size(), 2u);
    EXPECT_EQ(pairs[0].real.info.kind, FieldKind::continuous);
    EXPECT_THAT(pairs[0].real.values, ElementsAre(1, 25));
    EXPECT_THAT(pairs[0].real.session, ElementsAre(0, 1));
    EXPECT_THAT(pairs[0].synthetic.values, ElementsAre(-3));
    EXPECT_EQ(pairs[1].real.info.kind, FieldKind::categorical);
    EXPECT_THAT(pairs[1].names, ElementsAre("x", "y", "z"));
    EXPECT_THAT(pairs[1].real.values, ElementsAre(0, 1));
    EXPECT_THAT(pairs[1].synthetic.values, ElementsAre(2));
}

TEST(CsvColumns, WhatIsNotFiniteIsAnErrorThatNamesItsRow) {
    EXPECT_THAT(error_of("a\n1\nnan\n", "a\n1\n"),
                HasSubstr("real.csv, row 3, column 'a': 'nan' is not finite"));
    EXPECT_THAT(error_of("a\n1\n", "a\n1\n2\n-inf\n"), HasSubstr("synthetic.csv, row 4, column 'a': '-inf'"));
    EXPECT_THAT(error_of("a\n1\n", "a\n1e999\n"), HasSubstr("row 2"));
    EXPECT_THAT(error_of("a\n1\n", "a\n1e305\n"), HasSubstr("row 2"));
    EXPECT_THAT(error_of("a,b\n1,1\n,2\n", "a,b\n1,1\n"), HasSubstr("row 3, column 'a': '' is not a number"));
    EXPECT_THAT(error_of("a\n1\n", "a\nsome\n"), HasSubstr("'some' is not a number"));
}

TEST(CsvColumns, WordsThatLookLikeNumbersAreTextAmongText) {
    const auto pairs = pair_columns(parse_csv("a\nnan\nbread\n\"\"\n", "r"), parse_csv("a\n12\n", "s"));
    EXPECT_EQ(pairs[0].real.info.kind, FieldKind::categorical);
}

TEST(CsvColumns, TinyNumbersAreZero) {
    const auto pairs = pair_columns(parse_csv("a\n1e-999\n", "r"), parse_csv("a\n0\n", "s"));
    EXPECT_THAT(pairs[0].real.values, ElementsAre(0));
}

TEST(CsvColumns, HeadersMustAgreeAndRowsBeThere) {
    EXPECT_THAT(error_of("a,b\n1,2\n", "b,a\n1,2\n"), HasSubstr("'b,a' where real.csv has 'a,b'"));
    EXPECT_THAT(error_of("a\n", "a\n1\n"), HasSubstr("real.csv: has a header but no rows"));
}

}  // namespace
}  // namespace tracebench
