#include "dnn/core/largest_magnitude.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "dnn/core/threads.hpp"

namespace dnn {
namespace {

template <class T>
class LargestMagnitudeOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(LargestMagnitudeOf, Elements);

TYPED_TEST(LargestMagnitudeOf, FindsItWhereverItIs) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  for (const std::size_t size : {1U, 7U, 64U, 1000U, 200'000U}) {
    for (const std::size_t place : {std::size_t{0}, size / 2, size - 1}) {
      for (const T extreme : {T{-3}, -Limits::max(), Limits::max(), Limits::infinity(),
                              -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN()}) {
        std::vector<T> values(size, T{-2});
        values[place] = extreme;
        const T found = largest_magnitude(std::span<const T>(values));
        if (std::isnan(extreme)) {
          EXPECT_TRUE(std::isnan(found)) << size << ' ' << place;
        } else {
          EXPECT_EQ(found, std::abs(extreme)) << size << ' ' << place;
        }
      }
    }
  }
}

TYPED_TEST(LargestMagnitudeOf, NaNIsAboveInfinityInAnyThread) {
  using T = TypeParam;
  set_threads(2);
  std::vector<T> values(200'000, std::numeric_limits<T>::infinity());
  for (const std::size_t place : {std::size_t{0}, values.size() - 1}) {
    values[place] = std::numeric_limits<T>::quiet_NaN();
    EXPECT_TRUE(std::isnan(largest_magnitude(std::span<const T>(values))));
    values[place] = 0;
  }
  set_threads(1);
}

TYPED_TEST(LargestMagnitudeOf, IsZeroForNoneAndForZeros) {
  EXPECT_EQ(largest_magnitude(std::span<const TypeParam>()), 0);
  const std::vector<TypeParam> zeros = {0, -TypeParam{0}};
  EXPECT_EQ(largest_magnitude(std::span<const TypeParam>(zeros)), 0);
}

}  // namespace
}  // namespace dnn
