#include "dnn/nn/bf16_dense.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "dnn/nn/dense_products.hpp"
#include "support/bf16_unit.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

class Bf16DenseTest : public test::NeedsBf16Products {};

using Matrix = std::vector<float>;

std::vector<double> rounded(const Matrix& numbers) {
  std::vector<double> result;
  for (const float x : numbers) {
    result.push_back(static_cast<double>(to_float(to_bf16(x))));
  }
  return result;
}

void expect_near(const Matrix& actual, const std::vector<double>& expected, const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], 2e-5) << what << " at " << i;
  }
}

/// One step of S samples, compared with the double layer's on the rounded operands.
void check_step(Bf16Dense& layer, std::size_t inputs, std::size_t outputs, std::size_t S,
                std::uint64_t seed) {
  const Matrix X = test::numbers<float>(S * inputs, seed);
  const Matrix W = test::numbers<float>(inputs * outputs, seed + 1);
  const Matrix dA = test::numbers<float>(S * outputs, seed + 2);
  Matrix A(S * outputs, NAN), dW(inputs * outputs, NAN), dX(S * inputs, NAN);
  layer.set_weights({W.data(), inputs, outputs});
  layer.forward({X.data(), S, inputs}, {A.data(), S, outputs});
  layer.backward_parameters({dA.data(), S, outputs}, {dW.data(), inputs, outputs});
  layer.backward_input({dX.data(), S, inputs});

  const auto X2 = rounded(X), W2 = rounded(W), dA2 = rounded(dA);
  std::vector<double> A2(A.size()), dW2(dW.size()), dX2(dX.size()), dB2(outputs);
  DenseProducts<double> products;
  const Range all{0, S};
  const ShardSum<double> sum{{0, 1}, {dW2.data(), inputs, outputs}, dB2};
  products.forward({X2.data(), S, inputs}, {W2.data(), inputs, outputs}, {A2.data(), S, outputs});
  products.backward_parameters({X2.data(), S, inputs}, {dA2.data(), S, outputs}, {&all, 1},
                               {&sum, 1});
  products.backward_input({dA2.data(), S, outputs}, {W2.data(), inputs, outputs}, {0, outputs},
                          {dX2.data(), S, inputs});
  expect_near(A, A2, "A");
  expect_near(dW, dW2, "dW");
  expect_near(dX, dX2, "dX");
}

TEST_F(Bf16DenseTest, AgreesWithTheDoubleLayerForEverySizeOfBatch) {
  for (const auto& [inputs, outputs] :
       {std::pair<std::size_t, std::size_t>{784, 256}, {65, 127}, {256, 10}, {3, 2}, {1, 1}}) {
    Bf16Dense layer(inputs, outputs, 70, Bf16Dense::Backward::parameters_and_input);
    std::uint64_t seed = 1;
    for (const std::size_t S : {70, 33, 1, 0, 64, 70}) {
      check_step(layer, inputs, outputs, S, seed++);
    }
  }
}

TEST_F(Bf16DenseTest, GivesTheSameWithoutTheGradientsItIsNotAskedFor) {
  constexpr std::size_t inputs = 100, outputs = 150, S = 20;
  const Matrix X = test::numbers<float>(S * inputs, 1);
  const Matrix W = test::numbers<float>(inputs * outputs, 2);
  const Matrix dA = test::numbers<float>(S * outputs, 3);
  std::vector<Matrix> all_A, all_dW;
  using Backward = Bf16Dense::Backward;
  for (const Backward backward :
       {Backward::none, Backward::parameters, Backward::parameters_and_input}) {
    Bf16Dense layer(inputs, outputs, S, backward);
    Matrix A(S * outputs), dW(inputs * outputs);
    layer.set_weights({W.data(), inputs, outputs});
    layer.forward({X.data(), S, inputs}, {A.data(), S, outputs});
    all_A.push_back(A);
    if (backward != Backward::none) {
      layer.backward_parameters({dA.data(), S, outputs}, {dW.data(), inputs, outputs});
      all_dW.push_back(dW);
    } else {
      EXPECT_THROW(layer.backward_parameters({dA.data(), S, outputs}, {dW.data(), inputs, outputs}),
                   std::invalid_argument);
    }
    if (backward == Backward::parameters) {
      Matrix dX(S * inputs);
      EXPECT_THROW(layer.backward_input({dX.data(), S, inputs}), std::invalid_argument);
    }
  }
  EXPECT_EQ(all_A[0], all_A[1]);
  EXPECT_EQ(all_A[0], all_A[2]);
  EXPECT_EQ(all_dW[0], all_dW[1]);
}

TEST_F(Bf16DenseTest, RefusesWhatDoesNotFit) {
  Bf16Dense layer(3, 2, 4, Bf16Dense::Backward::parameters_and_input);
  Matrix numbers(30);
  float* data = numbers.data();
  EXPECT_THROW(layer.set_weights({data, 2, 3}), std::invalid_argument);
  EXPECT_THROW(layer.forward({data, 5, 3}, {data, 5, 2}), std::invalid_argument);
  EXPECT_THROW(layer.forward({data, 4, 3}, {data, 3, 2}), std::invalid_argument);
  layer.forward({data, 4, 3}, {data + 12, 4, 2});
  EXPECT_THROW(layer.backward_parameters({data, 3, 2}, {data, 3, 2}), std::invalid_argument);
  EXPECT_THROW(layer.backward_parameters({data, 4, 2}, {data, 2, 3}), std::invalid_argument);
  EXPECT_THROW(layer.backward_input({data, 3, 3}), std::invalid_argument);
}

}  // namespace
}  // namespace dnn
