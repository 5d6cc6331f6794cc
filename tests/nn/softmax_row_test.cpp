#include "dnn/nn/softmax_row.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "dnn/nn/exponential.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

template <class T>
class SoftmaxRow : public testing::Test {
 protected:
  static constexpr T inf = std::numeric_limits<T>::infinity();
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxRow, Elements);

/// The distance of `value` from the true exp(x), in units of value's last place.
template <class T>
double ulps(T value, T x) {
  const long double exact = std::exp(static_cast<long double>(x));
  const T unit = std::nextafter(value, std::numeric_limits<T>::infinity()) - value;
  return static_cast<double>(std::abs(value - exact) / unit);
}

// Through the vector instructions that this processor has, and through the portable ones.
TYPED_TEST(SoftmaxRow, ExponentialIsWithinTwoUlp) {
  using T = TypeParam;
  std::vector<T> x = test::numbers<T>(400000, 5);
  const T half = ExpConstants<T>::smallest / 2;
  std::transform(x.begin(), x.end(), x.begin(), [half](T u) { return (u + 1) * half; });
  std::vector<T> near_zero = test::numbers<T>(100000, 6);
  std::transform(near_zero.begin(), near_zero.end(), std::back_inserter(x),
                 [](T u) { return -std::abs(u); });
  std::vector<T> e = x;
  (void)exp_row(std::span<T>(e), T{0});
  double worst = 0;
  double worst_portable = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst = std::max(worst, ulps(e[i], x[i]));
    worst_portable = std::max(worst_portable, ulps(exp_of_nonpositive(x[i]), x[i]));
  }
  EXPECT_LE(worst, 2);
  EXPECT_LE(worst_portable, 2);
}

TYPED_TEST(SoftmaxRow, ExponentialIsExactAtItsEnds) {
  using T = TypeParam;
  const T smallest = ExpConstants<T>::smallest;
  const T far = std::numeric_limits<T>::lowest();
  std::vector<T> e = {0, -this->inf, far, std::nextafter(smallest, far), smallest};
  (void)exp_row(std::span<T>(e), T{0});
  EXPECT_EQ((std::vector<T>{e[0], e[1], e[2], e[3]}), (std::vector<T>{1, 0, 0, 0}));
  EXPECT_NEAR(e[4] / std::numeric_limits<T>::min(), 1, 1e-4);
  EXPECT_TRUE(std::isnan(exp_of_nonpositive(this->nan)));
}

TYPED_TEST(SoftmaxRow, MaxPassesOverNanAndTheSumShowsIt) {
  using T = TypeParam;
  for (const std::size_t width : {1U, 15U, 16U, 17U, 40U}) {
    for (std::size_t at = 0; at < width; ++at) {
      std::vector<T> a(width, T{1});
      a[at] = 2;
      EXPECT_EQ(row_max(std::span<const T>(a)), 2);
      a[at] = this->nan;
      EXPECT_TRUE(std::isnan(exp_sum(std::span<const T>(a), T{1})));
    }
  }
  EXPECT_EQ(row_max(std::span<const T>()), -this->inf);
}

TYPED_TEST(SoftmaxRow, SumsManyClassesToDoublesAccuracy) {
  using T = TypeParam;
  constexpr std::size_t classes = 1000003;
  const std::vector<T> a = test::numbers<T>(classes, 9);
  long double sum = 0;
  long double differences = 0;
  for (const T value : a) {
    sum += static_cast<long double>(exp_of_nonpositive(value - T{1}));
    differences += static_cast<long double>(value - T{1});
  }
  // exp may differ in its last place between instruction sets; that averages out over the classes.
  EXPECT_NEAR(exp_sum(std::span<const T>(a), T{1}) / static_cast<double>(sum), 1, 1e-9);
  EXPECT_NEAR(difference_sum(std::span<const T>(a), T{1}) / static_cast<double>(differences), 1,
              1e-13);
}

}  // namespace
}  // namespace dnn
