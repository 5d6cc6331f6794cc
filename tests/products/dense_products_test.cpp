#include "dnn/products/dense_products.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "dnn/core/sum_tree.hpp"
#include "dnn/core/threads.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::numbers;

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

/// Extents below, at and above those of tiles, panels, slabs and what is packed at a time; more
/// threads than there are vectors of columns; shards of no samples.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {1, 1, 1, cut(1, 1), {{0, 1}}},
      {0, 5, 7, cut(0, 2), {{0, 2}}},
      {5, 0, 7, cut(5, 2), {{0, 2}}},  // a rank's part of a split layer may have no inputs
      {3, 17, 10, cut(3, 8), {{0, 8}}},
      {8, 300, 48, cut(8, 3), {{0, 2}, {2, 3}}},
      {16, 48, 96, cut(16, 2), {{0, 1}, {1, 2}}},
      {37, 29, 53, cut(37, 5), {{0, 4}, {4, 5}}},
      {70, 513, 131, cut(70, 13), {{0, 8}, {8, 12}, {12, 13}}},
      {9, 300, 1000, cut(9, 3), {{0, 2}, {2, 3}}},
      {6000, 5, 20, cut(6000, 7), {{0, 7}}},
      {10, 16, 25000, cut(10, 2), {{0, 2}}},
  };
  return all;
}

template <class T>
class DenseProductsOf : public testing::Test {
 protected:
  /// A, dX, and dW and dB of each node, one after the other.
  using Results = std::vector<T>;

  /// Looks on while a product's pieces are completed.
  struct Completed {
    explicit Completed(MatrixView<const T> of)
        : product(of), times(of.size(), 0), seen(of.size()) {}
    void operator()(Range rows, Range columns) {
      for (std::size_t i = rows.begin; i < rows.end; ++i) {
        for (std::size_t j = columns.begin; j < columns.end; ++j) {
          ++times[i * product.cols + j];
          seen[i * product.cols + j] = product(i, j);
        }
      }
    }
    /// Every element was completed once, and did not change any more.
    void check() const {
      EXPECT_EQ(times, std::vector<int>(product.size(), 1));
      EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(seen)),
                                     std::as_bytes(std::span(product.data, product.size()))));
    }
    MatrixView<const T> product;
    std::vector<int> times;
    std::vector<T> seen;
  };

  /// Into memory that holds something else.
  static Results compute(const Case& c, DenseProducts<T>& products, MatrixView<const T> X,
                         MatrixView<const T> W, MatrixView<const T> dA, Range columns) {
    const std::size_t parameters = (c.inputs + 1) * c.outputs;
    Results results(c.samples * (c.outputs + c.inputs) + c.nodes.size() * parameters, T{9});
    T* next = results.data();
    const MatrixView<T> A{next, c.samples, c.outputs};
    Completed forward(A);
    products.forward(X, W, A, std::ref(forward));
    forward.check();
    next += A.size();
    const MatrixView<T> dX{next, c.samples, c.inputs};
    Completed input(dX);
    products.backward_input(dA, W, columns, dX, std::ref(input));
    input.check();
    next += dX.size();
    std::vector<ShardSum<T>> sums;
    for (const Range node : c.nodes) {
      sums.push_back({node, {next, c.inputs, c.outputs}, {next + W.size(), c.outputs}});
      next += parameters;
    }
    products.backward_parameters(X, dA, c.shards, sums);
    return results;
  }

  static Results expected(const Case& c, const Naive<T>& naive, MatrixView<const T> X,
                          MatrixView<const T> W, MatrixView<const T> dA, Range columns) {
    Results results;
    for (std::size_t s = 0; s < c.samples; ++s) {
      for (std::size_t j = 0; j < c.outputs; ++j) {
        results.push_back(naive.forward(X, W, s, j));
      }
    }
    for (std::size_t s = 0; s < c.samples; ++s) {
      for (std::size_t i = 0; i < c.inputs; ++i) {
        results.push_back(naive.input(dA, W, columns, s, i));
      }
    }
    for (const Range node : c.nodes) {
      for (std::size_t i = 0; i < c.inputs; ++i) {
        for (std::size_t j = 0; j < c.outputs; ++j) {
          results.push_back(naive.parameter(&X, dA, c.shards, node, i, j));
        }
      }
      for (std::size_t j = 0; j < c.outputs; ++j) {
        results.push_back(naive.parameter(nullptr, dA, c.shards, node, 0, j));
      }
    }
    return results;
  }
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(DenseProductsOf, Elements);

// One DenseProducts for all cases, as a network has one for all layers.
TYPED_TEST(DenseProductsOf, GiveTheBitsOfTheNaiveSumsWithEveryKernelInAnyThreads) {
  using T = TypeParam;
  std::vector<DenseProducts<T>> products;
  for (const TileKernel<T>& kernel : tile_kernels<T>()) {
    products.emplace_back(kernel);
  }
  for (const Case& c : cases()) {
    const auto x = numbers<T>(c.samples * c.inputs, 1);
    const auto w = numbers<T>(c.inputs * c.outputs, 2);
    const auto da = numbers<T>(c.samples * c.outputs, 3);
    const MatrixView<const T> X{x.data(), c.samples, c.inputs};
    const MatrixView<const T> W{w.data(), c.inputs, c.outputs};
    const MatrixView<const T> dA{da.data(), c.samples, c.outputs};
    const Range columns = part_of(c.outputs, 2, 1);  // none of 1
    std::map<bool, std::vector<T>> expected;
    for (std::size_t k = 0; k < products.size(); ++k) {
      const TileKernel<T>& kernel = tile_kernels<T>()[k];
      std::vector<T>& naive = expected[kernel.fused];
      if (naive.empty()) {
        naive = TestFixture::expected(c, {kernel.fused}, X, W, dA, columns);
      }
      for (const int count : {1, 3, 8}) {
        set_threads(count);
        const auto results = TestFixture::compute(c, products[k], X, W, dA, columns);
        set_threads(1);
        ASSERT_EQ(results.size(), naive.size());
        EXPECT_EQ(std::memcmp(results.data(), naive.data(), results.size() * sizeof(T)), 0)
            << kernel.instructions << ", " << count << " threads, " << c.samples << " x "
            << c.inputs << " x " << c.outputs;
      }
    }
  }
}

// A build without optimization fuses nothing.
TYPED_TEST(DenseProductsOf, AreFusedWithAvxSoThatInstructionSetsAgree) {
#if defined(__OPTIMIZE__)
  for (const TileKernel<TypeParam>& kernel : tile_kernels<TypeParam>()) {
    EXPECT_TRUE(kernel.fused || !std::string(kernel.instructions).starts_with("AVX"))
        << kernel.instructions;
  }
#endif
}

TYPED_TEST(DenseProductsOf, FindTheLargestGradientOfAnyShard) {
  using T = TypeParam;
  constexpr std::size_t samples = 6;
  constexpr std::size_t inputs = 131;
  constexpr std::size_t outputs = 5;
  std::vector<T> x(samples * inputs, T{0});
  std::vector<T> da(samples * outputs, T{0});
  const MatrixView<const T> X{x.data(), samples, inputs};
  const MatrixView<const T> dA{da.data(), samples, outputs};
  const std::vector<Range> shards = cut(samples, 3);
  DenseProducts<T> products;
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
