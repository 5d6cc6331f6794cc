#include "dnn/nn/matrix_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::numbers;

template <class T>
class MatrixProductOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(MatrixProductOf, Elements);

/// The naive twin: three loops in double.
template <class T>
std::vector<T> naive(Transpose ta, MatrixView<const T> a, Transpose tb, MatrixView<const T> b,
                     T beta, const std::vector<T>& c, std::size_t m, std::size_t n, std::size_t k) {
  std::vector<T> result(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum =
          beta == T{0} ? 0.0 : static_cast<double>(beta) * static_cast<double>(c[i * n + j]);
      for (std::size_t p = 0; p < k; ++p) {
        sum += static_cast<double>(ta == Transpose::yes ? a(p, i) : a(i, p)) *
               static_cast<double>(tb == Transpose::yes ? b(j, p) : b(p, j));
      }
      result[i * n + j] = static_cast<T>(sum);
    }
  }
  return result;
}

TYPED_TEST(MatrixProductOf, AgreesWithTheNaiveProduct) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  const std::size_t extents[][3] = {{1, 1, 1}, {3, 5, 7}, {64, 10, 256}, {17, 33, 65},
                                    {5, 4, 0}, {0, 3, 2}, {2, 0, 2}};
  for (const auto& [m, n, k] : extents) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        for (const T beta : {T{0}, T{1}, T(0.5)}) {
          const auto a = numbers<T>(m * k, 1);
          const auto b = numbers<T>(k * n, 2);
          auto c = numbers<T>(m * n, 3);
          const MatrixView<const T> A{a.data(), ta == Transpose::yes ? k : m,
                                      ta == Transpose::yes ? m : k};
          const MatrixView<const T> B{b.data(), tb == Transpose::yes ? n : k,
                                      tb == Transpose::yes ? k : n};
          const auto expected = naive<T>(ta, A, tb, B, beta, c, m, n, k);
          multiply<T>(ta, A, tb, B, beta, {c.data(), m, n});
          for (std::size_t i = 0; i < c.size(); ++i) {
            ASSERT_NEAR(c[i], expected[i], tolerance) << m << 'x' << n << 'x' << k;
          }
        }
      }
    }
  }
}

TYPED_TEST(MatrixProductOf, WithBetaZeroOldContentsDoNotCount) {
  using T = TypeParam;
  std::vector<T> a = {2};
  std::vector<T> c = {std::numeric_limits<T>::quiet_NaN()};
  multiply<T>(Transpose::no, {a.data(), 1, 1}, Transpose::no, {a.data(), 1, 1}, T{0},
              {c.data(), 1, 1});
  EXPECT_EQ(c[0], 4);
}

TYPED_TEST(MatrixProductOf, RefusesExtentsThatDoNotFit) {
  using T = TypeParam;
  std::vector<T> a(6);
  EXPECT_THROW(multiply<T>(Transpose::no, {a.data(), 2, 3}, Transpose::no, {a.data(), 2, 3}, T{0},
                           {a.data(), 2, 3}),
               std::invalid_argument);
}

}  // namespace
}  // namespace dnn
