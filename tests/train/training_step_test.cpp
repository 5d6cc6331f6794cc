#include "dnn/train/training_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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
  test::NoExchange exchange(layout.size());
  TrainingStep<double> step(layout, {.max_rows = 1, .clip_norm = clip_norm}, SoftmaxCrossEntropy(),
                            {}, exchange);
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
  const LossSums sums = step.run({{x.data(), 1, 2}, label, sample}, 1, 1, eta, seconds);
  EXPECT_NEAR(sums.loss, -std::log(1 - p), 1e-13);
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

}  // namespace
}  // namespace dnn
