// A network whose products are in bf16, against the same one in float.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dnn/nn/initializer.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/nn/softmax.hpp"
#include "support/bf16_unit.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

class Bf16Network : public test::NeedsBf16Products {
 protected:
  static constexpr std::size_t rows = 33;
  ParameterLayout layout{{50, 96, 64, 10}};
  std::vector<float> values = std::vector<float>(layout.size());
  std::vector<float> x = test::numbers<float>(rows * 50, 5);

  Bf16Network() { initialize<float>(layout, Initializer::he, 4, values); }

  /// The loss, and all gradients, of the first `count` samples.
  double differentiate(ProductKind products, std::size_t count, std::vector<float>& gradients) {
    gradients.assign(layout.size(), -1.0F);
    Network<float> network(layout, values, gradients, {.max_batch = rows, .products = products});
    network.values_changed();
    const MatrixView<const float> X{x.data(), count, 50};
    std::vector<std::int32_t> labels(count);
    for (std::size_t i = 0; i < count; ++i) {
      labels[i] = static_cast<std::int32_t>(i % 10);
    }
    const LossSums sums = SoftmaxCrossEntropy().differentiate(network.forward(X), labels, count);
    network.backward(X, 1, {}, [](const auto&) {});
    return sums.loss.value() / static_cast<double>(count);
  }
};

TEST_F(Bf16Network, LossAndGradientsAreTheFloatOnesToTheRoundingOfBf16) {
  for (const std::size_t count : {rows, rows - 5, std::size_t{1}}) {
    std::vector<float> exact;
    std::vector<float> rounded;
    const double loss = differentiate(ProductKind::full, count, exact);
    EXPECT_NEAR(differentiate(ProductKind::bf16, count, rounded), loss, 0.02 * loss);
    double distance = 0;
    double norm = 0;
    for (const LayerLayout& layer : layout.layers()) {
      for (std::size_t i = layer.weights.begin; i < layer.weights.end; ++i) {
        distance += std::pow(static_cast<double>(rounded[i]) - static_cast<double>(exact[i]), 2);
        norm += std::pow(static_cast<double>(exact[i]), 2);
      }
    }
    // Roundings of 2^-9 each, and the few ReLUs near 0 that they tip over. Measured: 0.04.
    EXPECT_LT(std::sqrt(distance / norm), 0.08) << count;
    EXPECT_GT(distance, 0) << "the products were not in bf16";
  }
}

TEST_F(Bf16Network, ChangedWeightsAreSeenOnceTold) {
  Network<float> network(layout, values, {}, {.max_batch = rows, .products = ProductKind::bf16});
  network.values_changed();
  const MatrixView<const float> X{x.data(), rows, 50};
  const float before = network.forward(X)(0, 0);
  for (float& value : values) {
    value *= 2;
  }
  network.values_changed();
  EXPECT_NEAR(network.forward(X)(0, 0), 8 * before, 0.02 * std::abs(8 * before) + 1e-3);
}

}  // namespace
}  // namespace dnn
