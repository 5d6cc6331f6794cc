#include "dnn/data/sparse_batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "dnn/data/batch_loader.hpp"
#include "support/small_dataset.hpp"

namespace dnn {
namespace {

Dataset libsvm(const std::string& text) {
  return test::small_sparse_dataset(text);
}

/// Rows as a dense matrix.
template <class T>
std::vector<T> by_rows(const SparseRows<T>& rows) {
  std::vector<T> dense(rows.rows() * rows.cols);
  for (std::size_t s = 0; s < rows.rows(); ++s) {
    for (std::size_t i = rows.offsets[s]; i < rows.offsets[s + 1]; ++i) {
      dense[s * rows.cols + rows.columns[i]] = rows.values[i];
    }
  }
  return dense;
}

const Normalizer halves{std::vector<double>(70, 0), std::vector<double>(70, 0.5)};

TEST(SparseBatch, HasTheNumbersOfTheDenseGatherer) {
  const Dataset data = libsvm("1 1:4 3:-2 70:1\n0 2:1\n1 5:2\n0 3:8 65:6\n");
  const Gatherer<float> gatherer(data, halves);
  const std::vector<std::uint64_t> samples = {3, 0, 3};
  std::vector<float> dense(3 * std::size_t{70});
  gatherer.gather(samples, {dense.data(), 3, 70});
  SparseBatch<float> batch;
  for (int again = 0; again < 2; ++again) {
    batch.gather(gatherer, samples, {0, 70});
    EXPECT_EQ(by_rows(batch.rows()), dense);
    EXPECT_EQ(batch.rows().values.size(), 7U);
  }
  for (const Range features : {Range{0, 3}, {2, 65}, {64, 70}, {10, 10}, {70, 70}}) {
    std::vector<float> some = dense;
    for (std::size_t i = 0; i < some.size(); ++i) {
      some[i] = i % 70 >= features.begin && i % 70 < features.end ? some[i] : 0;
    }
    batch.gather(gatherer, samples, features);
    EXPECT_EQ(by_rows(batch.rows()), some) << features.begin;
  }
  batch.gather(gatherer, {}, {0, 70});
  EXPECT_EQ(batch.rows().rows(), 0U);
}

TEST(SparseBatch, TakesDenseDataToo) {
  const std::string text = "0,2,0,a\n1,0,3,b\n";
  const Dataset data = test::small_dataset<float>(text);
  const Gatherer<double> gatherer(data, {});
  SparseBatch<double> batch;
  batch.gather(gatherer, std::vector<std::uint64_t>{1, 0}, {0, 3});
  EXPECT_EQ(by_rows(batch.rows()), (std::vector<double>{1, 0, 3, 0, 2, 0}));
  EXPECT_EQ(batch.rows().values.size(), 3U);
  batch.gather(gatherer, std::vector<std::uint64_t>{1, 0}, {1, 3});
  EXPECT_EQ(by_rows(batch.rows()), (std::vector<double>{0, 0, 3, 0, 2, 0}));
}

/// A table of a number with missing values, a category of many values, a date, and a category with
/// a missing value.
Dataset many_categories() {
  Dataset data;
  data.origin = "t.csv";
  TableColumn number{.name = "n", .marks_missing = true, .fill = 7};
  TableColumn many{.name = "c", .kind = ColumnKind::category, .has_other = true};
  for (int i = 0; i < 400; ++i) {
    many.categories.push_back(std::to_string(1000 + i));
  }
  TableColumn date{.name = "d", .kind = ColumnKind::date, .hour = true};
  TableColumn few{.name = "f", .kind = ColumnKind::category, .marks_missing = true};
  few.categories = {"a", "b"};
  TableColumn label{.name = "y", .kind = ColumnKind::label};
  data.schema.columns = {number, many, label, date, few};
  data.features = data.schema.inputs();
  data.row_elements = 4;
  data.element = ElementType::f64;
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> rows = {5,    399, 86400 * 3 + 3600,
                                    1,  //
                                    none, -1,  none,
                                    none,  //
                                    -2,   0,   0,
                                    -1,  //
                                    0,    17,  43200,
                                    0};
  data.samples = rows.size() / data.row_elements;
  data.has_missing = true;
  data.values = Bytes::from(rows);
  return data;
}

TEST(SparseBatch, RowsOfATableAreThoseOfTheDenseGatherer) {
  const Dataset data = many_categories();
  ASSERT_TRUE(keeps_rows_sparse(data));
  EXPECT_EQ(stored_inputs(data), 2 + 1 + 3 + 1);
  Normalizer normalizer{std::vector<double>(data.features, 0.0),
                        std::vector<double>(data.features, 1.0)};
  const std::vector<bool> scaled = FeatureEncoding(data.schema).scaled_inputs();
  for (std::size_t j = 0; j < data.features; ++j) {
    normalizer.center[j] = scaled[j] ? 3 : 0;
    normalizer.scale[j] = scaled[j] ? 0.1 : 1;
  }
  const Gatherer<float> gatherer(data, normalizer);
  EXPECT_TRUE(gatherer.keeps_zeros());
  const std::vector<std::uint64_t> samples = {2, 0, 3, 1};
  std::vector<float> dense(4 * data.features);
  gatherer.gather(samples, {dense.data(), 4, data.features});
  SparseBatch<float> batch;
  for (int again = 0; again < 2; ++again) {
    batch.gather(gatherer, samples, {0, data.features});
    EXPECT_EQ(by_rows(batch.rows()), dense);
    EXPECT_EQ(batch.rows().values.size(), 6U + 7U + 7U + 7U);  // sample 2 has no known f
  }
  for (std::size_t i = 0; i < dense.size(); ++i) {
    const std::size_t j = i % data.features;
    dense[i] = j >= 1 && j < 100 ? dense[i] : 0;
  }
  batch.gather(gatherer, samples, {1, 100});
  EXPECT_EQ(by_rows(batch.rows()), dense);
  normalizer.clip = 0.25;
  const Gatherer<float> clipped(data, normalizer);
  EXPECT_TRUE(clipped.keeps_zeros());
  clipped.gather(samples, {dense.data(), 4, data.features});
  batch.gather(clipped, samples, {0, data.features});
  EXPECT_EQ(by_rows(batch.rows()), dense);
  EXPECT_EQ(*std::max_element(dense.begin(), dense.end()), 0.25F);
  normalizer.center[5] = 1;
  EXPECT_FALSE(Gatherer<float>(data, normalizer).keeps_zeros());
}

TEST(SparseBatch, RowsStaySparseWhereThatPays) {
  EXPECT_TRUE(keeps_rows_sparse(libsvm("1 1:1 300:1\n0 2:1\n")));
  EXPECT_FALSE(keeps_rows_sparse(libsvm("1 1:1 200:1\n0 2:1\n")));
  std::string half = "1";
  for (int j = 1; j < 300; j += 2) {
    half += ' ' + std::to_string(j) + ":1";
  }
  EXPECT_FALSE(keeps_rows_sparse(libsvm(half + '\n' + half + '\n')));
}

TEST(SparseBatch, LoaderGivesTheWholeBatchByFeatures) {
  BatchLoader<float> loader(Gatherer<float>(libsvm("1 1:4 9:2\n0 2:1\n1 5:2\n"), {}), 1,
                            InputForm::sparse);
  for (const bool whole : {true, false}) {
    const BatchLoader<float>::Plan both = [](std::size_t step, std::vector<std::uint64_t>& s) {
      s = {step, 2};
    };
    loader.start([](std::size_t step, std::vector<std::uint64_t>& s) { s.assign(1, step); }, 3,
                 {whole ? both : BatchLoader<float>::Plan(), {0, 8}});
    for (std::size_t step = 0; step < 3; ++step) {
      const Batch<float> batch = loader.next();
      EXPECT_EQ(batch.X.sparse().values.size(), step == 0 ? 2U : 1U);
      EXPECT_EQ(batch.targets.classes[0], step == 1 ? 0 : 1);
      const std::vector<std::uint32_t> active(batch.columns.active.begin(),
                                              batch.columns.active.end());
      if (whole) {
        EXPECT_EQ(active, step == 0   ? (std::vector<std::uint32_t>{0, 4})
                          : step == 1 ? (std::vector<std::uint32_t>{1, 4})
                                      : (std::vector<std::uint32_t>{4}));
        EXPECT_EQ(batch.columns.rows.back(), 1U);
      }
    }
  }
  EXPECT_THROW(BatchLoader<float>(Gatherer<float>(libsvm("1 1:4\n0 1:1\n"), {{1}, {1}}), 1,
                                  InputForm::sparse),
               std::invalid_argument);
}

}  // namespace
}  // namespace dnn
