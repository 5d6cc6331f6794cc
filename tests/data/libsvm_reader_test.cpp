#include "dnn/data/libsvm_reader.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "dnn/data/gatherer.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;

Dataset read(const std::string& text, const ReadOptions& options = {}) {
  return read_libsvm(std::as_bytes(std::span(text)), "t.svm", options);
}

std::vector<double> row(const Dataset& data, std::uint64_t sample) {
  std::vector<double> x(data.features);
  Gatherer<double>(data, {}).gather(std::span(&sample, 1), {x.data(), 1, data.features});
  return x;
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

TEST(Libsvm, ErrorsNameTheLine) {
  expect_error<InputError>([] { read("1 1:2\n1:3 2:4\n"); }, {"line 2", "label"});
  expect_error<InputError>([] { read("1 1:2\n1 x:4\n"); }, {"line 2", "'x:4'", "index:value"});
  expect_error<InputError>([] { read("1 1:2\n1 2:red\n"); }, {"line 2", "'2:red'", "number"});
  expect_error<InputError>([] { read("1 1:nan\n"); }, {"line 1", "NaN"});
  expect_error<InputError>([] { read("1 1:2 1:3\n"); }, {"line 1", "index 1", "twice"});
  expect_error<InputError>([] { read("1,2 1:2\n"); }, {"line 1", "several labels"});
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
