#include "dnn/nn/activation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace dnn {
namespace {

template <class T>
class ActivationOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ActivationOf, Elements);

TYPED_TEST(ActivationOf, AddsTheBiasAndCutsAtZero) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity();
  std::vector<T> a = {-2, -1, 0, 0.5, inf, -inf, 1, -1, 2, -3, 4, -5};
  const std::vector<T> b = {1, 1, 0, 0, 0, 0};
  EXPECT_EQ(add_bias_relu<T>({a.data(), 2, 6}, b, {0, 2}, {0, 6}), inf);
  EXPECT_EQ(a, (std::vector<T>{0, 0, 0, 0.5, inf, 0, 2, 0, 2, 0, 4, 0}));
}

TYPED_TEST(ActivationOf, NanIsNotHidden) {
  using T = TypeParam;
  std::vector<T> a = {std::numeric_limits<T>::quiet_NaN(), 1};
  const std::vector<T> b = {0, 0};
  EXPECT_TRUE(std::isnan(add_bias_relu<T>({a.data(), 1, 2}, b, {0, 1}, {0, 2})));
  EXPECT_TRUE(std::isnan(a[0]));
  EXPECT_EQ(a[1], 1);
}

// The derivative is 1 where A > 0, and 0 elsewhere, at A = 0 too; dropout's factor joins it.
TYPED_TEST(ActivationOf, DerivativeIsZeroAtZero) {
  using T = TypeParam;
  const std::vector<T> x = {0, 3, 0, 1e-30F, 5};
  std::vector<T> dx = {1, 2, 3, 4, -5};
  EXPECT_EQ(relu_backward<T>({x.data(), 1, 5}, T{2}, {dx.data(), 1, 5}, {0, 1}, {0, 5}), 10);
  EXPECT_EQ(dx, (std::vector<T>{0, 4, 0, 8, -10}));
}

// What is outside of the piece is neither changed nor looked at.
TYPED_TEST(ActivationOf, APieceIsAllThatChanges) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const auto matrix = [&] {
    return std::vector<T>{nan, nan, nan, nan, nan, -2, 7, nan, nan, nan, nan, nan};
  };
  const auto piece = [](const std::vector<T>& a) { return std::vector<T>{a[5], a[6]}; };
  const std::vector<T> b = {nan, 1, 1, nan};
  const std::vector<T> x(12, T{1});
  std::vector<T> a = matrix();
  EXPECT_EQ(add_bias<T>({a.data(), 3, 4}, b, {1, 2}, {1, 3}), 8);
  EXPECT_EQ(piece(a), (std::vector<T>{-1, 8}));
  EXPECT_EQ(add_bias_relu<T>({a.data(), 3, 4}, b, {1, 2}, {1, 3}), 9);
  EXPECT_EQ(piece(a), (std::vector<T>{0, 9}));
  EXPECT_EQ(relu_backward<T>({x.data(), 3, 4}, T{3}, {a.data(), 3, 4}, {1, 2}, {1, 3}), 27);
  EXPECT_EQ(piece(a), (std::vector<T>{0, 27}));
  EXPECT_EQ(std::count_if(a.begin(), a.end(), [](T v) { return std::isnan(v); }), 10);
}

// What a vector's width does not divide, with a -0 and a NaN that has a sign.
TYPED_TEST(ActivationOf, TheLargestMagnitudeIsFoundWhereverItLies) {
  using T = TypeParam;
  for (std::size_t n = 1; n < 70; ++n) {
    for (std::size_t place = 0; place < n; ++place) {
      std::vector<T> a(n, T{-0.0});
      const std::vector<T> b(n, T{0});
      a[place] = T{-3};
      EXPECT_EQ(add_bias<T>({a.data(), 1, n}, b, {0, 1}, {0, n}), 3);
      a[place] = -std::numeric_limits<T>::quiet_NaN();
      EXPECT_TRUE(std::isnan(add_bias<T>({a.data(), 1, n}, b, {0, 1}, {0, n})));
    }
  }
}

}  // namespace
}  // namespace dnn
