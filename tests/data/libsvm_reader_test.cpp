#include "dnn/data/libsvm_reader.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/dataset_row.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::row;

Dataset read_text(const std::string& text, const ReadOptions& options = {}) {
  return read_libsvm(std::as_bytes(std::span(text)), "t.svm", options);
}

TEST(Libsvm, CountsFromOne) {
  const Dataset data = read_text("+1 1:0.5 3:2 # comment\n-1 2:4\n\n-1\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(data.features, 3U);
  EXPECT_EQ(data.index_base, 1);
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(row(data, 0), (std::vector<double>{0.5, 0, 2}));
  EXPECT_EQ(row(data, 1), (std::vector<double>{0, 4, 0}));
  EXPECT_EQ(row(data, 2), (std::vector<double>{0, 0, 0}));
}

TEST(Libsvm, CountsFromZeroWhereZeroAppears) {
  const Dataset data = read_text("a qid:7 2:1 0:3\nb 1:1\n");
  EXPECT_EQ(data.index_base, 0);
  EXPECT_EQ(row(data, 0), (std::vector<double>{3, 0, 1}));
}

TEST(Libsvm, KnownWidthAndBaseAreKept) {
  const Dataset narrow = read_text("1 1:5\n", {.features = 4, .index_base = 1});
  EXPECT_EQ(row(narrow, 0), (std::vector<double>{5, 0, 0, 0}));
  EXPECT_EQ(row(read_text("1 1:5\n", {.features = 4, .index_base = 0}), 0),
            (std::vector<double>{0, 5, 0, 0}));
  EXPECT_EQ(read_text("1 6:5\n", {.features = 4, .index_base = 1}).features,
            6U);  // wider: seen later
  expect_error<InputError>([] { read_text("1 0:5\n", {.features = 4, .index_base = 1}); },
                           {"t.svm", "index 0"});
}

TEST(Libsvm, LinesWithoutLabelsWhereTheWidthIsKnown) {
  const Dataset data = read_text("1:3 2:4\n2:1\n", {.features = 2, .index_base = 1});
  EXPECT_FALSE(data.has_labels());
  EXPECT_EQ(data.samples, 2U);
  EXPECT_EQ(row(data, 1), (std::vector<double>{0, 1}));
  expect_error<InputError>([] { read_text("1:3\n7 2:4\n", {.features = 2, .index_base = 1}); },
                           {"line 2", "has a label", "have none"});
  expect_error<InputError>([] { read_text("7 1:3\n2:4\n", {.features = 2, .index_base = 1}); },
                           {"line 2", "'2:4'", "label"});
}

TEST(Libsvm, ErrorsNameTheLine) {
  expect_error<InputError>([] { read_text("1 1:2\n1:3 2:4\n"); }, {"line 2", "label"});
  expect_error<InputError>([] { read_text("1 1:2\n1 x:4\n"); }, {"line 2", "'x:4'", "index:value"});
  expect_error<InputError>([] { read_text("1 1:2\n1 2:red\n"); }, {"line 2", "'2:red'", "number"});
  expect_error<InputError>([] { read_text("1 1:nan\n"); }, {"line 1", "NaN"});
  expect_error<InputError>([] { read_text("1 1:2 1:3\n"); }, {"line 1", "index 1", "twice"});
  expect_error<InputError>([] { read_text("1,2 1:2\n"); }, {"line 1", "several labels"});
}

TEST(Libsvm, IsToldFromCsv) {
  const auto looks = [](const std::string& text) {
    return looks_like_libsvm(std::as_bytes(std::span(text)));
  };
  EXPECT_TRUE(looks("# comment\n1 1:2 3:4\n"));
  EXPECT_TRUE(looks("1 qid:1 1:2\n"));
  EXPECT_FALSE(looks("1,2,3\n"));
  EXPECT_FALSE(looks("a b 12:30\n"));
  EXPECT_FALSE(looks(""));
}

}  // namespace
}  // namespace dnn
