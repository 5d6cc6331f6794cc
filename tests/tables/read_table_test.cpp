#include "dnn/tables/read_table.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/table_schema_json.hpp"
#include "support/expect_error.hpp"
#include "tables/table_text.hpp"

namespace dnn {
namespace {

using test::column;
using test::expect_error;
using test::features;
using test::has_note;
using test::labels;
using test::Names;
using test::read;

TEST(ReadTable, HeaderlessNumbersWithTheLabelLast) {
  const Dataset data = read("1,2,7\n3,4,5\n5,6,7\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(data.class_names, (Names{"5", "7"}));
  EXPECT_EQ(labels(data), (std::vector<std::int32_t>{1, 0, 1}));
}

TEST(ReadTable, HeaderIsFoundAndAUsualLabelColumnWithIt) {
  const Dataset data = read("Class,width,height\r\nb,1.5,-2e3\r\na,+3, 4 \r\n");
  EXPECT_EQ(data.feature_names, (Names{"width", "height"}));
  EXPECT_EQ(features(data), (std::vector<double>{1.5, -2000, 3, 4}));
  EXPECT_EQ(data.class_names, (Names{"a", "b"}));
  EXPECT_EQ(labels(data), (std::vector<std::int32_t>{1, 0}));
}

TEST(ReadTable, HeaderWhoseColumnsHaveNumbersForNames) {
  const Dataset data = read("0,1,label\n5,6,a\n7,8,b\n");
  EXPECT_EQ(data.feature_names, (Names{"0", "1"}));
  EXPECT_EQ(data.class_names, (Names{"a", "b"}));
  // The same word as a class that occurs again names nothing.
  EXPECT_EQ(read("0,1,target\n5,6,decoy\n7,8,target\n").samples, 3U);
  expect_error<InputError>([] { read("0,1,Label\n"); }, {"t.csv", "no rows below the header"});
}

TEST(ReadTable, QuotedFieldsHoldDelimitersQuotesAndLineEnds) {
  const Dataset data = read("x,\"kind, really\"\n\"1\",\"a \"\"b\"\", c\"\n2,\"two\nlines\"\n",
                            {.label_column = "kind, really"});
  EXPECT_EQ(data.class_names, (Names{"a \"b\", c", "two\nlines"}));
  EXPECT_EQ(features(data), (std::vector<double>{1, 2}));
}

TEST(ReadTable, OtherDelimitersAndBlankLines) {
  EXPECT_EQ(features(read("1;2;a\n\n3;4;b\n")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(features(read("1\t2\ta\n3\t4\tb")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(features(read("\r\n\n1;2;a\r\n  \r\n3;4;b\r\n \n")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(read("\"a;\nb\";\"c,d,e\"\n1;2\n3;4\n").feature_names, (Names{"a;\nb"}));
}

TEST(ReadTable, BlanksBeforeAQuoteAreNoneOfTheField) {
  const Dataset data = read("1, 2, \"a, b\"\n3, 4,  \"c\"\n");
  EXPECT_EQ(data.class_names, (Names{"a, b", "c"}));
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4}));
}

TEST(ReadTable, LabelColumnByNumberFromEitherEnd) {
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "1"}).class_names, (Names{"1", "4"}));
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "-2"}).class_names, (Names{"2", "5"}));
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "first"}).class_names, (Names{"1", "4"}));
  expect_error<InputError>([] { read("1,2,3\n4,5,6\n", {.label_column = "4"}); },
                           {"t.csv", "--label-column 4", "3 columns"});
  expect_error<InputError>([] { read("a,b\n4,5\n", {.label_column = "kind"}); },
                           {"--label-column kind", "a, b"});
}

TEST(ReadTable, NumericLabelsAreInNumericOrderAndSpellingsOfAnIntegerAreOne) {
  EXPECT_EQ(read("1,10\n2,9.0\n3,9\n4,-1\n").class_names, (Names{"-1", "9", "10"}));
}

TEST(ReadTable, TheLabelsColumnCountsClassesNotSpellings) {
  EXPECT_EQ(column(read("x,label\n1,1\n2,1.0\n3,01\n4,2\n5,2.00\n"), "label").distinct, 2U);
}

TEST(ReadTable, UnclosedQuote) {
  expect_error<InputError>([] { read("1,a\n2,\"b\n3,c\n"); }, {"line 2, column 2", "never closed"});
}

TEST(ReadTable, RealNumbersAreNoClasses) {
  expect_error<InputError>([] { read("1,0.5\n2,0.75\n"); },
                           {"'column 2'", "not whole", "--task numbers"});
}

TEST(ReadTable, NumbersAsPeopleWriteThem) {
  EXPECT_EQ(features(read("x;y;label\n1,5;2,5;a\n-3,5;1.234,5;b\n")),
            (std::vector<double>{1.5, 2.5, -3.5, 1234.5}));
  EXPECT_EQ(features(read("share,income,label\n12.5%,\"1,234,567\",a\n50%,\"$2,000\",b\n")),
            (std::vector<double>{0.125, 1234567, 0.5, 2000}));
  EXPECT_EQ(features(read("x,label\n1.5D+03,a\n2d0,b\n")), (std::vector<double>{1500, 2}));
  EXPECT_EQ(features(read("x,label\n\xe2\x88\x92"
                          "1.5,a\n\xe2\x88\x92 2,b\n3,a\n")),
            (std::vector<double>{-1.5, -2, 3}));
}

TEST(ReadTable, DelimitersAndLineEndsOfAllKinds) {
  const std::vector<double> expected = {1, 2, 3, 4};
  EXPECT_EQ(features(read("1|2|a\n3|4|b\n")), expected);
  EXPECT_EQ(features(read("  1   2\ta\n 3 4   b\n")), expected);
  EXPECT_EQ(features(read("1,2,a\r3,4,b\r")), expected);
  EXPECT_EQ(features(read("1,2,a\r\n3,4,b")), expected);
}

TEST(ReadTable, TabsCutTextThatHasBlanksAndCommas) {
  const Dataset data = read(
      "age\tincome\tdiagnosis\n20\t1.5\tanemia, mild\n30\t2\thealthy, normal\n40\t3\tanemia, "
      "mild\n");
  EXPECT_EQ(features(data), (std::vector<double>{20, 1.5, 30, 2, 40, 3}));
  EXPECT_EQ(data.class_names, (Names{"anemia, mild", "healthy, normal"}));
}

TEST(ReadTable, AFirstLineOfExcelsNamesTheDelimiter) {
  const Dataset data = read("sep=;\r\nlabel;u;v\r\n1;0,5;1\r\n2;1,5;0\r\n1;2,5;1\r\n");
  EXPECT_EQ(data.feature_names, (Names{"u", "v"}));
  EXPECT_EQ(features(data), (std::vector<double>{0.5, 1, 1.5, 0, 2.5, 1}));
  EXPECT_EQ(features(read("SEP=,\nx,label\n1,a\n2,b\n")), (std::vector<double>{1, 2}));
  expect_error<InputError>([] { read("sep=;\nx;label\n1;a\n2;b;c\n"); }, {"line 4"});
  expect_error<InputError>([] { read("sep=;\n"); }, {"no lines"});
}

TEST(ReadTable, WholeNumbersThatNumbersDoNotTellApartAreTold) {
  const Dataset data = read("account,u,label\n90071992547409921,1,a\n90071992547409922,2,b\n");
  EXPECT_EQ(column(data, "account").kind, ColumnKind::constant);
  EXPECT_NE(column(data, "account").remark.find("category:NAME"), std::string::npos);
  EXPECT_EQ(read("account,u,label\n90071992547409921,1,a\n90071992547409922,2,b\n",
                 {.columns = "category:account"})
                .features,
            3U);
  expect_error<InputError>([] { read("u,label\n1,90071992547409931\n2,90071992547409932\n"); },
                           {"2^53", "put a letter before them"});
}

TEST(ReadTable, ADelimiterAtTheEndOfEveryLine) {
  const Dataset named = read("x,y,label,\n1,2,a,\n3,4,b,\n");
  EXPECT_EQ(features(named), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(column(named, "column 4").kind, ColumnKind::ignored);
  // The header may do without it.
  EXPECT_EQ(features(read("x,y,label\n1,2,a,\n3,4,b,\n")), features(named));
}

TEST(ReadTable, LinesAboveTheTableArePassedOverAndTold) {
  const Dataset titled = read("Measurements of May\n\nx,y,label\n1,2,a\n3,4,b\n5,6,a\n");
  EXPECT_EQ(features(titled), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(has_note(titled, {"1 line above the table"}));
  const Dataset units = read("x,y,label\n[m],[kg],[-]\n1,2,a\n3,4,b\n5,6,a\n");
  EXPECT_EQ(units.samples, 3U);
  EXPECT_TRUE(has_note(units, {"line 2", "units"}));
}

TEST(ReadTable, RowNamesHaveNoNameInTheHeader) {
  const Dataset data = read("x,y,label\nr1,1,2,a\nr2,3,4,b\n", {.columns = "ignore:row name"});
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4}));
}

TEST(ReadTable, DuplicateNamesBecomeDistinct) {
  const Dataset data = read("x,x,label\n1,2,a\n3,4,b\n");
  EXPECT_EQ(data.feature_names, (Names{"x", "x.1"}));
  EXPECT_TRUE(has_note(data, {"several columns are named 'x'", "column 2"}));
}

// A text that is cut anywhere, read by several threads, is what it is in one piece.
TEST(ReadTable, ChunksGiveTheTableOfOnePiece) {
  const std::vector<std::string> texts = {
      // Quoted fields with line ends, doubled quotes, CRLF, blank and comment lines, missing
      // values.
      "# made by hand\r\nx,c,when,label\r\n1,\"a\nb\",2024-01-02,u\r\n\r\n2,\"say \"\"no\"\"\","
      "2024-03-04,v\r\n# 5,6\r\nNA,\"\n\n,1,2,\n\",,u\r\n4,?,2024-05-06,v\r\n5,a,2024-05-06,u\r\n",
      // CR alone; a stray quote inside a field; a delimiter at the line's end.
      "x;c;label;\r1;5\" pipe;u;\r2;6\" pipe;v;\r3;;u;\r\r4;z;v;\r",
      // An incomplete last line; a number becomes text late.
      "x,y,label\n1,1,u\n2,2,v\n3,3,u\n4,four,v\n5,5,u\n6,6,v\n7",
  };
  for (const std::string& text : texts) {
    const Dataset whole = read(text);
    for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
      for (const int threads_wanted : {1, 3}) {
        set_threads(threads_wanted);
        const Dataset cut = read(text, {.chunk_bytes = chunk});
        set_threads(1);
        ASSERT_EQ(to_json(cut.schema), to_json(whole.schema)) << text << '\n' << chunk;
        ASSERT_EQ(cut.notes, whole.notes) << text << '\n' << chunk;
        ASSERT_EQ(cut.class_names, whole.class_names);
        ASSERT_TRUE(std::ranges::equal(cut.label_view(), whole.label_view())) << chunk;
        ASSERT_EQ(cut.element, whole.element);
        ASSERT_TRUE(std::ranges::equal(cut.values.view, whole.values.view)) << text << chunk;
      }
    }
  }
}

TEST(ReadTable, ChunksNameTheLineOfTheWholeTable) {
  const std::string text = "x,label\n1,a\n\"2\",b\n\"\n3\",a\n4,b\n5,a,7\n6,b\n1e999,a\n";
  const std::string unlabelled = "x,label\n1,a\n\"2\",b\n\"\n3\",a\n4,b\n5,\n6,b\n";
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
    for (const int threads_wanted : {1, 2}) {
      set_threads(threads_wanted);
      expect_error<InputError>([&] { (void)read(text, {.chunk_bytes = chunk}); },
                               {"line 7 has 3 columns, the table has 2"});
      expect_error<InputError>([&] { (void)read(unlabelled, {.chunk_bytes = chunk}); },
                               {"line 7: the label is missing"});
      set_threads(1);
    }
  }
}

// Digits are read eight at a time; what follows them may be anything, or nothing.
TEST(ReadTable, NumbersOfAnyLengthAreTheNearest) {
  const std::string digits = "7305918264830517394620";
  std::string text = "x,label\n";
  std::vector<double> expected;
  for (std::size_t length = 1; length <= digits.size(); ++length) {
    for (std::size_t point = 0; point <= length; ++point) {
      for (const char* end : {"", "e3", "E-12", " "}) {
        const std::string number = std::string(point % 2 == 0 ? "-" : "") +
                                   digits.substr(0, point) + "." +
                                   digits.substr(point, length - point) + end;
        expected.push_back(std::strtod(number.c_str(), nullptr));
        text += number + (expected.size() % 2 == 0 ? ",a\n" : ",b\n");
      }
    }
  }
  EXPECT_EQ(features(read(text, {.wide = true})), expected);
  for (const char* no_number : {"1234567:", "12345678/", "1.2345678;", "1\xc2\xb2"}) {
    std::string column = "x,label\n";
    for (int i = 0; i < 20; ++i) {
      column += std::string(no_number) + std::to_string(i % 4) + (i % 2 == 0 ? ",a\n" : ",b\n");
    }
    EXPECT_EQ(read(column).schema.columns[0].kind, ColumnKind::category) << no_number;
  }
}

TEST(ReadTable, AGuessedLabelThatIsNoneNamesItsColumnAndOthers) {
  expect_error<InputError>(
      [] {
        read("colour,size,inc\nred,1,10.5\nblue,2,11.25\nred,3,12.5\n",
             {.columns = "category:colour"});
      },
      {"column 'inc'", "last column", "not whole", "--label-column", "'colour' (2 values)"});
  std::string prices = "kind,price\n";
  for (int i = 0; i < 60; ++i) {
    prices += (i % 2 == 0 ? "a," : "b,") + std::to_string(1000 + i * 37) + "\n";
  }
  expect_error<InputError>([&] { read(prices, {.columns = "category:kind"}); },
                           {"'price'", "60 different numbers in 60 rows", "'kind' (2 values)"});
  EXPECT_EQ(read(prices, {.task = Task::classes, .label_column = "price"}).classes(), 60U);
  expect_error<InputError>(
      [] { read("u,v,w\n1,2,a\n2,3,\n3,4,b\n"); },
      {"column 'w'", "only column of text", "no value in 1 of 3 rows", "line 3"});
}

TEST(ReadTable, TheOnlyColumnOfTextIsTheLabel) {
  const Dataset data = read("no,0.3,0.1\nyes,0.1,0.5\nno,0.9,0.2\n");
  EXPECT_EQ(data.class_names, (Names{"no", "yes"}));
  EXPECT_TRUE(has_note(data, {"the label is 'column 1'", "only column of text"}));
  EXPECT_EQ(read("a,b,c\nu,v,1\nu,w,2\n").class_names, (Names{"1", "2"}));
  EXPECT_EQ(read("a,b\n1,2\n3,4\n", {.columns = "label:a"}).class_names, (Names{"1", "3"}));
}

TEST(ReadTable, HeaderByOption) {
  EXPECT_EQ(read("1,2\n3,4\n5,6\n", {.header = HeaderMode::yes}).samples, 2U);
  EXPECT_EQ(read("a,b\n3,4\n", {.header = HeaderMode::no}).samples, 2U);
}

// Tables of categories alone often come without a header; then no row may be lost.
TEST(ReadTable, TextAloneIsARowWhereItsValuesComeAgain) {
  const std::string rows = "x,o,b,positive\nx,b,o,positive\no,o,x,negative\nb,x,o,negative\n";
  const Dataset data = read(rows);
  EXPECT_EQ(data.samples, 4U);
  EXPECT_TRUE(has_note(data, {"t.csv: the first line counts as a row", "'x' is a value of column 1",
                              "--csv-header yes"}));
  EXPECT_EQ(read(rows, {.header = HeaderMode::yes}).samples, 3U);
  EXPECT_EQ(read("a,b,c,kind\n" + rows).samples, 4U);
  EXPECT_EQ(read("first,second,third,fourth\n" + rows).samples, 4U);
  // Of a choice, the header is the only value.
  EXPECT_EQ(read("Python,sex\nPython,f\n,m\nPython,m\n").samples, 3U);
  // Joined files repeat their header.
  expect_error<InputError>(
      [&] { read("first,second,third,fourth\n" + rows + "first,second,third,fourth\n"); },
      {"line 6 repeats the header"});
}

TEST(ReadTable, TextAloneIsARowWhereOtherPartsOrTheTrainingTableHaveNoHeader) {
  const std::string rows = "x,o,positive\nx,b,positive\no,o,negative\nb,x,negative\n";
  const Dataset train = read(rows);
  const std::string one = "b,o,negative\n";
  EXPECT_EQ(read(one, {.schema = &train.schema}).samples, 1U);
  const auto part = [](const std::string& text, const std::string& origin) {
    return TableText{std::as_bytes(std::span(text)), origin};
  };
  const std::vector<TableText> parts = {part(rows, "1.csv"), part(one, "2.csv")};
  EXPECT_EQ(read_table_parts(parts, "parts", {}).samples, 5U);
  const std::string header = "a,b,kind\n";
  const std::string first = header + rows;
  const std::string second = header + one;
  EXPECT_EQ(read_table_parts({{part(first, "1.csv"), part(one, "2.csv")}}, "parts", {}).samples,
            5U);
  EXPECT_EQ(read_table_parts({{part(first, "1.csv"), part(second, "2.csv")}}, "parts", {}).samples,
            5U);
  // A header that differs is still one, and is refused.
  const std::string other = "A,B,Kind\n" + one;
  expect_error<InputError>(
      [&] {
        (void)read_table_parts({{part(first, "1.csv"), part(other, "2.csv")}}, "parts", {});
      },
      {"2.csv: column 1 is named 'A', but 'a' in 1.csv"});
  const std::string alike = "q,q,kind\n";
  const std::string alike_first = alike + rows;
  const std::string alike_second = alike + one;
  EXPECT_EQ(
      read_table_parts({{part(alike_first, "1.csv"), part(alike_second, "2.csv")}}, "parts", {})
          .samples,
      5U);
}

TEST(ReadTable, NumbersThatMayBeClassesAskForTheTask) {
  std::string years = "x,year\n";
  for (int i = 0; i < 60; ++i) {
    years += std::to_string(i * i) + ',' + std::to_string(1950 + i) + '\n';
  }
  const ReadOptions named{.label_column = "year"};
  expect_error<InputError>(
      [&] { read(years, named); },
      {"'year'", "60 different numbers in 60 rows", "--task numbers", "--task classes"});
  EXPECT_EQ(read(years, {.task = Task::classes, .label_column = "year"}).classes(), 60U);
  EXPECT_EQ(read(years, {.task = Task::numbers, .label_column = "year"}).classes(), 1U);
  expect_error<InputError>([] { read("x,size\n1,0.5\n2,0.75\n", {.label_column = "size"}); },
                           {"'size'", "not whole", "--task numbers"});
}

TEST(ReadTable, ARowOfMissingValuesIsNoLineOfUnits) {
  EXPECT_EQ(read("x,y,label\n,NA,a\n5,0,b\n5,1,a\n3,1,b\n").samples, 4U);
}

TEST(ReadTable, RaggedRowNamesItsLineUnlessTheFileWasCutOff) {
  expect_error<InputError>([] { read("1,2,3\n4,5,6\n7,8\n"); },
                           {"t.csv", "line 3", "2 columns", "3"});
  expect_error<InputError>([] { read("1,2,3\n4\n7,8,9\n"); },
                           {"t.csv: line 2 has 1 column, the table has 3"});
  expect_error<InputError>([] { read("1,2,3\n4,5,6,7\n"); }, {"line 2", "4 columns", "3"});
  const Dataset cut = read("1,2,3\n4,5,6\n7,8");
  EXPECT_EQ(cut.samples, 2U);
  EXPECT_TRUE(has_note(cut, {"last line is incomplete"}));
}

TEST(ReadTable, InfiniteNumbersNameLineAndColumn) {
  for (const char* bad : {"inf", "-Infinity", "1e999"}) {
    expect_error<InputError>([&] { read(std::string("x,label\n1,a\n") + bad + ",b\n"); },
                             {"line 3", "'x'", bad, "finite", "--missing"});
  }
}

TEST(ReadTable, LineNumbersCountLinesInQuotes) {
  expect_error<InputError>([] { read("1,\"a\nb\"\ninf,c\n3,d\n"); }, {"line 3", "'column 1'"});
}

}  // namespace
}  // namespace dnn
