#include "dnn/nn/output_loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

namespace dnn {
namespace {

/// Sums of the losses of rows of outputs.
template <class T>
double sum_of(const OutputLoss<T>& loss, const std::vector<T>& a, const Targets& targets,
              std::size_t columns) {
  return loss.evaluate({a.data(), a.size() / columns, columns}, targets, {0, columns}, {}).value();
}

/// dA of three samples of three outputs against central differences, with weights.
void check_gradient(const OutputLoss<double>& loss, const std::vector<double>& a,
                    const std::vector<double>& target) {
  const std::vector<double> weights = {0.5, 2, 0.5};
  const Targets targets(MatrixView<const double>{target.data(), 3, 3}, weights);
  std::vector<double> dA = a;
  const double value = loss.differentiate({dA.data(), 3, 3}, targets, {0, 3}, 7, {}).value();
  EXPECT_EQ(value, sum_of(loss, a, targets, 3));
  for (std::size_t i = 0; i < a.size(); ++i) {
    constexpr double h = 1e-6;
    std::vector<double> up = a;
    std::vector<double> down = a;
    up[i] += h;
    down[i] -= h;
    const double slope =
        (sum_of(loss, up, targets, 3) - sum_of(loss, down, targets, 3)) / (2 * h) / 7;
    EXPECT_NEAR(dA[i], slope, 1e-9) << i;
  }
}

const std::vector<double> outputs = {0.3, -1.2, 2.5, -0.4, 0.1, -3, 1.5, 0.7, -0.2};

TEST(OutputLoss, GradientsAreTheLossesDifferenceQuotients) {
  const std::vector<double> numbers = {0.1, -2, 2.25, 1, 0.3, -2.5, 0, 0.5, 4};
  check_gradient(SquaredError<double>(), outputs, numbers);
  check_gradient(SquaredError<double>(0.6), outputs, numbers);
  const std::vector<double> labels = {0, 1, 1, 0, 0, 1, 1, 0.25, 0.5};
  check_gradient(SigmoidCrossEntropy<double>(), outputs, labels);
}

TEST(OutputLoss, ASampleOfWeight0MayBeAsFarAwayAsItLikes) {
  const std::vector<double> target = {0.5, 1e300, -HUGE_VAL, 0.25};
  const std::vector<double> weights = {1, 0, 0, 2};
  const Targets targets(MatrixView<const double>{target.data(), 4, 1}, weights);
  const std::vector<double> a = {1.5, 0.1, 3, 1.25};
  EXPECT_EQ(sum_of(SquaredError<double>(), a, targets, 1), 0.5 + 2 * 0.5);
  std::vector<double> dA = a;
  (void)SquaredError<double>().differentiate({dA.data(), 4, 1}, targets, {0, 1}, 4, {});
  EXPECT_EQ(dA, (std::vector<double>{0.25, 0, 0, 0.5}));
  // What the network makes of it must be a number all the same.
  const std::vector<double> bad = {1.5, NAN, 3, 1.25};
  std::vector<std::int64_t> samples(4, 0);
  (void)SquaredError<double>().evaluate({bad.data(), 4, 1}, targets, {0, 1}, samples);
  EXPECT_EQ(samples, (std::vector<std::int64_t>{0, 1, 0, 0}));
}

TEST(OutputLoss, HuberIsSquaredWithinAndLinearBeyond) {
  const SquaredError<double> huber(2);
  EXPECT_EQ(huber.loss(1, 2.5), 1.125);
  EXPECT_EQ(huber.slope(1, 2.5), -1.5);
  EXPECT_EQ(huber.loss(10, 0), 2 * (10 - 1));
  EXPECT_EQ(huber.slope(10, 0), 2);
  EXPECT_EQ(huber.slope(-10, 0), -2);
}

template <class T>
class SigmoidOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(SigmoidOf, Elements);

// The extremes of the derivation, as for softmax: nothing overflows, and nothing becomes NaN.
TYPED_TEST(SigmoidOf, FiniteAndExactAtTheExtremes) {
  using T = TypeParam;
  constexpr T huge = sizeof(T) == 4 ? T(1e4) : T(1e300);
  const SigmoidCrossEntropy<T> loss;
  for (const double label : {0.0, 1.0}) {
    const T right = label > 0 ? huge : -huge;
    EXPECT_EQ(loss.loss(right, label), 0);
    EXPECT_EQ(loss.slope(right, label), 0);
    EXPECT_EQ(loss.loss(-right, label), static_cast<double>(huge));
    EXPECT_EQ(loss.slope(-right, label), label > 0 ? -1 : 1);
    EXPECT_NEAR(loss.loss(0, label), std::log(2.0), 1e-15);
    EXPECT_EQ(loss.slope(0, label), 0.5 - label);
  }
  // log1p(exp(-a)) where 1 + exp(-a) would be 1.
  const T large = sizeof(T) == 4 ? T(30) : T(50);
  EXPECT_NEAR(loss.loss(large, 1) / std::exp(-static_cast<double>(large)), 1, 1e-5);
  EXPECT_EQ(sigmoid(huge), 1);
  EXPECT_EQ(sigmoid(-huge), 0);
}

TYPED_TEST(SigmoidOf, WhatIsNoNumberIsTold) {
  using T = TypeParam;
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  constexpr T inf = std::numeric_limits<T>::infinity();
  const std::vector<T> a = {0, nan, 1, 2, inf, 0, -1, -2};
  const std::vector<double> target = {0, 1, 1, 0, 0, 1, 1, 0};
  const Targets targets(MatrixView<const double>{target.data(), 4, 2});
  const std::vector<std::int64_t> expected = {1, 0, 1, 0};
  const SigmoidCrossEntropy<T> cross_entropy;
  const SquaredError<T> squared;
  for (const OutputLoss<T>* loss : {static_cast<const OutputLoss<T>*>(&cross_entropy),
                                    static_cast<const OutputLoss<T>*>(&squared)}) {
    std::vector<std::int64_t> bad(4, 0);
    const ExactSum sum = loss->evaluate({a.data(), 4, 2}, targets, {0, 2}, bad);
    EXPECT_TRUE(std::isnan(sum.value()));
    EXPECT_EQ(bad, expected);
  }
}

}  // namespace
}  // namespace dnn
