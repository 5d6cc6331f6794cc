#include "dnn/optim/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::numbers;

constexpr std::size_t size = 37;
const std::vector<Range> decayed = {{0, 10}, {16, 30}};

bool is_decayed(std::size_t i) {
  return i < 10 || (i >= 16 && i < 30);
}

/// The naive twin: the published update rules, element by element in double.
struct Naive {
  OptimizerSettings s;
  std::vector<double> first = std::vector<double>(size, 0.0);
  std::vector<double> second = std::vector<double>(size, 0.0);
  int t = 0;

  void step(std::vector<double>& w, const std::vector<double>& gradients, double eta,
            double scale) {
    ++t;
    for (std::size_t i = 0; i < size; ++i) {
      const double lambda = is_decayed(i) ? s.weight_decay : 0;
      const bool decoupled = s.kind == OptimizerKind::adamw;
      const double g = gradients[i] * scale + (decoupled ? 0 : lambda * w[i]);
      switch (s.kind) {
        case OptimizerKind::sgd:
          w[i] -= eta * g;
          break;
        case OptimizerKind::momentum:
          first[i] = s.momentum * first[i] + g;
          w[i] -= eta * first[i];
          break;
        case OptimizerKind::nesterov:
          first[i] = s.momentum * first[i] + g;
          w[i] -= eta * (g + s.momentum * first[i]);
          break;
        default: {
          first[i] = s.beta1 * first[i] + (1 - s.beta1) * g;
          second[i] = s.beta2 * second[i] + (1 - s.beta2) * g * g;
          const double m = first[i] / (1 - std::pow(s.beta1, t));
          const double v = second[i] / (1 - std::pow(s.beta2, t));
          if (decoupled) {
            w[i] -= eta * lambda * w[i];
          }
          w[i] -= eta * m / (std::sqrt(v) + s.epsilon);
        }
      }
    }
  }
};

class EveryOptimizer : public testing::TestWithParam<OptimizerKind> {};

TEST_P(EveryOptimizer, FollowsItsPublishedRule) {
  OptimizerSettings settings;
  settings.kind = GetParam();
  settings.weight_decay = 0.03;
  auto optimizer = make_optimizer<double>(settings, {0, size}, decayed);
  auto single = make_optimizer<float>(settings, {0, size}, decayed);
  Naive naive{settings};
  std::vector<double> values = numbers<double>(size, 1);
  std::vector<float> single_values(values.begin(), values.end());
  std::vector<double> expected = values;
  for (int step = 0; step < 5; ++step) {
    const auto gradients = numbers<double>(size, 10 + static_cast<std::uint64_t>(step));
    const std::vector<float> single_gradients(gradients.begin(), gradients.end());
    optimizer->step(values, gradients, 0.1, 0.5);
    single->step(single_values, single_gradients, 0.1, 0.5);
    naive.step(expected, gradients, 0.1, 0.5);
  }
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_NEAR(values[i], expected[i], 1e-13) << i;
    EXPECT_NEAR(single_values[i], expected[i], 2e-5) << i;
  }
}

// A rank that owns a slice moves that slice exactly as one that owns everything.
TEST_P(EveryOptimizer, ASliceMovesAsItDoesInTheWhole) {
  OptimizerSettings settings;
  settings.kind = GetParam();
  settings.weight_decay = 0.1;
  auto whole = make_optimizer<double>(settings, {0, size}, decayed);
  auto slice = make_optimizer<double>(settings, {7, 29}, decayed);
  std::vector<double> whole_values = numbers<double>(size, 1);
  std::vector<double> slice_values = whole_values;
  const std::vector<double> start = whole_values;
  for (std::uint64_t step = 0; step < 3; ++step) {
    const auto gradients = numbers<double>(size, 5 + step);
    whole->step(whole_values, gradients, 0.1, 1);
    slice->step(slice_values, gradients, 0.1, 1);
  }
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_EQ(slice_values[i], i >= 7 && i < 29 ? whole_values[i] : start[i]) << i;
  }
}

// Compact gradients of a 7 x 4 matrix, then of 9 more parameters.
TEST_P(EveryOptimizer, RowsWithoutAGradientStayAsTheyAre) {
  OptimizerSettings settings;
  settings.kind = GetParam();
  settings.weight_decay = 0.1;
  const std::vector<Range> matrix = {{0, 28}};
  for (const Range own : {Range{0, size}, Range{6, 31}}) {
    auto compact = make_optimizer<double>(settings, own, matrix);
    auto alone = make_optimizer<double>(settings, own, matrix);
    std::vector<double> values = numbers<double>(size, 1);
    for (std::uint64_t step = 0; step < 4; ++step) {
      const std::vector<std::uint32_t> active =
          step == 2 ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{1, 2, 5};
      const GradientPlaces places(7, 4, active);
      const auto gradients = numbers<double>(size, 5 + step);
      std::vector<double> dense(size);
      places.for_each_run({0, size}, [&](Range run, std::size_t place) {
        std::copy_n(gradients.begin() + static_cast<std::ptrdiff_t>(place), run.size(),
                    dense.begin() + static_cast<std::ptrdiff_t>(run.begin));
      });
      // The dense update, put back where there is no gradient.
      std::vector<double> expected = values;
      std::vector<std::vector<double>> state;
      for (std::size_t b = 0; b < alone->buffers(); ++b) {
        state.emplace_back(alone->state(b).begin(), alone->state(b).end());
      }
      alone->step(expected, dense, 0.1, 0.5);
      std::vector<bool> has_gradient(size, false);
      places.for_each_run({0, size}, [&](Range run, std::size_t) {
        std::fill_n(has_gradient.begin() + static_cast<std::ptrdiff_t>(run.begin), run.size(),
                    true);
      });
      for (std::size_t i = 0; i < size; ++i) {
        expected[i] = has_gradient[i] ? expected[i] : values[i];
        for (std::size_t b = 0; b < state.size() && i >= own.begin && i < own.end; ++b) {
          double& kept = alone->state(b)[i - own.begin];
          kept = has_gradient[i] ? kept : state[b][i - own.begin];
        }
      }
      compact->step(values, gradients, places, 0.1, 0.5);
      EXPECT_EQ(values, expected) << step;
      for (std::size_t b = 0; b < state.size(); ++b) {
        EXPECT_TRUE(std::equal(compact->state(b).begin(), compact->state(b).end(),
                               alone->state(b).begin()));
      }
    }
  }
}

// Σ β^(t-i) w_i / Σ β^(t-i) with β = 1 - 1/M, from the values after each step.
TEST_P(EveryOptimizer, AveragesItsParametersByTheirDefinition) {
  for (const double memory : {0.5, 1.0, 3.0, 1000.0, 1e18}) {
    OptimizerSettings settings;
    settings.kind = GetParam();
    auto plain = make_optimizer<double>(settings, {0, size}, decayed);
    settings.average_updates = memory;
    auto averaging = make_optimizer<double>(settings, {7, 29}, decayed);
    EXPECT_EQ(averaging->buffers(), plain->buffers() + 1);
    EXPECT_FALSE(averaging->has_average());
    EXPECT_FALSE(plain->has_average());
    std::vector<double> values = numbers<double>(size, 1);
    std::vector<double> plain_values = values;
    std::vector<double> sums(size);
    double weights = 0;
    const double kept = 1 - 1 / std::max(memory, 1.0);
    for (std::uint64_t step = 0; step < 6; ++step) {
      const auto gradients = numbers<double>(size, 10 + step);
      plain->step(plain_values, gradients, 0.1, 0.5);
      averaging->step(values, gradients, 0.1, 0.5);
      EXPECT_TRUE(averaging->has_average());
      weights = kept * weights + 1;
      for (std::size_t i = 0; i < size; ++i) {
        sums[i] = kept * sums[i] + values[i];
        EXPECT_EQ(values[i] == plain_values[i], i >= 7 && i < 29) << i;
      }
      const std::vector<double> trained = values;
      averaging->swap_average(values);
      for (std::size_t i = 0; i < size; ++i) {
        const bool is_own = i >= 7 && i < 29;
        EXPECT_NEAR(values[i], is_own ? sums[i] / weights : trained[i], 1e-14)
            << memory << ", element " << i;
      }
      averaging->verify(values);
      averaging->swap_average(values);
      averaging->verify(values);
      EXPECT_FALSE(averaging->is_damaged());
      EXPECT_EQ(values, trained);
    }
    averaging->state(plain->buffers())[3] += 1;
    averaging->verify(values);
    EXPECT_TRUE(averaging->is_damaged());
  }
}

// In floats, a small share of a small difference would be lost.
TEST(AveragedParameters, OfALongMemoryFollowTheirValues) {
  for (const double memory : {2'047.0, 2'048.0, 500'000.0, 1e18}) {
    OptimizerSettings settings;
    settings.average_updates = memory;
    auto optimizer = make_optimizer<float>(settings, {0, 1}, {});
    const std::vector<float> gradients(1, 0.0F);
    std::vector<float> values(1, 1.0F);
    double sum = 0;
    double weights = 0;
    for (int step = 0; step < 700'000; ++step) {
      values[0] = step < 100'000 ? 1.0F : 1.03F;
      optimizer->accept(values);
      optimizer->step(values, gradients, 0.1, 1);
      sum = (1 - 1 / memory) * sum + static_cast<double>(values[0]);
      weights = (1 - 1 / memory) * weights + 1;
    }
    optimizer->swap_average(values);
    EXPECT_NEAR(values[0], sum / weights, 2047 * 0.6e-7) << memory;  // half of the last bit, lost
  }
}

TEST_P(EveryOptimizer, PaddingStaysZero) {
  OptimizerSettings settings;
  settings.kind = GetParam();
  auto optimizer = make_optimizer<float>(settings, {0, size}, {});
  std::vector<float> values(size, 0.0F);
  const std::vector<float> gradients(size, 0.0F);
  optimizer->step(values, gradients, 0.1, 1);
  EXPECT_EQ(values, std::vector<float>(size, 0.0F));
}

INSTANTIATE_TEST_SUITE_P(Optimizers, EveryOptimizer,
                         testing::Values(OptimizerKind::sgd, OptimizerKind::momentum,
                                         OptimizerKind::nesterov, OptimizerKind::adam,
                                         OptimizerKind::adamw));

// Weight decay of plain descent is the gradient of λ/2 |W|²: the step is the difference quotient's.
TEST(WeightDecay, IsTheGradientOfHalfTheSquaredNorm) {
  OptimizerSettings settings;
  settings.weight_decay = 0.2;
  auto optimizer = make_optimizer<double>(settings, {0, size}, decayed);
  const auto start = numbers<double>(size, 3);
  std::vector<double> values = start;
  const std::vector<double> no_gradient(size, 0.0);
  optimizer->step(values, no_gradient, 1.0, 1);
  const auto penalty = [&](std::vector<double> w) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
      sum += is_decayed(i) ? settings.weight_decay / 2 * w[i] * w[i] : 0;
    }
    return sum;
  };
  for (std::size_t i = 0; i < size; ++i) {
    constexpr double h = 1e-6;
    std::vector<double> up = start;
    std::vector<double> down = start;
    up[i] += h;
    down[i] -= h;
    EXPECT_NEAR(start[i] - values[i], (penalty(up) - penalty(down)) / (2 * h), 1e-9);
  }
}

}  // namespace
}  // namespace dnn
