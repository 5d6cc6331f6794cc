#include "dnn/core/sum_of_squares.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "dnn/core/largest_magnitude.hpp"

namespace dnn {
namespace {

template <class T>
double norm(const std::vector<T>& values) {
  const int exponent = exponent_above(largest_magnitude(std::span<const T>(values)));
  return sum_of_squares(std::span<const T>(values), exponent).norm(exponent);
}

TEST(SumOfSquares, IsTheNormAndTheSameInAnyOrderAndSplit) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<float> values(1 + random() % 5000);
    const int exponent = static_cast<int>(random() % 200) - 100;
    long double squares = 0;
    for (float& x : values) {
      x = std::ldexp(normal(random), exponent - static_cast<int>(random() % 30));
      squares += static_cast<long double>(x) * static_cast<long double>(x);
    }
    const double once = norm(values);
    EXPECT_NEAR(once / static_cast<double>(std::sqrt(squares)), 1, 1e-14);
    std::shuffle(values.begin(), values.end(), random);
    EXPECT_EQ(norm(values), once);
    const int above = exponent_above(largest_magnitude(std::span<const float>(values)));
    const std::size_t cut = random() % values.size();
    SumOfSquares sum = sum_of_squares(std::span<const float>(values).first(cut), above);
    sum += sum_of_squares(std::span<const float>(values).subspan(cut), above);
    EXPECT_EQ(sum.norm(above), once);
  }
}

TEST(SumOfSquares, HoldsAtTheEndsOfTheRange) {
  EXPECT_EQ(norm(std::vector<double>{3e300, 4e300}), 5e300);
  EXPECT_EQ(norm(std::vector<double>{1e308, 1e308}), std::sqrt(2.0) * 1e308);
  EXPECT_EQ(norm(std::vector<float>{0, 0}), 0);
  EXPECT_EQ(norm(std::vector<float>{-1}), 1);
  EXPECT_EQ(norm(std::vector<double>{}), 0);
  const double least = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(norm(std::vector<double>{3 * least, 4 * least}), 5 * least);
}

TEST(SumOfSquares, ExponentIsTheLeastAbove) {
  EXPECT_EQ(exponent_above(1), 0);
  EXPECT_EQ(exponent_above(-1.5), 1);
  EXPECT_EQ(exponent_above(0.25), -2);
  EXPECT_EQ(exponent_above(0), 0);
}

}  // namespace
}  // namespace dnn
