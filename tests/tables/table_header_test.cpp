#include "dnn/tables/table_header.hpp"

#include <gtest/gtest.h>

#include <string>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "tables/table_text.hpp"

namespace dnn {
namespace {

using test::column;
using test::expect_error;
using test::has_note;
using test::Names;
using test::read;

// Of a table that is known to have no header, no row may be lost.
TEST(TableHeader, ATrainingTableWithoutOneSaysThatThereIsNone) {
  const Dataset mixed = read("3,1,a\nK,2,b\n4,1,a\nK,2,b\n");
  EXPECT_EQ(mixed.samples, 4U);
  EXPECT_EQ(read("K,1,a\n3,2,b\n4,1,a\n", {.schema = &mixed.schema}).samples, 3U);
  const Dataset answers = read("y,n,a\nn,y,b\ny,y,a\nn,n,b\n");
  EXPECT_EQ(answers.samples, 4U);
  EXPECT_EQ(read("y,n,a\nn,y,b\nn,n,a\n", {.schema = &answers.schema}).samples, 3U);
  const Dataset numbers = read("1,2,a\n3,4,b\n5,6,a\n");
  EXPECT_EQ(read("u,v,kind\n1,2,a\n", {.schema = &numbers.schema}).samples, 1U);
}

TEST(TableHeader, OneWithNumbersAboveNumbersIsTold) {
  const std::string text = "K,1,a\n3,2,b\n4,1,a\n";
  const Names told = {"t.csv: line 1 is taken for the header", "column 2", "--csv-header no"};
  EXPECT_TRUE(has_note(read(text), told));
  EXPECT_FALSE(has_note(read(text, {.header = HeaderMode::yes}), told));
  EXPECT_FALSE(has_note(read("x,y,label\n3,2,b\n4,1,a\n"), {"taken for the header"}));
}

// cat 1.csv 2.csv > all.csv
TEST(TableHeader, OneThatComesAgainIsRefused) {
  const std::string header = "x,colour,label";
  const std::string mark = "\xef\xbb\xbf";
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const std::string half = header + end + "1,red,a" + end + "3,blue,b" + end;
    for (const std::string& rest : {half, mark + half, header, header + end}) {
      const std::string text = half + rest;
      expect_error<InputError>([&] { (void)read(text); },
                               {"t.csv: line 4 repeats the header", "remove it"});
    }
  }
  const Dataset train = read(header + "\n1,red,a\n3,blue,b\n");
  const std::string table = header + "\n5,red,a\n" + header + "\n7,red,b\n";
  expect_error<InputError>([&] { (void)read(table, {.schema = &train.schema}); },
                           {"line 3 repeats the header"});
  const std::string categories = "u,v,kind\nx,o,p\nx,b,p\no,o,n\nb,x,n\n";
  expect_error<InputError>([&] { (void)read(categories + categories); },
                           {"line 6 repeats the header"});
}

TEST(TableHeader, ValuesMayBeWhatTheirColumnIsCalled) {
  const Dataset data = read("colour,size,kind\ncolour,1,a\nred,2,kind\ncolour,3,kind\nred,4,a\n");
  EXPECT_EQ(data.samples, 4U);
  EXPECT_EQ(column(data, "colour").categories, (Names{"colour", "red"}));
  // Two cells are longer than the header's.
  EXPECT_EQ(read("c,kind\nc,kinder\nd,b\nc,kinder\nd,b\n", {.header = HeaderMode::yes}).samples,
            4U);
}

}  // namespace
}  // namespace dnn
