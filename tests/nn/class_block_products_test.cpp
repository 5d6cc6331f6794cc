#include "dnn/nn/class_block_products.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "dnn/core/threads.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::numbers;

/// The products of a last layer that holds `blocks` of its columns.
template <class T>
struct Products {
  std::vector<T> A, dW;
  std::vector<std::vector<T>> dX;

  Products(MatrixView<const T> X, MatrixView<const T> W, MatrixView<const T> dA,
           const std::vector<Range>& blocks)
      : A(X.rows * W.cols, T{-1}), dW(W.size(), T{-1}), dX(blocks.size()) {
    ClassBlockProducts<T> products(blocks);
    products.forward(X, W, {A.data(), X.rows, W.cols});
    products.backward_parameters(X, dA, {dW.data(), W.rows, W.cols});
    std::vector<MatrixView<T>> views;
    for (std::vector<T>& part : dX) {
      part.assign(X.size(), T{-1});
      views.push_back({part.data(), X.rows, X.cols});
    }
    products.backward_input(dA, W, views);
  }
};

template <class T>
std::vector<T> columns(const std::vector<T>& matrix, std::size_t cols, Range range) {
  std::vector<T> part;
  for (std::size_t first = 0; first < matrix.size(); first += cols) {
    part.insert(part.end(), matrix.begin() + static_cast<std::ptrdiff_t>(first + range.begin),
                matrix.begin() + static_cast<std::ptrdiff_t>(first + range.end));
  }
  return part;
}

template <class T>
class ClassBlockProductsOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ClassBlockProductsOf, Elements);

TYPED_TEST(ClassBlockProductsOf, AgreeWithTheNaiveOnesWhateverLiesBeside) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  const std::vector<Range> blocks = {{0, 512}, {512, 821}, {821, 822}};
  constexpr std::size_t classes = 822;
  for (const auto& [samples, inputs] : {std::pair(5U, 300U), {1U, 1U}, {270U, 17U}, {0U, 9U}}) {
    const auto x = numbers<T>(samples * inputs, 1);
    const auto w = numbers<T>(inputs * classes, 2);
    const auto da = numbers<T>(samples * classes, 3);
    const MatrixView<const T> X{x.data(), samples, inputs};
    const MatrixView<const T> W{w.data(), inputs, classes};
    const MatrixView<const T> dA{da.data(), samples, classes};
    const Products<T> all(X, W, dA, blocks);
    for (std::size_t j = 0; j < classes; ++j) {
      for (std::size_t s = 0; s < samples; ++s) {
        double sum = 0;
        for (std::size_t i = 0; i < inputs; ++i) {
          sum += static_cast<double>(X(s, i)) * static_cast<double>(W(i, j));
        }
        ASSERT_NEAR(all.A[s * classes + j], sum, tolerance);
      }
      for (std::size_t i = 0; i < inputs; ++i) {
        double sum = 0;
        for (std::size_t s = 0; s < samples; ++s) {
          sum += static_cast<double>(X(s, i)) * static_cast<double>(dA(s, j));
        }
        ASSERT_NEAR(all.dW[i * classes + j], sum, tolerance);
      }
    }
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      for (std::size_t s = 0; s < samples; ++s) {
        for (std::size_t i = 0; i < inputs; ++i) {
          double sum = 0;
          for (std::size_t j = blocks[b].begin; j < blocks[b].end; ++j) {
            sum += static_cast<double>(dA(s, j)) * static_cast<double>(W(i, j));
          }
          ASSERT_NEAR(all.dX[b][s * inputs + i], sum, tolerance);
        }
      }
      // Alone, in other threads: the same bits.
      set_threads(3);
      const auto w_b = columns(w, classes, blocks[b]);
      const auto da_b = columns(da, classes, blocks[b]);
      const std::size_t width = blocks[b].size();
      const Products<T> alone(X, {w_b.data(), inputs, width}, {da_b.data(), samples, width},
                              {{0, width}});
      set_threads(1);
      EXPECT_EQ(alone.A, columns(all.A, classes, blocks[b]));
      EXPECT_EQ(alone.dW, columns(all.dW, classes, blocks[b]));
      EXPECT_EQ(alone.dX.front(), all.dX[b]);
    }
  }
}

}  // namespace
}  // namespace dnn
