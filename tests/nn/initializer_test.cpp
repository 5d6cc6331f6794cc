#include "dnn/nn/initializer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace dnn {
namespace {

std::vector<double> initial(Initializer kind, std::uint64_t seed) {
  const ParameterLayout layout({300, 101, 10});
  std::vector<double> values(layout.size(), 9.0);
  initialize<double>(layout, kind, seed, values);
  return values;
}

TEST(Initializer, HasTheVarianceOfItsName) {
  const ParameterLayout layout({300, 101, 10});
  for (const auto& [kind, variance] :
       {std::pair{Initializer::he, 2.0 / 300}, std::pair{Initializer::xavier, 2.0 / 401}}) {
    const auto values = initial(kind, 1);
    const Range W = layout.layers()[0].weights;
    double squares = 0;
    double sum = 0;
    for (std::size_t i = W.begin; i < W.end; ++i) {
      sum += values[i];
      squares += values[i] * values[i];
      ASSERT_LE(std::abs(values[i]), std::sqrt(3 * variance));
    }
    const auto count = static_cast<double>(W.size());
    EXPECT_NEAR(squares / count, variance, 0.02 * variance);
    EXPECT_NEAR(sum / count, 0, 4 * std::sqrt(variance / count));
  }
}

TEST(Initializer, BiasesAndPaddingAreZero) {
  const ParameterLayout layout({300, 101, 10});
  const auto values = initial(Initializer::he, 1);
  for (std::size_t i = layout.layers()[0].bias.begin; i < layout.layers()[1].weights.begin; ++i) {
    EXPECT_EQ(values[i], 0);
  }
}

TEST(Initializer, FollowsTheSeed) {
  EXPECT_EQ(initial(Initializer::he, 1), initial(Initializer::he, 1));
  EXPECT_NE(initial(Initializer::he, 1), initial(Initializer::he, 2));
}

}  // namespace
}  // namespace dnn
