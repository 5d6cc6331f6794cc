#include "dnn/data/csv_reader.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "dnn/data/gatherer.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;
using Names = std::vector<std::string>;

Dataset read(const std::string& text, const ReadOptions& options = {}) {
  return read_csv(std::as_bytes(std::span(text)), "t.csv", options);
}

std::vector<double> features(const Dataset& data) {
  std::vector<double> x(data.samples * data.features);
  std::vector<std::uint64_t> samples(data.samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = i;
  }
  Gatherer<double>(data, {}).gather(samples, {x.data(), data.samples, data.features});
  return x;
}

std::vector<std::int32_t> labels(const Dataset& data) {
  return {data.label_view().begin(), data.label_view().end()};
}

TEST(Csv, HeaderlessNumbersWithTheLabelLast) {
  const Dataset data = read("1,2,7\n3,4,5\n5,6,7\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(data.class_names, (Names{"5", "7"}));
  EXPECT_EQ(labels(data), (std::vector<std::int32_t>{1, 0, 1}));
}

TEST(Csv, HeaderIsFoundAndAUsualLabelColumnWithIt) {
  const Dataset data = read("Class,width,height\r\nb,1.5,-2e3\r\na,+3, 4 \r\n");
  EXPECT_EQ(data.feature_names, (Names{"width", "height"}));
  EXPECT_EQ(features(data), (std::vector<double>{1.5, -2000, 3, 4}));
  EXPECT_EQ(data.class_names, (Names{"a", "b"}));
  EXPECT_EQ(labels(data), (std::vector<std::int32_t>{1, 0}));
}

TEST(Csv, HeaderWhoseColumnsHaveNumbersForNames) {
  const Dataset data = read("0,1,label\n5,6,a\n7,8,b\n");
  EXPECT_EQ(data.feature_names, (Names{"0", "1"}));
  EXPECT_EQ(data.class_names, (Names{"a", "b"}));
  // The same word as a class that occurs again names nothing.
  EXPECT_EQ(read("0,1,target\n5,6,decoy\n7,8,target\n").samples, 3U);
  EXPECT_EQ(read("0,1,Label\n").samples, 1U - 1U);
}

TEST(Csv, QuotedFieldsHoldDelimitersQuotesAndLineEnds) {
  const Dataset data = read("x,\"kind, really\"\n\"1\",\"a \"\"b\"\", c\"\n2,\"two\nlines\"\n",
                            {.label_column = "kind, really"});
  EXPECT_EQ(data.class_names, (Names{"a \"b\", c", "two\nlines"}));
  EXPECT_EQ(features(data), (std::vector<double>{1, 2}));
}

TEST(Csv, OtherDelimitersBlankLinesAndAByteOrderMark) {
  EXPECT_EQ(features(read("\xef\xbb\xbf"
                          "1;2;a\n\n3;4;b\n")),
            (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(features(read("1\t2\ta\n3\t4\tb")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(features(read("\r\n\n1;2;a\r\n  \r\n3;4;b\r\n \n")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(read("\"a;\nb\";\"c,d,e\"\n1;2\n").feature_names, (Names{"a;\nb"}));
}

TEST(Csv, BlanksBeforeAQuoteAreNoneOfTheField) {
  const Dataset data = read("1, 2, \"a, b\"\n3, 4,  \"c\"\n");
  EXPECT_EQ(data.class_names, (Names{"a, b", "c"}));
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4}));
}

TEST(Csv, DecimalCommasAreNamed) {
  expect_error<InputError>([] { read("x;y;label\n1,5;2,5;a\n"); },
                           {"line 2, column 1", "'1,5'", "decimal comma"});
  expect_error<InputError>([] { read("1,5;2,5;a\n3,5;2,5;b\n"); },
                           {"line 2, column 1", "decimal comma"});
}

TEST(Csv, OneColumnAndLinesThatEndInACarriageReturnAlone) {
  expect_error<InputError>([] { read("1 2 a\n3 4 b\n"); },
                           {"zero features", "one column", "semicolons"});
  expect_error<InputError>([] { read("1,2,a\r3,4,b\r"); }, {"t.csv", "carriage return"});
  EXPECT_EQ(read("1,2,a\r").samples, 1U);
}

TEST(Csv, ADelimiterAtTheEndOfEveryLine) {
  expect_error<InputError>([] { read("1,2,0,\n3,4,1,\n"); },
                           {"line 1, column 4", "label is empty", "end with a delimiter?"});
  expect_error<InputError>([] { read("x,y,label,\n3,4,b,\n"); },
                           {"line 2, column 4", "cell is empty", "end with a delimiter?"});
}

TEST(Csv, LabelColumnByNumberFromEitherEnd) {
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "1"}).class_names, (Names{"1", "4"}));
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "-2"}).class_names, (Names{"2", "5"}));
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "first"}).class_names, (Names{"1", "4"}));
  expect_error<InputError>([] { read("1,2,3\n4,5,6\n", {.label_column = "4"}); },
                           {"t.csv", "--label-column 4", "3 columns"});
  expect_error<InputError>([] { read("a,b\n4,5\n", {.label_column = "kind"}); },
                           {"--label-column kind", "a, b"});
}

TEST(Csv, NumericLabelsAreInNumericOrderAndSpellingsOfAnIntegerAreOne) {
  EXPECT_EQ(read("1,10\n2,9.0\n3,9\n4,-1\n").class_names, (Names{"-1", "9", "10"}));
}

TEST(Csv, KnownWidthTellsWhetherThereAreLabels) {
  EXPECT_FALSE(read("1,2\n3,4\n", {.features = 2}).has_labels());
  EXPECT_TRUE(read("1,2,a\n3,4,b\n", {.features = 2}).has_labels());
}

TEST(Csv, DoublesAreKeptWhereWanted) {
  const Dataset data = read("0.1,a\n0.2,b\n", {.wide = true});
  EXPECT_EQ(data.element, ElementType::f64);
  EXPECT_EQ(features(data), (std::vector<double>{0.1, 0.2}));
}

TEST(Csv, ForcedHeader) {
  EXPECT_EQ(read("1,2\n3,4\n", {.header = HeaderMode::yes}).samples, 1U);
  expect_error<InputError>([] { read("a,b\n3,4\n", {.header = HeaderMode::no}); },
                           {"line 1, column 1", "'a'"});
}

TEST(Csv, RaggedRowNamesItsLine) {
  expect_error<InputError>([] { read("1,2,3\n4,5,6\n7,8\n"); },
                           {"t.csv", "line 3", "2 columns", "3"});
}

TEST(Csv, NonNumericCellNamesLineAndColumn) {
  expect_error<InputError>([] { read("a,b,label\n1,2,x\n3,red,y\n"); },
                           {"t.csv", "line 3, column 2", "'red'"});
  expect_error<InputError>([] { read("1,2,x\n3,,y\n"); }, {"line 2, column 2", "empty"});
}

TEST(Csv, NotFiniteFeatureNamesLineAndColumn) {
  for (const char* bad : {"nan", "inf", "-Infinity", "1e99"}) {
    expect_error<InputError>([&] { read(std::string("1,2,x\n3,") + bad + ",y\n"); },
                             {"line 2, column 2", bad, "finite"});
  }
}

TEST(Csv, LineNumbersCountLinesInQuotes) {
  expect_error<InputError>([] { read("1,\"a\nb\"\nx,c\n3,d\n"); }, {"line 3, column 1"});
}

TEST(Csv, UnclosedQuote) {
  expect_error<InputError>([] { read("1,a\n2,\"b\n3,c\n"); }, {"line 2, column 2", "never closed"});
}

TEST(Csv, RealNumbersAreNoClasses) {
  expect_error<InputError>([] { read("1,0.5\n2,0.75\n"); }, {"'0.5'", "regression"});
}

TEST(Csv, EmptyLabel) {
  expect_error<InputError>([] { read("1,a\n2,\n"); }, {"line 2, column 2", "label is empty"});
}

}  // namespace
}  // namespace dnn
