#include "dnn/nn/relu.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace dnn {
namespace {

template <class T>
class ReluOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ReluOf, Elements);

TYPED_TEST(ReluOf, AddsTheBiasAndCutsAtZero) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity();
  std::vector<T> a = {-2, -1, 0, 0.5, inf, -inf, 1, -1, 2, -3, 4, -5};
  const std::vector<T> b = {1, 1, 0, 0, 0, 0};
  add_bias_relu<T>({a.data(), 2, 6}, b);
  EXPECT_EQ(a, (std::vector<T>{0, 0, 0, 0.5, inf, 0, 2, 0, 2, 0, 4, 0}));
}

TYPED_TEST(ReluOf, NanIsNotHidden) {
  using T = TypeParam;
  std::vector<T> a = {std::numeric_limits<T>::quiet_NaN(), 1};
  const std::vector<T> b = {0, 0};
  add_bias_relu<T>({a.data(), 1, 2}, b);
  EXPECT_TRUE(std::isnan(a[0]));
  EXPECT_EQ(a[1], 1);
}

// The derivative is 1 where A > 0, and 0 elsewhere, at A = 0 too; dropout's factor joins it.
TYPED_TEST(ReluOf, DerivativeIsZeroAtZero) {
  using T = TypeParam;
  const std::vector<T> x = {0, 3, 0, 1e-30F, 5};
  std::vector<T> dx = {1, 2, 3, 4, -5};
  relu_backward<T>({x.data(), 1, 5}, T{2}, {dx.data(), 1, 5});
  EXPECT_EQ(dx, (std::vector<T>{0, 4, 0, 8, -10}));
}

}  // namespace
}  // namespace dnn
