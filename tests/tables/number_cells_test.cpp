#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/tables/cell.hpp"
#include "support/expect_error.hpp"
#include "tables/table_text.hpp"

namespace dnn {
namespace {

using test::column;
using test::column_of;
using test::expect_error;
using test::features;
using test::Names;
using test::read;

/// The cells in turns, `rows` of them.
std::vector<std::string> repeated(const std::vector<std::string>& cells, std::size_t rows) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < rows; ++i) {
    all.push_back(cells[i % cells.size()]);
  }
  return all;
}

// 'd' and 'e' may begin an exponent.
TEST(NumberCells, TextThatLooksLikeAHugeNumberIsText) {
  for (const Names& cells : {Names{"12d45678", "7182e999", "4fa9c3b1", "beefcafe", "10203040"},
                             Names{"inf", "Infinity", "high", "low", "none"}}) {
    const Dataset data = read(column_of(repeated(cells, 40)));
    EXPECT_EQ(column(data, "x").kind, ColumnKind::category);
    EXPECT_EQ(column(data, "x").distinct, cells.size());
    EXPECT_EQ(column(data, "x").missing, 0U);
  }
  // Also where the cells that show it lie below the first rows.
  std::vector<std::string> late = repeated({"7182e999", "12", "13"}, 600);
  for (std::size_t i = 300; i < late.size(); ++i) {
    late[i] = i % 2 == 0 ? "beefcafe" : "4fa9c3b1";
  }
  EXPECT_EQ(column(read(column_of(late)), "x").categories,
            (Names{"12", "13", "4fa9c3b1", "7182e999", "beefcafe"}));
}

TEST(NumberCells, AnInfiniteNumberAmongNumbersIsRefused) {
  std::vector<std::string> cells = repeated({"1", "2", "3"}, 40);
  cells[20] = "inf";
  const auto refuses = [](const std::string& text, const ReadOptions& options,
                          std::initializer_list<const char*> parts) {
    expect_error<InputError>([&] { (void)read(text, options); }, parts);
  };
  refuses(column_of(cells), {}, {"t.csv: line 22, column 'x': 'inf' is infinite", "--missing"});
  cells[9] = "unknown";  // a missing value
  refuses(column_of(cells), {}, {"t.csv: line 22, column 'x': 'inf' is infinite"});
  // The first in the order of the text.
  refuses("x,y,label\n1,2,a\n3,1e999,b\ninf,-inf,a\n", {}, {"line 3, column 'y': '1e999'"});
  refuses("x,y,label\n1,2,a\n3,4,b\ninf,-inf,a\n", {}, {"line 4, column 'x': 'inf'"});
  refuses("x,label\n1,a\ninf,b\n", {.columns = "number:x"}, {"line 3, column 'x': 'inf'"});
  refuses("x,y\n1,2\n3,inf\n", {.task = Task::numbers, .label_column = "y"}, {"column 'y': 'inf'"});
  const Dataset train = read("x,label\n1,a\n2,b\n");
  refuses("x,label\n1,a\n1e400,b\n", {.schema = &train.schema}, {"line 3, column 'x': '1e400'"});
}

TEST(NumberCells, ANumberForAMissingValueMayBeSpeltInAnyWay) {
  for (const char* cell : {"-999", "-999.0", "\"-999.0\"", "\"-999\"", "-9.99e2",
                           "\xe2\x88\x92"
                           "999"}) {
    const std::string text = std::string("x,label\n1.5,a\n") + cell + ",b\n2.5,a\n";
    EXPECT_EQ(column(read(text, {.missing = "-999"}), "x").missing, 1U) << cell;
  }
  const Dataset comma = read("x;label\n1,5;a\n-999,0;b\n2,5;a\n", {.missing = "-999"});
  EXPECT_EQ(column(comma, "x").missing, 1U);
  EXPECT_EQ(column(comma, "x").least, 1.5);
}

TEST(NumberCells, NoGroupOfDigitsFollowsAZero) {
  EXPECT_EQ(parse_cell_number("1,125", '.'), 1125);
  EXPECT_EQ(parse_cell_number("10 125", '.'), 10125);
  EXPECT_EQ(parse_cell_number("-0.125", '.'), -0.125);
  EXPECT_EQ(parse_cell_number("0,125", ','), 0.125);
  for (const char* text : {"0,125", "-0,125", "0 125", "00,125", "012,345", "$0,125"}) {
    EXPECT_FALSE(parse_cell_number(text, '.').has_value()) << text;
  }
  EXPECT_FALSE(parse_cell_number("0.125", ',').has_value());
}

TEST(NumberCells, ThreeDecimalsBelowOneAreNoThousands) {
  // Another column has commas in it.
  const Dataset points = read("x\ty\tlabel\n0.531\t3,7\ta\n0.125\t4,1\tb\n0.250\t3,7\ta\n");
  EXPECT_EQ(column(points, "x").largest, 0.531);
  // The first rows do not tell that the comma is decimal.
  std::vector<std::string> cells = repeated({"1", "2", "3"}, 250);
  cells.back() = "0,125";
  std::string commas = "x;label\n";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    commas += cells[i] + (i % 2 == 0 ? ";a\n" : ";b\n");
  }
  const Dataset data = read(commas);
  EXPECT_EQ(column(data, "x").largest, 3);
  EXPECT_TRUE(test::has_note(data, {"'0,125' is no number", "line 251"}));
}

}  // namespace
}  // namespace dnn
