#include "dnn/core/mean_and_deviation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace dnn {
namespace {

TEST(MeanAndDeviation, AreThoseOfTheNumbers) {
  const auto of = MeanAndDeviation::of(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(of.mean, 5);
  EXPECT_DOUBLE_EQ(of.deviation, 2);
}

TEST(MeanAndDeviation, OfOneNumberIsThatNumber) {
  const auto of = MeanAndDeviation::of(std::vector<double>{0.25});
  EXPECT_EQ(of.mean, 0.25);
  EXPECT_EQ(of.deviation, 0);
}

TEST(MeanAndDeviation, OfEqualNumbersIsThatNumber) {
  for (const double value : {1.0, 7.0 / 9, -0.1, 1e300}) {
    for (std::size_t count = 1; count <= 50; ++count) {
      const auto of = MeanAndDeviation::of(std::vector<double>(count, value));
      EXPECT_EQ(of.mean, value) << count;
      EXPECT_EQ(of.deviation, 0) << count;
    }
  }
}

TEST(MeanAndDeviation, NaNIsNotHidden) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& values : {std::vector{1, nan}, std::vector{nan, 1.0, 1.0}}) {
    const auto of = MeanAndDeviation::of(values);
    EXPECT_TRUE(std::isnan(of.mean));
    EXPECT_TRUE(std::isnan(of.deviation));
  }
}

}  // namespace
}  // namespace dnn
