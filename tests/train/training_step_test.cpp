#include "dnn/train/training_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/no_exchange.hpp"

namespace dnn {
namespace {

constexpr double eta = 0.1;
// y_0 of the example below: softmax of (2, -2).
const double p = 1 / (1 + std::exp(-4.0));

/// One update of a 2-2-2 network from the sample x = (1, 2) with label 1:
///   W^1 = ( 1    0 )  B^1 = (0, 1):  A^1 = (2, -1), X^1 = (2, 0)
///         ( 0.5 -1 )
///   W^2 = ( 1   -1 )  B^2 = (0, 0):  A^2 = (2, -2), y = (p, 1 - p), dA^2 = (p, -p)
///         ( 2    3 )
/// Returns W^1, B^1, W^2, B^2 after it.
std::vector<double> updated(double clip_norm = 0) {
  const ParameterLayout layout({2, 2, 2});
  test::NoExchange<double> exchange(layout.size());
  TrainingStep<double> step(layout, {.max_rows = 1, .clip_norm = clip_norm}, LossSettings(), {},
                            exchange);
  const std::vector<std::vector<double>> tensors = {{1, 0, 0.5, -1}, {0, 1}, {1, -1, 2, 3}, {0, 0}};
  const Range places[] = {layout.layers()[0].weights, layout.layers()[0].bias,
                          layout.layers()[1].weights, layout.layers()[1].bias};
  for (std::size_t i = 0; i < 4; ++i) {
    std::copy(tensors[i].begin(), tensors[i].end(),
              exchange.values().begin() + static_cast<std::ptrdiff_t>(places[i].begin));
  }
  const std::vector<double> x = {1, 2};
  const std::vector<std::int32_t> label = {1};
  const std::vector<std::uint64_t> sample = {0};
  PhaseSeconds seconds;
  const LossSums sums = step.run({{x.data(), 1, 2}, label, sample}, 1, 1, eta, seconds).sums;
  EXPECT_NEAR(sums.loss.value(), -std::log(1 - p), 1e-13);
  std::vector<double> result;
  for (const Range place : places) {
    const auto values = step.values().subspan(place.begin, place.size());
    result.insert(result.end(), values.begin(), values.end());
  }
  return result;
}

// By hand: dW^2 = ((2p, -2p), (0, 0)), dB^2 = (p, -p); dX^1 = dA^2 W^2ᵀ = (2p, -p) with the
// original W^2, of which the dead second node takes nothing: dA^1 = (2p, 0), dW^1 = ((2p, 0), (4p,
// 0)).
TEST(TrainingStep, DeferredUpdateByHand) {
  const std::vector<double> expected = {1 - eta * 2 * p,
                                        0,
                                        0.5 - eta * 4 * p,
                                        -1,
                                        0 - eta * 2 * p,
                                        1,
                                        1 - eta * 2 * p,
                                        -1 + eta * 2 * p,
                                        2,
                                        3,
                                        0 - eta * p,
                                        0 + eta * p};
  const std::vector<double> result = updated();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(result[i], expected[i], 1e-15) << i;
  }
}

// Had layer 2 been updated before layer 1's gradient was taken, dX^1_0 would be
// p (1 - 2ηp) + p (1 - 2ηp) = 2p - 4ηp², and W^1 would land elsewhere.
TEST(TrainingStep, UpdatingLayerByLayerWouldGiveOtherNumbers) {
  const double layer_by_layer = 1 - eta * (2 * p - 4 * eta * p * p);
  const double deferred = updated()[0];
  EXPECT_GT(std::abs(deferred - layer_by_layer), 0.01);
  EXPECT_NEAR(deferred, 1 - eta * 2 * p, 1e-15);
}

// |gradients|² = (2p)² + (4p)² + (2p)² + 2 (2p)² + 2 p² = 34 p².
TEST(TrainingStep, ClippingScalesTheWholeGradient) {
  const double norm = std::sqrt(34.0) * p;
  const std::vector<double> free = updated();
  const std::vector<double> clipped = updated(norm / 2);
  EXPECT_NEAR(1 - clipped[0], (1 - free[0]) / 2, 1e-14);
  EXPECT_NEAR(clipped.back(), free.back() / 2, 1e-14);
  EXPECT_EQ(updated(2 * norm), free);
}

/// What a network of 2-2-2 makes of two samples, of which the second is `x`, after a step that it
/// took well and with parameters that are all `w`.
struct Outcome {
  StepResult result;
  bool unchanged = false;
  bool next_counts = false;
};
template <class T>
Outcome step_with(std::vector<T> x, T w, double largest_gradient, double largest_input) {
  const ParameterLayout layout({2, 2, 2});
  test::NoExchange<T> exchange(layout.size());
  TrainingStep<T> step(
      layout, {.max_rows = 2, .largest_input = largest_input, .largest_gradient = largest_gradient},
      LossSettings(), {.kind = OptimizerKind::adam}, exchange);
  step.set_values([w](std::span<T> values) { std::fill(values.begin(), values.end(), w); });
  const std::vector<std::int32_t> labels = {1, 0};
  const std::vector<std::uint64_t> samples = {17, 23};
  const std::vector<T> good = {1, 1, 1, 1};
  std::vector<T> mixed = {1, 1, x[0], x[1]};
  PhaseSeconds seconds;
  EXPECT_TRUE(step.run({{good.data(), 2, 2}, labels, samples}, 2, 1, eta, seconds).counts);
  const std::vector<T> before(step.values().begin(), step.values().end());
  Outcome outcome;
  outcome.result = step.run({{mixed.data(), 2, 2}, labels, samples}, 2, 1, eta, seconds);
  outcome.unchanged = std::equal(before.begin(), before.end(), step.values().begin()) &&
                      step.optimizer().steps() == 1;
  outcome.next_counts = step.run({{good.data(), 2, 2}, labels, samples}, 2, 1, eta, seconds).counts;
  return outcome;
}

constexpr double infinite = std::numeric_limits<double>::infinity();

TEST(TrainingStep, LogitsThatAreNoNumbersChangeNothingAndNameTheSample) {
  for (const float x : {3e38F, -3e38F, std::numeric_limits<float>::infinity(),
                        std::numeric_limits<float>::quiet_NaN()}) {
    const Outcome outcome = step_with<float>({x, x}, 1.5F, 3e38, infinite);
    if (x == -3e38F) {
      EXPECT_TRUE(outcome.result.counts);  // the dead nodes take it
      continue;
    }
    EXPECT_FALSE(outcome.result.counts);
    EXPECT_TRUE(outcome.unchanged);
    EXPECT_TRUE(outcome.next_counts);
    ASSERT_TRUE(outcome.result.bad);
    EXPECT_EQ(outcome.result.bad->samples, std::vector<std::uint64_t>{23});
    EXPECT_EQ(outcome.result.sums.correct.value(), 0);
  }
}

// The good batch's two samples pull in opposite directions, so that its gradients are 0.
TEST(TrainingStep, GradientsBeyondTheLimitChangeNothingAndNameTheLayer) {
  const Outcome within = step_with<double>({3, 3}, 1.5, 1e3, 3);
  EXPECT_TRUE(within.result.counts);
  EXPECT_FALSE(within.unchanged);
  const Outcome beyond = step_with<double>({3, 3}, 1.5, 1e-3, 3);
  EXPECT_FALSE(beyond.result.counts);
  EXPECT_TRUE(beyond.unchanged);
  EXPECT_TRUE(beyond.next_counts);
  ASSERT_TRUE(beyond.result.bad);
  EXPECT_NE(beyond.result.bad->what.find("layer "), std::string::npos) << beyond.result.bad->what;
  EXPECT_EQ(beyond.result.bad->samples, (std::vector<std::uint64_t>{17, 23}));
}

}  // namespace
}  // namespace dnn
