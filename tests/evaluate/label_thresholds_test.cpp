#include "dnn/evaluate/label_thresholds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace dnn {
namespace {

/// F1 of a label that is given from `threshold` on.
double f1_at(const std::vector<LabelScore>& scores, double threshold) {
  double right = 0;
  double wrong = 0;
  double lacking = 0;
  for (const LabelScore& score : scores) {
    const bool given = score.probability >= threshold;
    right += given && score.has_label ? score.weight : 0;
    wrong += given && !score.has_label ? score.weight : 0;
    lacking += !given && score.has_label ? score.weight : 0;
  }
  return right > 0 ? 2 * right / (2 * right + wrong + lacking) : 0;
}

double chosen(std::vector<LabelScore> scores) {
  return best_threshold(scores);
}

TEST(BestThreshold, HasTheLargestF1OfAllThresholds) {
  std::uint64_t state = 1;
  const auto next = [&state] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 33) / 0x1p31;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<LabelScore> scores;
    for (int i = 0; i < 1 + round % 30; ++i) {
      const bool has_label = next() < 0.3;
      // Some are equal, and most positives have larger ones.
      const double probability = std::round((next() + (has_label ? 0.3 : 0)) / 1.3 * 20) / 20;
      scores.push_back({probability, 1 + std::round(2 * next()), has_label});
    }
    double largest = 0;
    for (int t = 0; t <= 1000; ++t) {
      largest = std::max(largest, f1_at(scores, t / 1000.0));
    }
    EXPECT_NEAR(f1_at(scores, chosen(scores)), largest, 1e-12) << round;
  }
}

TEST(BestThreshold, DoesNotDependOnTheOrder) {
  std::vector<LabelScore> scores = {
      {0.2, 0.1, true}, {0.2, 0.7, false}, {0.4, 0.3, true}, {0.1, 0.2, false}, {0.2, 0.3, true}};
  const double threshold = chosen(scores);
  std::sort(scores.begin(), scores.end(),
            [](const LabelScore& a, const LabelScore& b) { return a.weight < b.weight; });
  EXPECT_EQ(chosen(scores), threshold);
}

TEST(BestThreshold, LiesBetweenTheProbabilitiesThatItParts) {
  EXPECT_DOUBLE_EQ(chosen({{0.1, 1, false}, {0.2, 1, true}, {0.3, 1, true}}), 0.15);
  EXPECT_DOUBLE_EQ(chosen({{0.6, 1, false}, {0.8, 1, true}}), 0.7);
  const double above = std::nextafter(0.7, 1.0);
  EXPECT_EQ(chosen({{0.7, 1, false}, {above, 1, true}}), above);
}

TEST(BestThreshold, StaysAtOneHalfWhereThatIsAsGood) {
  EXPECT_EQ(chosen({{0.1, 1, false}, {0.9, 1, true}}), 0.5);
  EXPECT_EQ(chosen({{0.1, 1, false}, {0.5, 1, true}}), 0.5);
  // From 0.15 on and from 0.7 on are equally good.
  EXPECT_DOUBLE_EQ(
      chosen({{0.1, 1, false}, {0.2, 1, true}, {0.3, 1, false}, {0.6, 2, false}, {0.8, 1, true}}),
      0.7);
}

TEST(BestThreshold, IsOneHalfWhereNothingTells) {
  EXPECT_EQ(chosen({}), 0.5);
  EXPECT_EQ(chosen({{0.1, 1, false}, {0.9, 1, false}}), 0.5);
  EXPECT_EQ(chosen({{0.1, 0, true}, {0.9, 1, false}}), 0.5);
  EXPECT_EQ(chosen({{0.1, 1, true}, {std::numeric_limits<double>::quiet_NaN(), 1, false}}), 0.5);
}

}  // namespace
}  // namespace dnn
