#include "dnn/readers/libsvm_reader.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/readers/libsvm_detection.hpp"
#include "support/dataset_row.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::row;

Dataset read(const std::string& text, const ReadOptions& options = {}) {
  return read_libsvm(std::as_bytes(std::span(text)), "t.svm", options);
}

TEST(Libsvm, CountsFromOne) {
  const Dataset data = read("+1 1:0.5 3:2 # comment\n-1 2:4\n\n-1\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(data.features, 3U);
  EXPECT_EQ(data.index_base, 1);
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(row(data, 0), (std::vector<double>{0.5, 0, 2}));
  EXPECT_EQ(row(data, 1), (std::vector<double>{0, 4, 0}));
  EXPECT_EQ(row(data, 2), (std::vector<double>{0, 0, 0}));
}

TEST(Libsvm, CountsFromZeroWhereZeroAppears) {
  const Dataset data = read("a qid:7 2:1 0:3\nb 1:1\n");
  EXPECT_EQ(data.index_base, 0);
  EXPECT_EQ(row(data, 0), (std::vector<double>{3, 0, 1}));
}

TEST(Libsvm, FeaturesAscendInARow) {
  const Dataset data = read("1 5:1 2:7 9:3\n0 4:1\n");
  const auto columns = data.value_columns.as<std::uint32_t>();
  EXPECT_EQ(std::vector(columns.begin(), columns.end()), (std::vector<std::uint32_t>{1, 4, 8, 3}));
  EXPECT_EQ(row(data, 0), (std::vector<double>{0, 7, 0, 0, 1, 0, 0, 0, 3}));
}

TEST(Libsvm, KnownWidthAndBaseAreKept) {
  const Dataset narrow = read("1 1:5\n", {.features = 4, .index_base = 1});
  EXPECT_EQ(row(narrow, 0), (std::vector<double>{5, 0, 0, 0}));
  EXPECT_EQ(row(read("1 1:5\n", {.features = 4, .index_base = 0}), 0),
            (std::vector<double>{0, 5, 0, 0}));
  EXPECT_EQ(read("1 6:5\n", {.features = 4, .index_base = 1}).features, 6U);  // wider: seen later
  expect_error<InputError>([] { read("1 0:5\n", {.features = 4, .index_base = 1}); },
                           {"t.svm", "index 0"});
}

TEST(Libsvm, LinesWithoutLabelsWhereTheWidthIsKnown) {
  const Dataset data = read("1:3 2:4\n2:1\n", {.features = 2, .index_base = 1});
  EXPECT_FALSE(data.has_labels());
  EXPECT_EQ(data.samples, 2U);
  EXPECT_EQ(row(data, 1), (std::vector<double>{0, 1}));
  expect_error<InputError>([] { read("1:3\n7 2:4\n", {.features = 2, .index_base = 1}); },
                           {"line 2", "has a label", "have none"});
  expect_error<InputError>([] { read("7 1:3\n2:4\n", {.features = 2, .index_base = 1}); },
                           {"line 2", "'2:4'", "label"});
}

TEST(Libsvm, SamplesWithoutStoredFeatures) {
  const Dataset data = read("3\n-1 # none\n3 2:5\n3\n");
  EXPECT_EQ(data.samples, 4U);
  EXPECT_EQ(data.features, 2U);
  EXPECT_EQ(row(data, 0), (std::vector<double>{0, 0}));
  EXPECT_EQ(row(data, 2), (std::vector<double>{0, 5}));
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"-1", "3"}));
}

TEST(Libsvm, SeveralTextsAreOneDataSetAndNamedInErrors) {
  const std::string first = "\n1 1:2\n2 2:3";
  const std::string none;
  const std::string second = "\r\r3 3:4\r";
  const std::string bad = "1 1:1\n2 qid:3 x:5\n";
  const auto text = [](const std::string& contents, const char* origin) {
    return TableText{std::as_bytes(std::span(contents)), origin};
  };
  const std::vector<TableText> texts = {text(first, "1.svm"), text(none, "2.svm"),
                                        text(second, "3.svm")};
  const Dataset data = read_libsvm(texts, "all", {});
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(row(data, 2), (std::vector<double>{0, 0, 4}));
  const std::vector<TableText> wrong = {text(first, "1.svm"), text(bad, "2.svm")};
  expect_error<InputError>([&] { (void)read_libsvm(wrong, "all", {}); },
                           {"2.svm: line 2: 'x:5' is not index:value"});
}

TEST(Libsvm, NumbersAreOnEachLine) {
  const auto fails = [](const std::string& text, const char* what) {
    expect_error<InputError>([&] { (void)read(text, {.task = Task::numbers}); }, {"line 2", what});
  };
  fails("1:0.5\n3 1:0.5\n", "and those before it have none");
  fails("3 1:0.5\n1:0.5\n", "but those before it do");
}

TEST(Libsvm, QueriesAreIgnoredWithANote) {
  const Dataset data = read("1 1:2\n2 qid:3\n1 qid:4 1:7 qid:5\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(row(data, 1), (std::vector<double>{0}));
  EXPECT_EQ(row(data, 2), (std::vector<double>{7}));
  EXPECT_EQ(
      data.notes,
      (std::vector<std::string>{"t.svm: line 2 is the first one with qid:N, which is ignored"}));
  EXPECT_TRUE(read("1 1:2\n").notes.empty());
}

TEST(Libsvm, LineEnds) {
  for (const char* text : {"1 1:2\n2 1:3\n", "1 1:2\r\n\r\n2 1:3\r\n", "1 1:2\r# none\r2 1:3"}) {
    const Dataset data = read(text);
    EXPECT_EQ(data.samples, 2U) << text;
    EXPECT_EQ(row(data, 1), (std::vector<double>{3})) << text;
  }
  expect_error<InputError>([] { read("1 1:2\r\r2 x:3\r"); }, {"line 3", "'x:3'"});
}

TEST(Libsvm, LargeNumbersKeepTheirDigits) {
  const Dataset narrow = read("0 1:16777216 2:-33554432 3:0.1\n1 1:1e10\n");
  EXPECT_EQ(narrow.element, ElementType::f32);
  EXPECT_EQ(row(narrow, 0), (std::vector<double>{16777216, -33554432, double{0.1F}}));
  EXPECT_TRUE(narrow.notes.empty());
  for (const char* large : {"1700000021", "-16777217", "1e39"}) {
    const Dataset data = read("0 1:0.1\n1 2:" + std::string(large) + " 1:7\n1 1:3\n");
    EXPECT_EQ(data.element, ElementType::f64) << large;
    EXPECT_EQ(data.samples, 3U);
    EXPECT_EQ(row(data, 0), (std::vector<double>{0.1, 0}));
    EXPECT_EQ(row(data, 1), (std::vector<double>{7, std::stod(large)}));
    EXPECT_EQ(data.class_names.size(), 2U);
    EXPECT_EQ(data.notes,
              (std::vector<std::string>{"t.svm: values are stored as double, since float changes "
                                        "some of 2^24 or more"}));
  }
  const Dataset wide = read("0 1:0.1 2:1700000021\n", {.wide = true});
  EXPECT_EQ(row(wide, 0), (std::vector<double>{0.1, 1700000021}));
  EXPECT_TRUE(wide.notes.empty());
}

TEST(Libsvm, NumbersInAllSpellings) {
  const Dataset data = read("0 1:+5 2:-.5 3:1e-3 4:2.\t5:1e-60 6:007\n");
  EXPECT_EQ(row(data, 0), (std::vector<double>{5, -0.5, double{1e-3F}, 2, 0, 7}));
}

TEST(Libsvm, MultiLabelDataAreNamed) {
  const char* what = "write one label on each line, or learn several with --task labels";
  expect_error<InputError>([] { read("1 1:2\n\n1,3 1:0.5\n2,3 1:1\n"); },
                           {"t.svm: line 3: '1,3' names several labels", what});
  expect_error<InputError>([] { read("1 1:2\n1:3 2:4\n"); },
                           {"t.svm: line 2", "'1:3' and has no label", what});
  expect_error<InputError>([] { read("1:3 2:4\n1 1:2\n"); },
                           {"t.svm: line 2", "has a label", "have none", what});
  expect_error<InputError>([] { read("3 100 20\n1,4 0:2\n"); },
                           {"t.svm: line 1", "counts samples, features and labels", what});
  expect_error<InputError>([] { read("1:3 2:4\n2:1\n"); },
                           {"t.svm", "no line begins with a label"});
}

TEST(Libsvm, SeveralLabelsALineForTheTaskLabels) {
  const Dataset data = read("10,3 1:2\n1:1\n3 1:5\n", {.task = Task::labels});
  EXPECT_EQ(data.task, Task::labels);
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"3", "10"}));
  const auto rows = data.target_rows.as<double>();
  EXPECT_EQ(std::vector<double>(rows.begin(), rows.end()), (std::vector<double>{1, 1, 0, 0, 1, 0}));
}

TEST(Libsvm, ANumberALineForTheTaskNumbers) {
  const Dataset data = read("1.25 1:2\n-3e2 2:1\n", {.task = Task::numbers});
  const auto rows = data.target_rows.as<double>();
  EXPECT_EQ(std::vector<double>(rows.begin(), rows.end()), (std::vector<double>{1.25, -300}));
  EXPECT_EQ(data.classes(), 1U);
  expect_error<InputError>([] { read("1 1:2\nred 1:3\n", {.task = Task::numbers}); },
                           {"t.svm: line 2", "'red'", "--task numbers"});
  expect_error<InputError>([] { read("1 1:2\n1:3\n", {.task = Task::numbers}); },
                           {"t.svm: line 2", "no number"});
}

TEST(Libsvm, ErrorsNameTheLine) {
  expect_error<InputError>([] { read("1 1:2\n1 x:4\n"); }, {"line 2", "'x:4'", "index:value"});
  expect_error<InputError>([] { read("1 1:2\n1 2:red\n"); }, {"line 2", "'2:red'", "number"});
  expect_error<InputError>([] { read("1 1:nan\n"); }, {"line 1", "NaN"});
  expect_error<InputError>([] { read("1 1:2 1:3\n"); }, {"line 1", "index 1", "twice"});
  expect_error<InputError>([] { read("1 3:2 1:3 3:1\n"); }, {"line 1", "index 3", "twice"});
  expect_error<InputError>([] { read("1 1:1e999\n"); }, {"line 1", "too large"});
  expect_error<InputError>([] { read("1 1:2\n1 4294967295:4\n"); }, {"line 2", "index:value"});
  expect_error<InputError>([] { read("1 1:2\n1 3\n"); }, {"line 2", "'3' is not index:value"});
  expect_error<InputError>([] { read("1 1:2,5 2:3\n"); }, {"line 1", "'1:2,5'", "number"});
}

TEST(Libsvm, IsToldFromCsv) {
  const auto looks = [](const std::string& text) {
    return looks_like_libsvm(std::as_bytes(std::span(text)));
  };
  EXPECT_TRUE(looks("# comment\n1 1:2 3:4\n"));
  EXPECT_TRUE(looks("1 qid:1 1:2\n"));
  EXPECT_TRUE(looks("1 qid:1\n"));
  EXPECT_TRUE(looks("3\n\n-1 # none\nspam\n3 1:2\n"));
  EXPECT_TRUE(looks("1:2 3:4\n"));  // without labels
  EXPECT_TRUE(looks("1:2\n"));
  EXPECT_TRUE(looks("1,3 1:0.5\n"));
  EXPECT_TRUE(looks("3 100 20\n1,4 0:2\n"));
  EXPECT_FALSE(looks("1,2,3\n"));
  EXPECT_FALSE(looks("3\n1\n2\n"));
  EXPECT_FALSE(looks("a,1\n3 1:2\n"));
  EXPECT_FALSE(looks("1 2 3\n4 5 6\n"));
  EXPECT_FALSE(looks("2024-01-05 12:30,1,2\n"));
  EXPECT_FALSE(looks("2024-01-05 12:30:15\t1.5\n"));
  EXPECT_FALSE(looks("2024-01-05 12:30\t1.5\n"));
  EXPECT_FALSE(looks("1.5,2,2024-01-05 12:30\n"));
  EXPECT_FALSE(looks("5, 12:30\n"));
  EXPECT_FALSE(looks("a b 12:30\n"));
  EXPECT_FALSE(looks(""));
}

}  // namespace
}  // namespace dnn
