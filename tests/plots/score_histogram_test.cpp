#include "dnn/plots/score_histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace dnn {
namespace {

ScoreHistogram histogram_of(const std::vector<std::pair<double, bool>>& scores) {
  ScoreHistogram histogram;
  for (const auto& [score, is_positive] : scores) {
    histogram.add(score, is_positive);
  }
  return histogram;
}

// Worked out by hand: from the highest score down the samples are + - + + - -.
TEST(ScoreHistogram, CurveAreaAndAveragePrecisionAreThoseOfTheDefinitions) {
  const ScoreHistogram histogram =
      histogram_of({{3, true}, {2, false}, {1, true}, {0.5, true}, {-1, false}, {-4, false}});
  const std::vector<ScoreHistogram::Point> expected = {{0, 0}, {1, 0}, {1, 1}, {2, 1},
                                                       {3, 1}, {3, 2}, {3, 3}};
  EXPECT_EQ(histogram.curve(), expected);
  EXPECT_NEAR(histogram.area(), 7.0 / 9, 1e-15);  // of 9 pairs, 7 are in order
  EXPECT_NEAR(histogram.average_precision(), (1.0 + 2.0 / 3 + 3.0 / 4) / 3, 1e-15);
}

TEST(ScoreHistogram, EqualScoresCountAsHalf) {
  const ScoreHistogram histogram = histogram_of({{1, true}, {1, false}});
  EXPECT_EQ(histogram.area(), 0.5);
  EXPECT_EQ(histogram.average_precision(), 0.5);
}

TEST(ScoreHistogram, ScoresBeyondTheBinsCountAndThoseThatAreNoneDoNot) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const ScoreHistogram histogram = histogram_of(
      {{infinity, true}, {-infinity, false}, {std::nan(""), true}, {1e300, true}, {-1e300, false}});
  EXPECT_EQ(histogram.curve().back(), (ScoreHistogram::Point{2, 2}));
  EXPECT_EQ(histogram.area(), 1);
}

TEST(ScoreHistogram, WithoutAPairThereIsNoArea) {
  EXPECT_TRUE(std::isnan(ScoreHistogram().area()));
  EXPECT_TRUE(std::isnan(ScoreHistogram().average_precision()));
  EXPECT_TRUE(std::isnan(histogram_of({{1, false}, {2, false}}).area()));
  EXPECT_EQ(ScoreHistogram().curve().size(), 1U);
}

TEST(ScoreHistogram, LogOddsOfAProbability) {
  EXPECT_NEAR(log_odds(std::log(0.5)), 0, 1e-15);
  EXPECT_NEAR(log_odds(std::log(0.9)), std::log(9.0), 1e-13);
  EXPECT_NEAR(log_odds(-1e-9), std::log(1e9), 1e-6);
  EXPECT_NEAR(log_odds(-1000), -1000, 1e-12);
  EXPECT_EQ(log_odds(0), std::numeric_limits<double>::infinity());
}

TEST(ScoreHistogram, AThinnedCurveKeepsItsEndsAndItsShape) {
  ScoreHistogram histogram;
  for (int i = 0; i < 1000; ++i) {
    histogram.add(-24.975 + 0.05 * i, i * 7919 % 1000 < i);
  }
  const std::vector<ScoreHistogram::Point> curve = histogram.curve();
  ASSERT_EQ(curve.size(), 1001U);
  const std::vector<ScoreHistogram::Point> thin = thinned_curve(curve, 150);
  EXPECT_LE(thin.size(), 150U);
  EXPECT_GE(thin.size(), 50U);
  EXPECT_EQ(thin.front(), curve.front());
  EXPECT_EQ(thin.back(), curve.back());
  // The polygon through the points that are left has nearly the same area.
  double area = 0;
  for (std::size_t i = 1; i < thin.size(); ++i) {
    area += static_cast<double>(thin[i].negatives - thin[i - 1].negatives) *
            static_cast<double>(thin[i].positives + thin[i - 1].positives) / 2;
  }
  area /= static_cast<double>(curve.back().positives) * static_cast<double>(curve.back().negatives);
  EXPECT_NEAR(area, histogram.area(), 0.002);
}

}  // namespace
}  // namespace dnn
