#include "dnn/parallel/task_loss.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

constexpr std::size_t outputs = 11;
constexpr std::size_t samples = 5;

/// Logits and targets that all ranks share.
template <class T>
struct Example {
  std::vector<T> logits;
  std::vector<double> targets;
  std::vector<double> weights = {1, 0, 2.5, 0.75, 0.75};

  explicit Example(Task task) {
    for (std::size_t i = 0; i < samples * outputs; ++i) {
      const double x = static_cast<double>(i * 37 % 23) / 5 - 2;
      logits.push_back(static_cast<T>(x));
      targets.push_back(task == Task::numbers ? static_cast<double>(i * 29 % 19) / 7 - 1
                                              : static_cast<double>(i * 7 % 3 == 0));
    }
  }
  [[nodiscard]] Targets all() const {
    return Targets(MatrixView<const double>{targets.data(), samples, outputs}, weights);
  }
};

template <class T>
struct Outcome {
  std::vector<T> dA;  ///< of all outputs
  double loss = 0, evaluated = 0, weight = 0;
  std::uint64_t bad = 0;
};

/// Of the network's last layer split over the ranks of `group`, or whole without one.
template <class T>
Outcome<T> outcome_of(const Example<T>& example, Task task, const Communicator* group) {
  const auto parts = static_cast<std::size_t>(group != nullptr ? group->size() : 1);
  const auto mine = static_cast<std::size_t>(group != nullptr ? group->rank() : 0);
  const ParameterLayout layout =
      group != nullptr ? ParameterLayout({3, outputs}, {LayerSplit::columns}, parts, mine, 0)
                       : ParameterLayout({3, outputs});
  const Range columns = layout.layers().back().columns;
  std::vector<T> own;
  for (std::size_t s = 0; s < samples; ++s) {
    for (std::size_t j = columns.begin; j < columns.end; ++j) {
      own.push_back(example.logits[s * outputs + j]);
    }
  }
  const auto loss = make_task_loss<T>({.task = task, .class_weights = {}}, group, layout, samples);
  const MatrixView<T> A{own.data(), samples, columns.size()};
  const auto evaluated = loss->evaluate(A, example.all());
  const auto differentiated = loss->differentiate(A, example.all(), 7);
  EXPECT_EQ(evaluated.bad_rows, differentiated.bad_rows);
  Outcome<T> outcome;
  outcome.bad = differentiated.bad_rows;
  outcome.dA.assign(samples * outputs, T{0});
  for (std::size_t s = 0; s < samples; ++s) {
    for (std::size_t j = columns.begin; j < columns.end; ++j) {
      outcome.dA[s * outputs + j] = A(s, j - columns.begin);
    }
  }
  const auto total = [group](const ExactSum& sum) {
    return group != nullptr ? group->sum(sum).value() : sum.value();
  };
  if (group != nullptr) {
    group->all_reduce(std::span(outcome.dA), Reduction::sum);  // zeros from all but one
  }
  outcome.evaluated = total(evaluated.sums.loss);
  outcome.loss = total(differentiated.sums.loss);
  outcome.weight = total(differentiated.sums.weight);
  return outcome;
}

template <class T>
class TaskLossOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(TaskLossOf, Elements);

TYPED_TEST(TaskLossOf, SplitOutputsHaveTheBitsOfTheWhole) {
  using T = TypeParam;
  for (const Task task : {Task::numbers, Task::labels}) {
    const Example<T> example(task);
    const Outcome<T> whole = outcome_of(example, task, nullptr);
    const Outcome<T> split = outcome_of(example, task, &world());
    EXPECT_EQ(split.dA, whole.dA);
    EXPECT_EQ(split.loss, whole.loss);
    EXPECT_EQ(split.evaluated, whole.loss);
    EXPECT_EQ(split.weight, 5);
    EXPECT_EQ(split.bad, 0U);
  }
}

TYPED_TEST(TaskLossOf, AllRanksHearOfABadSample) {
  using T = TypeParam;
  for (const std::size_t output : {std::size_t{0}, outputs / 2, outputs - 1}) {
    Example<T> example(Task::numbers);
    example.logits[3 * outputs + output] = std::numeric_limits<T>::quiet_NaN();
    example.logits[4 * outputs] = std::numeric_limits<T>::infinity();
    const Outcome<T> split = outcome_of(example, Task::numbers, &world());
    EXPECT_EQ(split.bad, 2U);
    EXPECT_TRUE(std::isnan(split.loss));
  }
}

/// Rows that add up to 1, some of them with classes without any probability.
Example<double> distributions() {
  Example<double> example(Task::distribution);
  for (std::size_t s = 0; s < samples; ++s) {
    double sum = 0;
    for (std::size_t j = 0; j < outputs; ++j) {
      double& target = example.targets[s * outputs + j];
      target = static_cast<double>((s + 3 * j) % 5);
      sum += target;
    }
    for (std::size_t j = 0; j < outputs; ++j) {
      example.targets[s * outputs + j] /= sum;
    }
  }
  return example;
}

TEST(Distribution, GradientsAreTheLossesDifferenceQuotients) {
  const Example<double> example = distributions();
  const Outcome<double> whole = outcome_of(example, Task::distribution, nullptr);
  for (std::size_t i = 0; i < example.logits.size(); ++i) {
    constexpr double h = 1e-6;
    Example<double> up = example;
    Example<double> down = example;
    up.logits[i] += h;
    down.logits[i] -= h;
    const double slope = (outcome_of(up, Task::distribution, nullptr).evaluated -
                          outcome_of(down, Task::distribution, nullptr).evaluated) /
                         (2 * h) / 7;
    EXPECT_NEAR(whole.dA[i], slope, 1e-8) << i;
  }
}

TEST(Distribution, SplitClassesGiveTheWhole) {
  const Example<double> example = distributions();
  const Outcome<double> whole = outcome_of(example, Task::distribution, nullptr);
  const Outcome<double> split = outcome_of(example, Task::distribution, &world());
  EXPECT_NEAR(split.loss, whole.loss, 1e-13);
  for (std::size_t i = 0; i < whole.dA.size(); ++i) {
    EXPECT_NEAR(split.dA[i], whole.dA[i], 1e-15) << i;
  }
}

// A distribution with all in one class is that class.
TEST(Distribution, OfOneClassIsTheClass) {
  Example<double> example(Task::distribution);
  std::vector<std::int32_t> classes;
  std::fill(example.targets.begin(), example.targets.end(), 0.0);
  for (std::size_t s = 0; s < samples; ++s) {
    classes.push_back(static_cast<std::int32_t>(s * 4 % outputs));
    example.targets[s * outputs + static_cast<std::size_t>(classes.back())] = 1;
  }
  const Outcome<double> outcome = outcome_of(example, Task::distribution, nullptr);
  std::vector<double> dA = example.logits;
  const auto loss = make_task_loss<double>({.task = Task::classes, .class_weights = {}}, nullptr,
                                           ParameterLayout({3, outputs}), samples);
  const auto expected =
      loss->differentiate({dA.data(), samples, outputs}, Targets(classes, example.weights), 7);
  EXPECT_NEAR(outcome.loss, expected.sums.loss.value(), 1e-13);
  for (std::size_t i = 0; i < dA.size(); ++i) {
    EXPECT_NEAR(outcome.dA[i], dA[i], 1e-15) << i;
  }
}

}  // namespace
}  // namespace dnn
