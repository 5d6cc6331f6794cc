#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "tables/table_text.hpp"

namespace dnn {
namespace {

using test::column;
using test::expect_error;
using test::features;
using test::has_note;
using test::Names;
using test::read;

TEST(TableComments, TheLastOneAboveTheRowsMayNameTheColumns) {
  const Dataset data = read("# a logger\n# x, y, label\n1,2,a\n# pause\n3,4,b\n");
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(data.feature_names, (Names{"x", "y"}));
}

TEST(TableComments, AValueMayBeginWithTheMarkOfComments) {
  const Dataset data = read("colour,x,label\n#ff0000,1,a\n#00ff00,2,b\n#ff0000,3,a\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(column(data, "colour").categories, (Names{"#00ff00", "#ff0000"}));
}

/// Rows of "a,b,label" whose first fields are these.
std::string begun_with(const Names& fields) {
  std::string text = "a,b,label\n";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text += fields[i] + "," + std::to_string(i) + (i % 2 == 0 ? ",u\n" : ",v\n");
  }
  return text;
}

TEST(TableComments, ARowThatIsTakenOutIsAComment) {
  for (const char* taken_out : {"#2.5", "# 2.5", "##-1e3"}) {
    const Dataset data = read(begun_with({"1.5", "2", taken_out, "", "4"}));
    EXPECT_EQ(data.samples, 4U) << taken_out;
    EXPECT_TRUE(column(data, "a").missing_words.empty());
    EXPECT_TRUE(has_note(data, {"line 4", "comment"}));
  }
  const Dataset dates = read(begun_with({"2024-01-01", "#2024-01-02", "2024-02-03"}));
  EXPECT_EQ(dates.samples, 2U);
  EXPECT_EQ(column(dates, "a").kind, ColumnKind::date);
  // Without a header.
  EXPECT_EQ(read("1,2,u\n#3,4,v\n5,6,u\n7,8,v\n").samples, 3U);
}

TEST(TableComments, TextThatBeginsWithTheMarkOfCommentsIsData) {
  const std::vector<Names> columns = {
      {"#ff0000", "#00ff00", "#000000", "#123456"},  // some are numbers behind the mark
      {"tag", "#tag", "other", "#5"},
      {"1", "2", "#tag", "3"},
      {"1", "2", "#N/A", "3"},
      {"#1", "#2", "#3", "#4"},
      {"1", "2", "#3", "#tag"},
  };
  for (const Names& fields : columns) {
    EXPECT_EQ(read(begun_with(fields), {.columns = "category:a"}).samples, 4U) << fields[2];
  }
}

TEST(TableComments, TextThatBeginsWithTheMarkOfCommentsLateIsData) {
  std::string rows;
  for (int i = 0; i < 300; ++i) {
    rows += fmt::format("{},{},{}\n", i % 3 == 0 ? "tag" : "other", i % 7, i % 2 == 0 ? "u" : "v");
  }
  const std::string table = "a,b,label\n" + rows;
  EXPECT_EQ(read(table + "#tag,5,u\n").samples, 301U);
  expect_error<InputError>([&] { (void)read(table + "# the end\n"); },
                           {"line 302 has 1 column,", "a comment, delete it"});
  expect_error<InputError>([&] { (void)read(table + "#,the,end,of,it\n"); },
                           {"line 302 has 5 columns", "a comment, delete it"});
  // A comment among the first lines, or numbers that rows begin with, make it the mark of comments.
  EXPECT_EQ(read("# tags\n" + table + "# the end\n").samples, 300U);
  EXPECT_EQ(read("a,b,label\ntag,1,u\n# pause\n" + rows + "# the end\n").samples, 301U);
  EXPECT_EQ(read(begun_with(Names(300, "1.5")) + "#2,5,u\n", {.columns = "category:a"}).samples,
            300U);
}

}  // namespace
}  // namespace dnn
