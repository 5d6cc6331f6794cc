#include "dnn/nn/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "dnn/nn/initializer.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/products/feature_sums.hpp"
#include "support/sparse_rows.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

/// A small network with random biases too, and a batch for it.
struct Fixture {
  ParameterLayout layout{{6, 9, 7, 5, 4}};
  std::vector<double> values = std::vector<double>(layout.size());
  std::vector<double> gradients = std::vector<double>(layout.size());
  std::vector<double> x = test::numbers<double>(std::size_t{5} * 6, 21);
  std::vector<std::int32_t> labels = {0, 3, 1, 2, 2};
  std::vector<std::uint64_t> samples = {10, 11, 12, 13, 14};
  DropoutKey key{3, 2, samples};

  Fixture() {
    initialize<double>(layout, Initializer::he, 4, values);
    for (const LayerLayout& layer : layout.layers()) {
      const auto b = test::numbers<double>(layer.outputs, layer.outputs);
      std::copy(b.begin(), b.end(), values.begin() + static_cast<std::ptrdiff_t>(layer.bias.begin));
    }
  }
  [[nodiscard]] MatrixView<const double> X() const { return {x.data(), 5, 6}; }
};

/// dW and dB of every layer against central differences of the loss.
void check_gradients(const SoftmaxCrossEntropy& loss, double dropout,
                     const std::vector<double>& weights = {}) {
  Fixture f;
  const Targets targets(f.labels, weights);
  Network<double> network(f.layout, f.values, f.gradients, {.max_batch = 5, .dropout = dropout});
  loss.differentiate<double>(network.forward(f.X(), &f.key), targets, 5);
  network.backward(f.X(), 1, {}, [](const auto&) {});
  const auto loss_at = [&](std::size_t i, double step) {
    const double kept = f.values[i];
    f.values[i] = kept + step;
    const MatrixView<const double> A = network.forward(f.X(), &f.key);
    const double value = loss.evaluate<double>(A, targets).loss.value() / 5;
    f.values[i] = kept;
    return value;
  };
  const std::vector<double> gradients = f.gradients;
  std::size_t nonzero = 0;
  for (const LayerLayout& layer : f.layout.layers()) {
    for (const Range range : {layer.weights, layer.bias}) {
      for (std::size_t i = range.begin; i < range.end; ++i) {
        constexpr double h = 1e-6;
        ASSERT_NEAR(gradients[i], (loss_at(i, h) - loss_at(i, -h)) / (2 * h), 2e-9) << i;
        nonzero += gradients[i] != 0 ? 1 : 0;
      }
    }
  }
  EXPECT_GT(nonzero, f.layout.parameter_count() / 4);  // the comparison was not of zeros
}

TEST(Network, GradientsAreTheLossesDifferenceQuotients) {
  check_gradients(SoftmaxCrossEntropy(), 0);
}
TEST(Network, GradientsWithLabelSmoothingAndClassWeights) {
  check_gradients(SoftmaxCrossEntropy(0.1, {0.5, 2, 1, 1.5}), 0);
}
TEST(Network, GradientsWithSampleWeights) {
  check_gradients(SoftmaxCrossEntropy(0.1, {0.5, 2, 1, 1.5}), 0.2, {0.5, 0, 2.25, 1, 1.25});
}
TEST(Network, GradientsWithDropout) {
  check_gradients(SoftmaxCrossEntropy(), 0.4);
}

TEST(Network, SparseInputHasTheBitsOfDenseInput) {
  const ParameterLayout layout({300, 20, 7, 4});
  std::vector<float> values(layout.size());
  initialize<float>(layout, Initializer::he, 4, values);
  const test::SparseExample<float> X(12, 300, 20, 9);
  const std::vector<std::int32_t> labels = {0, 3, 1, 2, 2, 0, 1, 1, 3, 2, 0, 3};
  const std::vector<std::uint64_t> samples = {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const std::vector<Range> shards = {{0, 4}, {4, 8}, {8, 12}};
  const DropoutKey key{3, 2, samples};
  const auto gradients_of = [&](const InputRows<float>& input, bool sparse, float& loss) {
    std::vector<float> gradients(layout.size());
    Network<float> network(layout, values, gradients,
                           {.max_batch = 12, .dropout = 0.3, .sparse_input = sparse});
    network.use_shards({{{0, 3}, gradients}});
    const MatrixView<float> logits = network.forward(input, &key);
    loss = logits(11, 3);
    SoftmaxCrossEntropy().differentiate<float>(logits, labels, 12);
    std::vector<std::size_t> ready;
    network.backward(input, 1, shards, [&](const auto& layer) { ready.push_back(layer.layer); });
    EXPECT_EQ(ready, (std::vector<std::size_t>{3, 2, 1}));
    if (sparse) {
      std::vector<float> rows(X.active.size() * 20);
      FeatureSums<float>(X.by_columns(), network.first_dA(), shards)
          .run({0, 3}, {rows.data(), X.active.size(), 20});
      for (std::size_t k = 0; k < X.active.size(); ++k) {
        std::copy_n(rows.data() + k * 20, 20, gradients.data() + X.active[k] * std::size_t{20});
      }
    }
    return gradients;
  };
  float dense_logit = 0;
  float sparse_logit = 1;
  EXPECT_EQ(gradients_of(X.sparse(), true, sparse_logit),
            gradients_of(X.matrix(), false, dense_logit));
  EXPECT_EQ(sparse_logit, dense_logit);
}

TEST(Network, ShardsSumToTheBatchs) {
  Fixture f;
  const SoftmaxCrossEntropy loss;
  Network<double> whole(f.layout, f.values, f.gradients, {.max_batch = 5});
  loss.differentiate<double>(whole.forward(f.X()), f.labels, 5);
  whole.backward(f.X(), 1, {}, [](const auto&) {});
  std::vector<std::vector<double>> nodes(2, std::vector<double>(f.layout.size()));
  Network<double> network(f.layout, f.values, nodes[0], {.max_batch = 5});
  network.use_shards({{{0, 2}, nodes[0]}, {{2, 4}, nodes[1]}});
  const std::vector<Range> shards = {{0, 1}, {1, 1}, {1, 3}, {3, 5}};
  loss.differentiate<double>(network.forward(f.X()), f.labels, 5);
  network.backward(f.X(), 1, shards, [](const auto&) {});
  double of_first = 0;
  for (std::size_t i = 0; i < f.gradients.size(); ++i) {
    EXPECT_NEAR(nodes[0][i] + nodes[1][i], f.gradients[i], 1e-15);
    of_first += std::abs(nodes[0][i]);
  }
  EXPECT_GT(of_first, 0.1);
}

TEST(Network, BlocksOfClassesNeedTheirSums) {
  const ParameterLayout layout({3, 8}, {LayerSplit::columns}, 1, 0, 2);
  const std::vector<double> values(layout.size());
  std::vector<double> gradients(layout.size());
  EXPECT_THROW(Network<double>(layout, values, gradients, {.max_batch = 1}), std::invalid_argument);
  EXPECT_NO_THROW(Network<double>(layout, values, {}, {.max_batch = 1}));
}

// So that ranks with one shard each and a rank with both find the same gradients too large.
TEST(Network, LargestGradientIsOneOfAShardNotOfTheSum) {
  const ParameterLayout layout({1, 2});
  const std::vector<double> values(layout.size(), 0.0);
  std::vector<double> gradients(layout.size());
  Network<double> network(layout, values, gradients, {.max_batch = 2});
  network.use_shards({{{0, 2}, gradients}});
  const std::vector<double> x = {3, 3};
  const MatrixView<const double> X{x.data(), 2, 1};
  const std::vector<Range> shards = {{0, 1}, {1, 2}};
  SoftmaxCrossEntropy().differentiate<double>(network.forward(X), std::vector<std::int32_t>{0, 1},
                                              1);
  double largest = -1;
  network.backward(X, 3, shards, [&](const auto&) { largest = network.largest_gradient(); });
  EXPECT_EQ(largest, 1.5);
  EXPECT_EQ(gradients[layout.layers()[0].weights.begin], 0);
}

TEST(Network, ShardsGradientsSumToTheBatchs) {
  Fixture f;
  Network<double> network(f.layout, f.values, f.gradients, {.max_batch = 5});
  const SoftmaxCrossEntropy loss;
  loss.differentiate<double>(network.forward(f.X()), f.labels, 5);
  network.backward(f.X(), 1, {}, [](const auto&) {});
  const std::vector<double> whole = f.gradients;
  std::vector<double> sum(whole.size(), 0.0);
  // 3 + 0 + 2 samples, each divided by the global 5.
  for (const Range shard : {Range{0, 3}, Range{3, 3}, Range{3, 5}}) {
    const MatrixView<const double> X{f.x.data() + shard.begin * 6, shard.size(), 6};
    loss.differentiate<double>(network.forward(X),
                               Targets(std::span(f.labels).subspan(shard.begin, shard.size())), 5);
    network.backward(X, 1, {}, [](const auto&) {});
    std::transform(sum.begin(), sum.end(), f.gradients.begin(), sum.begin(), std::plus<>());
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_NEAR(sum[i], whole[i], 1e-15);
  }
}

TEST(Network, WithoutHiddenLayersItIsLogisticRegression) {
  const ParameterLayout layout({2, 3});
  std::vector<double> values(layout.size(), 0.0);
  values[layout.layers()[0].weights.begin + 1] = 2;  // w from input 0 to class 1
  values[layout.layers()[0].bias.begin + 2] = -1;
  Network<double> network(layout, values, {}, {.max_batch = 1});
  const std::vector<double> x = {3, 5};
  const auto A = network.forward({x.data(), 1, 2});
  EXPECT_EQ((std::vector<double>{A(0, 0), A(0, 1), A(0, 2)}), (std::vector<double>{0, 6, -1}));
}

TEST(ParameterLayout, PlacesTensorsOnCacheLinesOneAfterTheOther) {
  const ParameterLayout layout({3, 5, 2});
  EXPECT_EQ(layout.parameter_count(), 3U * 5 + 5 + 5 * 2 + 2);
  std::size_t end = 0;
  for (const LayerLayout& layer : layout.layers()) {
    for (const Range range : {layer.weights, layer.bias}) {
      EXPECT_EQ(range.begin % 16, 0U);
      EXPECT_GE(range.begin, end);
      end = range.end;
    }
  }
  EXPECT_LE(end, layout.size());
  EXPECT_THROW(ParameterLayout({3}), std::invalid_argument);
  EXPECT_THROW(ParameterLayout({3, 0, 2}), std::invalid_argument);
}

}  // namespace
}  // namespace dnn
