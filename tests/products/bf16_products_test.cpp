#include "dnn/products/bf16_products.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "dnn/products/dense_products.hpp"
#include "support/bf16_unit.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

class Bf16ProductsTest : public test::NeedsBf16Products {};

using Matrix = std::vector<float>;

std::vector<double> as_rounded(const Matrix& numbers) {
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
void check_step(Bf16Products& layer, Matrix& W, std::size_t inputs, std::size_t outputs,
                std::size_t S, std::uint64_t seed) {
  const Matrix X = test::numbers<float>(S * inputs, seed);
  std::ranges::copy(test::numbers<float>(inputs * outputs, seed + 1), W.begin());
  const Matrix dA = test::numbers<float>(S * outputs, seed + 2);
  Matrix A(S * outputs, NAN), dW(inputs * outputs, NAN), dB(outputs, NAN), dX(S * inputs, NAN);
  layer.values_changed();
  std::vector<int> finished(S, 0);
  layer.forward({X.data(), S, inputs}, {A.data(), S, outputs}, [&](Range rows, Range columns) {
    EXPECT_EQ(columns.size(), outputs);
    for (std::size_t s = rows.begin; s < rows.end; ++s) {
      ++finished[s];
    }
  });
  EXPECT_EQ(finished, std::vector<int>(S, 1));
  const Range all{0, S};
  const ShardSum<float> own{{0, 1}, {dW.data(), inputs, outputs}, dB};
  layer.begin_backward({X.data(), S, inputs}, {dA.data(), S, outputs}, {&all, 1});
  layer.backward_input({dX.data(), S, inputs}, {});  // before or after the parameters
  layer.backward_parameters({&own, 1});

  const auto X2 = as_rounded(X), W2 = as_rounded(W), dA2 = as_rounded(dA);
  std::vector<double> A2(A.size()), dW2(dW.size()), dX2(dX.size()), dB2(outputs);
  DenseProducts<double> products;
  const ShardSum<double> sum{{0, 1}, {dW2.data(), inputs, outputs}, dB2};
  products.forward({X2.data(), S, inputs}, {W2.data(), inputs, outputs}, {A2.data(), S, outputs});
  products.backward_parameters({X2.data(), S, inputs}, {dA2.data(), S, outputs}, {&all, 1},
                               {&sum, 1});
  products.backward_input({dA2.data(), S, outputs}, {W2.data(), inputs, outputs}, {0, outputs},
                          {dX2.data(), S, inputs});
  expect_near(A, A2, "A");
  expect_near(dW, dW2, "dW");
  float largest = 0;
  for (std::size_t j = 0; j < outputs; ++j) {
    float of_column = 0;  // of dA as it is, in float
    for (std::size_t s = 0; s < S; ++s) {
      of_column += dA[s * outputs + j];
    }
    EXPECT_NEAR(dB[j], of_column, 2e-5);
    largest = std::max(largest, std::abs(dB[j]));
  }
  for (const float g : dW) {
    largest = std::max(largest, std::abs(g));
  }
  EXPECT_EQ(layer.largest_gradient({&own, 1}), largest);
  expect_near(dX, dX2, "dX");
}

TEST_F(Bf16ProductsTest, AgreesWithTheDoubleLayerForEverySizeOfBatch) {
  for (const auto& [inputs, outputs] :
       {std::pair<std::size_t, std::size_t>{784, 256}, {65, 127}, {256, 10}, {3, 2}, {1, 1}}) {
    Matrix W(inputs * outputs);
    Bf16Products layer({W.data(), inputs, outputs}, 70,
                       Bf16Products::Backward::parameters_and_input);
    std::uint64_t seed = 1;
    for (const std::size_t S : {70, 33, 1, 0, 64, 70}) {
      check_step(layer, W, inputs, outputs, S, seed++);
    }
  }
}

TEST_F(Bf16ProductsTest, KeepsTheProductsOfFewSizesOfBatch) {
  constexpr std::size_t inputs = 3, outputs = 2;
  Matrix W(inputs * outputs);
  Bf16Products layer({W.data(), inputs, outputs}, 70, Bf16Products::Backward::parameters_and_input);
  for (std::size_t S = 1; S <= 70; ++S) {
    check_step(layer, W, inputs, outputs, S, S);
    EXPECT_LE(layer.sizes(), Bf16Products::most_sizes);
  }
  check_step(layer, W, inputs, outputs, 1, 1);
}

TEST_F(Bf16ProductsTest, GivesTheSameWithoutTheGradientsItIsNotAskedFor) {
  constexpr std::size_t inputs = 100, outputs = 150, S = 20;
  const Matrix X = test::numbers<float>(S * inputs, 1);
  const Matrix W = test::numbers<float>(inputs * outputs, 2);
  const Matrix dA = test::numbers<float>(S * outputs, 3);
  const Range all{0, S};
  std::vector<Matrix> all_A, all_dW;
  using Backward = Bf16Products::Backward;
  for (const Backward backward :
       {Backward::none, Backward::parameters, Backward::parameters_and_input}) {
    Bf16Products layer({W.data(), inputs, outputs}, S, backward);
    Matrix A(S * outputs), dW(inputs * outputs), dB(outputs);
    const ShardSum<float> sum{{0, 1}, {dW.data(), inputs, outputs}, dB};
    layer.values_changed();
    layer.forward({X.data(), S, inputs}, {A.data(), S, outputs}, {});
    all_A.push_back(A);
    const auto begin = [&] {
      layer.begin_backward({X.data(), S, inputs}, {dA.data(), S, outputs}, {&all, 1});
    };
    if (backward != Backward::none) {
      begin();
      layer.backward_parameters({&sum, 1});
      all_dW.push_back(dW);
    } else {
      EXPECT_THROW(begin(), std::invalid_argument);
    }
    if (backward == Backward::parameters) {
      Matrix dX(S * inputs);
      EXPECT_THROW(layer.backward_input({dX.data(), S, inputs}, {}), std::invalid_argument);
    }
  }
  EXPECT_EQ(all_A[0], all_A[1]);
  EXPECT_EQ(all_A[0], all_A[2]);
  EXPECT_EQ(all_dW[0], all_dW[1]);
}

TEST_F(Bf16ProductsTest, RefusesWhatDoesNotFit) {
  Matrix numbers(30);
  float* data = numbers.data();
  Bf16Products layer({data, 3, 2}, 4, Bf16Products::Backward::parameters_and_input);
  const std::vector<Range> shards = {{0, 2}, {2, 4}};
  const std::span<const Range> one = std::span(shards).first(1);
  const ShardSum<float> wrong{{0, 1}, {data, 2, 3}, {data, 3}};
  const std::vector<ShardSum<float>> two(2, {{0, 1}, {data, 3, 2}, {data, 2}});
  EXPECT_THROW(layer.forward({data, 5, 3}, {data, 5, 2}, {}), std::invalid_argument);
  EXPECT_THROW(layer.forward({data, 4, 3}, {data, 3, 2}, {}), std::invalid_argument);
  layer.forward({data, 4, 3}, {data + 12, 4, 2}, {});
  EXPECT_THROW(layer.begin_backward({data, 3, 3}, {data, 3, 2}, one), std::invalid_argument);
  EXPECT_THROW(layer.begin_backward({data, 4, 3}, {data, 4, 2}, shards), std::invalid_argument);
  layer.begin_backward({data, 4, 3}, {data, 4, 2}, one);
  EXPECT_THROW(layer.backward_parameters({&wrong, 1}), std::invalid_argument);
  EXPECT_THROW(layer.backward_parameters(two), std::invalid_argument);
  EXPECT_THROW(layer.backward_input({data, 3, 3}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace dnn
