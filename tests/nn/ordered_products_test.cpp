#include "dnn/nn/ordered_products.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dnn/core/sum_tree.hpp"
#include "dnn/core/threads.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::numbers;

/// Whether a kernel's multiply-adds are fused: (1 + e)^2 - (1 + 2e) is e^2 then, and else 0.
template <class T>
bool is_fused(const TileKernel<T>& kernel) {
  const T e = std::sqrt(std::numeric_limits<T>::epsilon()) / 2;
  const std::vector<T> x = {1 + 2 * e, 1 + e};
  const std::vector<T> w = {-1, 1 + e};
  T a = 9;
  OrderedProducts<T>(kernel).forward({x.data(), 1, 2}, {w.data(), 2, 1}, {&a, 1, 1});
  return a != 0;
}

/// The sums in their order, one element after the other.
template <class T>
struct Naive {
  bool fused;

  /// c + a b.
  [[nodiscard]] T add(T a, T b, T c) const {
    if (fused) {
      return std::fma(a, b, c);
    }
    const volatile T product = a * b;
    return product + c;
  }
  [[nodiscard]] T forward(MatrixView<const T> X, MatrixView<const T> W, std::size_t s,
                          std::size_t j) const {
    T sum = 0;
    for (std::size_t i = 0; i < W.rows; ++i) {
      sum = add(X(s, i), W(i, j), sum);
    }
    return sum;
  }
  [[nodiscard]] T input(MatrixView<const T> dA, MatrixView<const T> W, Range columns, std::size_t s,
                        std::size_t i) const {
    T sum = 0;
    for (std::size_t j = columns.begin; j < columns.end; ++j) {
      sum = add(dA(s, j), W(i, j), sum);
    }
    return sum;
  }
  /// dW_ij; with `X` null, dB_j.
  [[nodiscard]] T parameter(const MatrixView<const T>* X, MatrixView<const T> dA,
                            const std::vector<Range>& shards, Range node, std::size_t i,
                            std::size_t j) const {
    if (node.size() > 1) {
      const std::size_t middle = right_child(node);
      return parameter(X, dA, shards, {node.begin, middle}, i, j) +
             parameter(X, dA, shards, {middle, node.end}, i, j);
    }
    T sum = 0;
    for (std::size_t s = shards[node.begin].begin; s < shards[node.begin].end; ++s) {
      sum = add(X != nullptr ? (*X)(s, i) : T{1}, dA(s, j), sum);
    }
    return sum;
  }
};

struct Case {
  std::size_t samples, inputs, outputs;
  std::vector<Range> shards, nodes;
};

std::vector<Range> cut(std::size_t samples, std::size_t shards) {
  std::vector<Range> rows;
  for (std::size_t i = 0; i < shards; ++i) {
    rows.push_back(part_of(samples, shards, i));
  }
  return rows;
}

/// Extents below, at and above those of tiles, panels and slabs; shards of no samples.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {1, 1, 1, cut(1, 1), {{0, 1}}},
      {0, 5, 7, cut(0, 2), {{0, 2}}},
      {3, 17, 10, cut(3, 8), {{0, 8}}},
      {8, 300, 48, cut(8, 3), {{0, 2}, {2, 3}}},
      {16, 48, 96, cut(16, 2), {{0, 1}, {1, 2}}},
      {37, 29, 53, cut(37, 5), {{0, 4}, {4, 5}}},
      {70, 513, 131, cut(70, 13), {{0, 8}, {8, 12}, {12, 13}}},
      {600, 9, 1000, cut(600, 7), {{0, 7}}},
  };
  return all;
}

template <class T>
class OrderedProductsOf : public testing::Test {
 protected:
  /// Products of one case, into memory that holds something else.
  struct Results {
    std::vector<T> A, dX;
    std::vector<std::vector<T>> dW, dB;
  };

  static Results compute(const Case& c, OrderedProducts<T>& products, MatrixView<const T> X,
                         MatrixView<const T> W, MatrixView<const T> dA, Range columns) {
    Results results{std::vector<T>(c.samples * c.outputs, T{9}),
                    std::vector<T>(c.samples * c.inputs, T{9}),
                    {c.nodes.size(), std::vector<T>(c.inputs * c.outputs, T{9})},
                    {c.nodes.size(), std::vector<T>(c.outputs, T{9})}};
    products.forward(X, W, {results.A.data(), c.samples, c.outputs});
    products.backward_input(dA, W, columns, {results.dX.data(), c.samples, c.inputs});
    std::vector<ShardSum<T>> sums;
    for (std::size_t n = 0; n < c.nodes.size(); ++n) {
      sums.push_back(
          {c.nodes[n], {results.dW[n].data(), c.inputs, c.outputs}, std::span(results.dB[n])});
    }
    products.backward_parameters(X, dA, c.shards, sums);
    return results;
  }
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(OrderedProductsOf, Elements);

TYPED_TEST(OrderedProductsOf, GiveTheBitsOfTheNaiveSumsWithEveryKernelInAnyThreads) {
  using T = TypeParam;
  for (const Case& c : cases()) {
    const auto x = numbers<T>(c.samples * c.inputs, 1);
    const auto w = numbers<T>(c.inputs * c.outputs, 2);
    const auto da = numbers<T>(c.samples * c.outputs, 3);
    const MatrixView<const T> X{x.data(), c.samples, c.inputs};
    const MatrixView<const T> W{w.data(), c.inputs, c.outputs};
    const MatrixView<const T> dA{da.data(), c.samples, c.outputs};
    const Range columns = part_of(c.outputs, 3, 1).empty() ? Range{0, 1} : part_of(c.outputs, 3, 1);
    for (const TileKernel<T>& kernel : tile_kernels<T>()) {
      const Naive<T> naive{is_fused(kernel)};
      for (const int count : {1, 3}) {
        set_threads(count);
        OrderedProducts<T> products(kernel);
        const auto results = TestFixture::compute(c, products, X, W, dA, columns);
        set_threads(1);
        std::size_t wrong = 0;
        for (std::size_t s = 0; s < c.samples; ++s) {
          for (std::size_t j = 0; j < c.outputs; ++j) {
            wrong += results.A[s * c.outputs + j] != naive.forward(X, W, s, j) ? 1 : 0;
          }
          for (std::size_t i = 0; i < c.inputs; ++i) {
            wrong += results.dX[s * c.inputs + i] != naive.input(dA, W, columns, s, i) ? 1 : 0;
          }
        }
        for (std::size_t n = 0; n < c.nodes.size(); ++n) {
          for (std::size_t j = 0; j < c.outputs; ++j) {
            const auto expected = [&](const MatrixView<const T>* of, std::size_t i) {
              return naive.parameter(of, dA, c.shards, c.nodes[n], i, j);
            };
            wrong += results.dB[n][j] != expected(nullptr, 0) ? 1 : 0;
            for (std::size_t i = 0; i < c.inputs; ++i) {
              wrong += results.dW[n][i * c.outputs + j] != expected(&X, i) ? 1 : 0;
            }
          }
        }
        EXPECT_EQ(wrong, 0U) << kernel.instructions << ", " << count << " threads, " << c.samples
                             << " x " << c.inputs << " x " << c.outputs;
      }
    }
  }
}

TYPED_TEST(OrderedProductsOf, FindTheLargestGradientOfAnyShard) {
  using T = TypeParam;
  constexpr std::size_t samples = 6;
  constexpr std::size_t inputs = 131;
  constexpr std::size_t outputs = 5;
  std::vector<T> x(samples * inputs, T{0});
  std::vector<T> da(samples * outputs, T{0});
  const MatrixView<const T> X{x.data(), samples, inputs};
  const MatrixView<const T> dA{da.data(), samples, outputs};
  const std::vector<Range> shards = cut(samples, 3);
  OrderedProducts<T> products;
  EXPECT_EQ(products.largest_gradient(X, dA, shards), T{0});
  da[3] = T{-2};  // sample 0, in dB; its opposite is in another shard
  da[4 * outputs + 3] = T{2};
  EXPECT_EQ(products.largest_gradient(X, dA, shards), T{2});
  x[4 * inputs + 130] = T{-7};
  EXPECT_EQ(products.largest_gradient(X, dA, shards), T{14});
  x[5 * inputs + 70] = std::numeric_limits<T>::infinity();  // times 0
  EXPECT_TRUE(std::isnan(products.largest_gradient(X, dA, shards)));
}

}  // namespace
}  // namespace dnn
