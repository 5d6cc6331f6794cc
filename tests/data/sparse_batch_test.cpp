#include "dnn/data/sparse_batch.hpp"

#include <gtest/gtest.h>

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
