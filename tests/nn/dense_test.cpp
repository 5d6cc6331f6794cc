#include "dnn/nn/dense.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "dnn/nn/dense_products.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::numbers;

template <class T>
class DenseOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(DenseOf, Elements);

// X W + B and its derivatives against sums written out, for odd extents and an empty shard.
TYPED_TEST(DenseOf, AgreesWithTheSumsWrittenOut) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-13;
  constexpr std::size_t inputs = 19;
  constexpr std::size_t outputs = 7;
  for (std::size_t samples : {0U, 1U, 13U}) {
    const auto x = numbers<T>(samples * inputs, 1);
    const auto w = numbers<T>(inputs * outputs, 2);
    const auto b = numbers<T>(outputs, 3);
    const auto da = numbers<T>(samples * outputs, 4);
    std::vector<T> a(samples * outputs, T{9});
    std::vector<T> dw(inputs * outputs, T{9});
    std::vector<T> db(outputs, T{9});
    std::vector<T> dx(samples * inputs, T{9});
    const MatrixView<const T> X{x.data(), samples, inputs};
    const MatrixView<const T> W{w.data(), inputs, outputs};
    const MatrixView<const T> dA{da.data(), samples, outputs};
    const MatrixView<T> A{a.data(), samples, outputs};
    const MatrixView<T> dW{dw.data(), inputs, outputs};
    const MatrixView<T> dX{dx.data(), samples, inputs};
    DenseProducts<T> products;
    products.forward(X, W, A);
    add_bias<T>(A, std::span(b));
    const Range all{0, samples};
    const ShardSum<T> sum{{0, 1}, dW, db};
    products.backward_parameters(X, dA, {&all, 1}, {&sum, 1});
    products.backward_input(dA, W, {0, outputs}, dX);
    std::vector<T> bias(outputs, T{9});
    bias_gradient<T>(dA, bias);
    for (std::size_t j = 0; j < outputs; ++j) {
      double db_j = 0;
      for (std::size_t s = 0; s < samples; ++s) {
        db_j += static_cast<double>(dA(s, j));
        double a_sj = static_cast<double>(b[j]);
        for (std::size_t i = 0; i < inputs; ++i) {
          a_sj += static_cast<double>(X(s, i)) * static_cast<double>(W(i, j));
        }
        EXPECT_NEAR(A(s, j), a_sj, tolerance);
      }
      EXPECT_NEAR(db[j], db_j, tolerance);
      EXPECT_NEAR(bias[j], db_j, tolerance);
      for (std::size_t i = 0; i < inputs; ++i) {
        double dw_ij = 0;
        for (std::size_t s = 0; s < samples; ++s) {
          dw_ij += static_cast<double>(X(s, i)) * static_cast<double>(dA(s, j));
        }
        EXPECT_NEAR(dW(i, j), dw_ij, tolerance);
      }
    }
    for (std::size_t s = 0; s < samples; ++s) {
      for (std::size_t i = 0; i < inputs; ++i) {
        double dx_si = 0;
        for (std::size_t j = 0; j < outputs; ++j) {
          dx_si += static_cast<double>(dA(s, j)) * static_cast<double>(W(i, j));
        }
        EXPECT_NEAR(dX(s, i), dx_si, tolerance);
      }
    }
  }
}

}  // namespace
}  // namespace dnn
