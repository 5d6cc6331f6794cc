#include "dnn/products/sparse_products.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "dnn/core/threads.hpp"
#include "dnn/products/feature_sums.hpp"
#include "dnn/products/full_products.hpp"
#include "support/sparse_rows.hpp"

namespace dnn {
namespace {

using test::numbers;
using test::SparseExample;

struct SparseCase {
  std::size_t samples, inputs, outputs, every;
  std::size_t shards;
  std::vector<Range> nodes;
};

/// Widths below, at and above those of vectors; shards of no samples; features of many shards and
/// of one.
const std::vector<SparseCase>& sparse_cases() {
  static const std::vector<SparseCase> all = {
      {1, 1, 1, 1, 1, {{0, 1}}},
      {0, 40, 7, 3, 2, {{0, 2}}},
      {3, 170, 10, 20, 8, {{0, 8}}},
      {16, 480, 256, 30, 2, {{0, 1}, {1, 2}}},
      {37, 290, 53, 4, 5, {{0, 4}, {4, 5}}},
      {70, 1300, 300, 50, 13, {{0, 8}, {8, 12}, {12, 13}}},
      {64, 3000, 128, 100, 8, {{0, 8}}},
  };
  return all;
}

template <class T>
class SparseProductsOf : public testing::Test {
 protected:
  /// A, dB of each node and the largest gradient; and where they are given, dW of each node.
  struct Results {
    std::vector<T> A, dB, dW;
    T largest;
    bool operator==(const Results&) const = default;
  };

  Results results(LayerProducts<T>& products, const SparseCase& c, const InputRows<T>& X,
                  bool has_dW) const {
    const std::vector<Range> shards = shards_of(c);
    const auto dA = dA_of(c);
    Results all;
    all.A.resize(c.samples * c.outputs);
    std::vector<std::size_t> completed(c.samples, 0);
    products.forward(X, {all.A.data(), c.samples, c.outputs}, [&](Range rows, Range columns) {
      for (std::size_t s = rows.begin; s < rows.end; ++s) {
        completed[s] += columns.size();
      }
    });
    EXPECT_EQ(completed, std::vector<std::size_t>(c.samples, c.outputs));
    products.begin_backward(X, {dA.data(), c.samples, c.outputs}, shards);
    constexpr T untouched = 77;
    for (const Range node : c.nodes) {
      std::vector<T> dW(c.inputs * c.outputs, untouched);
      std::vector<T> dB(c.outputs);
      const ShardSum<T> sum{node, {dW.data(), c.inputs, c.outputs}, dB};
      products.backward_parameters(std::span(&sum, 1));
      all.dB.insert(all.dB.end(), dB.begin(), dB.end());
      if (has_dW) {
        all.dW.insert(all.dW.end(), dW.begin(), dW.end());
      } else {
        EXPECT_EQ(dW, std::vector<T>(dW.size(), untouched));
      }
      all.largest = products.largest_gradient({&sum, 1});
    }
    return all;
  }

  /// dW of each node, one after the other, zeros included.
  std::vector<T> sums(const SparseExample<T>& X, const SparseCase& c,
                      const TileKernel<T>& kernel) const {
    const std::vector<Range> shards = shards_of(c);
    const auto dA = dA_of(c);
    std::vector<T> all;
    for (const Range node : c.nodes) {
      std::vector<T> rows(X.active.size() * c.outputs);
      FeatureSums<T>(X.by_columns(), {dA.data(), c.samples, c.outputs}, shards, kernel)
          .run(node, {rows.data(), X.active.size(), c.outputs});
      std::vector<T> dW(c.inputs * c.outputs);
      for (std::size_t k = 0; k < X.active.size(); ++k) {
        std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(k * c.outputs), c.outputs,
                    dW.begin() + static_cast<std::ptrdiff_t>(X.active[k] * c.outputs));
      }
      all.insert(all.end(), dW.begin(), dW.end());
    }
    return all;
  }

 private:
  static std::vector<Range> shards_of(const SparseCase& c) {
    std::vector<Range> shards;
    for (std::size_t i = 0; i < c.shards; ++i) {
      shards.push_back(part_of(c.samples, c.shards, i));
    }
    return shards;
  }
  static std::vector<T> dA_of(const SparseCase& c) { return numbers<T>(c.samples * c.outputs, 3); }
};

using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(SparseProductsOf, Elements);

TYPED_TEST(SparseProductsOf, BitsAreThoseOfTheDenseProduct) {
  using T = TypeParam;
  for (const TileKernel<T>& kernel : tile_kernels<T>()) {
    for (const SparseCase& c : sparse_cases()) {
      const SparseExample<T> X(c.samples, c.inputs, c.every, 5);
      const auto w = numbers<T>(c.inputs * c.outputs, 2);
      const MatrixView<const T> W{w.data(), c.inputs, c.outputs};
      DenseProducts<T> shared(kernel);
      FullProducts<T> dense(W, shared);
      const auto expected = this->results(dense, c, X.matrix(), true);
      for (const int threads : {1, 3}) {
        set_threads(threads);
        SparseProducts<T> sparse(W, shared, kernel);
        auto found = this->results(sparse, c, X.sparse(), false);
        found.dW = this->sums(X, c, kernel);
        EXPECT_TRUE(found == expected)
            << kernel.instructions << ", " << c.samples << " x " << c.inputs << " x " << c.outputs;
      }
      set_threads(1);
    }
  }
}

TYPED_TEST(SparseProductsOf, ANaNIsTheLargestGradient) {
  using T = TypeParam;
  const SparseExample<T> X(4, 10, 2, 5);
  const std::vector<T> w(30);
  DenseProducts<T> shared;
  SparseProducts<T> sparse({w.data(), 10, 3}, shared);
  std::vector<T> dA(12, T{1});
  dA[7] = std::numeric_limits<T>::quiet_NaN();
  const Range all{0, 4};
  sparse.begin_backward(X.sparse(), {dA.data(), 4, 3}, {&all, 1});
  EXPECT_TRUE(std::isnan(sparse.largest_gradient({})));
}

TYPED_TEST(SparseProductsOf, ASumThatIsTooSmallIsZeroWithoutASign) {
  using T = TypeParam;
  const T tiny = std::numeric_limits<T>::min();
  for (const TileKernel<T>& kernel : tile_kernels<T>()) {
    for (const std::size_t columns : {1U, 64U, 256U}) {
      const std::vector<T> b(columns, -tiny);
      std::vector<T> c(columns, T{1});
      const std::uint32_t index = 0;
      kernel.indexed({&tiny, &index, 1, b.data(), columns, columns, c.data()});
      EXPECT_TRUE(std::all_of(c.begin(), c.end(), [](T x) { return x == 0 && !std::signbit(x); }))
          << kernel.instructions;
    }
  }
}

TYPED_TEST(SparseProductsOf, OtherRowsAreRefused) {
  using T = TypeParam;
  const SparseExample<T> example(4, 10, 2, 5);
  const std::vector<T> w(30);
  std::vector<T> a(12);
  DenseProducts<T> shared;
  SparseProducts<T> sparse({w.data(), 10, 3}, shared);
  FullProducts<T> dense({w.data(), 10, 3}, shared);
  const MatrixView<T> A{a.data(), 4, 3};
  EXPECT_THROW(sparse.forward(example.matrix(), A, {}), std::logic_error);
  EXPECT_THROW(dense.forward(example.sparse(), A, {}), std::logic_error);
  EXPECT_THROW(sparse.backward_input({a.data(), 4, 3}, {}), std::logic_error);
}

}  // namespace
}  // namespace dnn
