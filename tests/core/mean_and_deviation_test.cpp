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

TEST(MeanAndDeviation, NaNIsNotHidden) {
  const auto of =
      MeanAndDeviation::of(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_TRUE(std::isnan(of.mean));
  EXPECT_TRUE(std::isnan(of.deviation));
}

}  // namespace
}  // namespace dnn
