// Updates of a network that ranks hold together are those of the whole one on a single rank, for
// every grid of the ranks.

#include "dnn/train/training_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "dnn/nn/initializer.hpp"
#include "dnn/parallel/make_exchange.hpp"
#include "dnn/parallel/split_rule.hpp"
#include "support/open_grid.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::model_ranks;
using test::self;
using test::world;

struct Problem {
  std::size_t classes = 10;
  std::size_t updates = 3;
  std::size_t samples = 22;  ///< of an update
  double clip_norm = 0.7;
  std::vector<std::size_t> hidden = {40, 24, 16};
  std::size_t class_blocks = 0;  ///< and then as --reproducible does
  bool all_in_first_shard = false;
  double largest_gradient = 1e30;
  bool counts = true;         ///< whether the updates are to
  bool first_is_nan = false;  ///< the first sample of each
  ExchangeKind exchange = ExchangeKind::tree;
};

constexpr std::size_t logical_shards = 4;

template <class T>
struct Updated {
  ParameterLayout layout;
  std::vector<T> values, gradients;
  std::vector<double> losses;
  double correct = 0;
};

/// The samples of a data shard: of whole logical shards, where there are any.
Range samples_of(const Problem& problem, const RankGrid& grid) {
  if (problem.all_in_first_shard) {
    return {0, grid.data_shard() == 0 ? problem.samples : 0};
  }
  if (problem.class_blocks == 0) {
    return part_of(problem.samples, grid.data_shards(), grid.data_shard());
  }
  const Range mine = part_of(logical_shards, grid.data_shards(), grid.data_shard());
  const auto begin_of = [&](std::size_t shard) {
    return part_of(problem.samples, logical_shards, shard).begin;
  };
  return {begin_of(mine.begin), begin_of(mine.end)};
}

template <class T>
Updated<T> update(const Problem& problem, const Communicator& ranks, std::size_t m) {
  constexpr std::size_t features = 6;
  std::vector<std::size_t> widths = {features};
  widths.insert(widths.end(), problem.hidden.begin(), problem.hidden.end());
  widths.push_back(problem.classes);
  test::OpenGrid of(ranks, m);
  RankGrid& grid = of.grid;
  const SplitRule rule{.least_nodes = 1, .class_blocks = problem.class_blocks};
  const ParameterLayout layout(widths, rule.splits(widths, m), m, grid.model_shard(),
                               problem.class_blocks);
  const std::size_t logical = problem.class_blocks > 0 ? logical_shards : 0;
  Updated<T> updated{layout, {}, {}, {}};
  {
    const auto exchange = make_exchange<T>({problem.exchange, ""}, {.logical_shards = logical},
                                           grid.data_group(), grid.data_domain(), layout.size());
    std::vector<double> weights(problem.classes);
    for (std::size_t c = 0; c < problem.classes; ++c) {
      weights[c] = 0.5 + static_cast<double>(c % 3);
    }
    TrainingStep<T> step(layout,
                         {.max_rows = problem.samples,
                          .dropout = 0.2,
                          .clip_norm = problem.clip_norm,
                          .seed = 3,
                          .largest_input = 1,
                          .largest_gradient = problem.largest_gradient,
                          .logical_shards = logical,
                          .logical = part_of(logical, grid.data_shards(), grid.data_shard())},
                         LossSettings{.label_smoothing = 0.1, .class_weights = weights},
                         {.kind = OptimizerKind::nesterov, .weight_decay = 0.01}, *exchange,
                         grid.is_split() ? &grid.model_group() : nullptr);
    step.set_values([&](std::span<T> values) { initialize(layout, Initializer::he, 7, values); });
    const Range mine = samples_of(problem, grid);
    PhaseSeconds seconds;
    for (std::size_t u = 0; u < problem.updates; ++u) {
      auto X = test::numbers<T>(problem.samples * features, u);
      if (problem.first_is_nan) {
        X[0] = std::numeric_limits<T>::quiet_NaN();
      }
      std::vector<std::int32_t> labels;
      std::vector<std::uint64_t> indices;
      for (std::size_t s = 0; s < problem.samples; ++s) {
        labels.push_back(static_cast<std::int32_t>((s * 7919 + u) % problem.classes));
        indices.push_back(100 * u + s);
      }
      const Batch<T> batch{{X.data() + mine.begin * features, mine.size(), features},
                           Targets(std::span(labels).subspan(mine.begin, mine.size())),
                           std::span(indices).subspan(mine.begin, mine.size())};
      const StepResult result = step.run(batch, problem.samples, 1, 0.05, seconds);
      EXPECT_EQ(result.counts, problem.counts);
      updated.losses.push_back(ranks.sum(result.sums.loss).value());
      updated.correct += ranks.sum(result.sums.correct).value();
    }
    updated.values.assign(step.values().begin(), step.values().end());
    updated.gradients.assign(step.gradients().begin(), step.gradients().end());
  }
  of.close();
  return updated;
}

/// The largest distance between what a part holds and the same elements of the whole.
template <class T>
double distance(const ParameterLayout& part, const std::vector<T>& held,
                const ParameterLayout& layout, const std::vector<T>& whole) {
  double worst = 0;
  for (std::size_t n = 0; n < part.layers().size(); ++n) {
    const LayerLayout& some = part.layers()[n];
    const LayerLayout& all = layout.layers()[n];
    const auto compare = [&](std::size_t i, std::size_t k) {
      worst =
          std::max(worst, std::abs(static_cast<double>(held[i]) - static_cast<double>(whole[k])));
    };
    for (std::size_t j = 0; j < some.outputs; ++j) {
      compare(some.bias.begin + j, all.bias.begin + some.columns.begin + j);
      for (std::size_t i = 0; i < some.inputs; ++i) {
        compare(some.weights.begin + i * some.outputs + j,
                all.weights.begin + (some.rows.begin + i) * all.outputs + some.columns.begin + j);
      }
    }
  }
  return worst;
}

template <class T>
void expect_same_updates(const Problem& problem, double tolerance) {
  const Updated<T> whole = update<T>(problem, self(), 1);
  for (const std::size_t m : model_ranks()) {
    const Updated<T> split = update<T>(problem, world(), m);
    const std::string what = std::to_string(problem.classes) + " classes, M = " + std::to_string(m);
    EXPECT_LE(distance(split.layout, split.values, whole.layout, whole.values), tolerance) << what;
    EXPECT_LE(distance(split.layout, split.gradients, whole.layout, whole.gradients), tolerance)
        << what;
    for (std::size_t u = 0; u < problem.updates; ++u) {
      EXPECT_NEAR(split.losses[u], whole.losses[u], tolerance * whole.losses[u]) << what;
    }
    EXPECT_EQ(split.correct, whole.correct) << what;
  }
}

// Tolerances as in trainer_mpi_test: sums in another order. Dropout, clipping, class weights, label
// smoothing and weight decay are on.
TEST(SameUpdatesOnEveryGrid, Double) {
  for (const std::size_t classes : {7U, 10U, 1000U}) {
    expect_same_updates<double>({.classes = classes}, 1e-13);
  }
}

TEST(SameUpdatesOnEveryGrid, Float) {
  for (const std::size_t classes : {7U, 10U, 1000U}) {
    expect_same_updates<float>({.classes = classes}, 1e-5);
  }
}

TEST(SameUpdatesOnEveryGrid, ManyClasses) {
  expect_same_updates<double>({.classes = 100'003, .updates = 2, .samples = 9}, 1e-13);
  expect_same_updates<float>({.classes = 100'003, .updates = 2, .samples = 9}, 1e-5);
}

TEST(SameUpdatesOnEveryGrid, FewerClassesAndSamplesThanRanks) {
  expect_same_updates<double>({.classes = 1}, 1e-13);
  expect_same_updates<double>({.classes = 2, .samples = 1}, 1e-13);
}

// As --reproducible does: not a bit differs. Slices of 8,192 classes begin and end on whole
// vectors, those of 3,001 do not.
template <class T>
void expect_same_bits() {
  for (const auto& [classes, blocks] : {std::pair(8192U, 8U), {3001U, 3U}, {3001U, 1U}}) {
    expect_same_updates<T>({.classes = classes,
                            .updates = 2,
                            .samples = 11,
                            .hidden = {40, 300},
                            .class_blocks = blocks},
                           0);
  }
  expect_same_updates<T>({.classes = 2048, .samples = 2, .hidden = {256}, .class_blocks = 2}, 0);
  expect_same_updates<T>({.classes = 5, .hidden = {}, .class_blocks = 5}, 0);
}

TEST(SameBitsOnEveryGrid, Double) {
  expect_same_bits<double>();
}

TEST(SameBitsOnEveryGrid, Float) {
  expect_same_bits<float>();
}

// A single sample, and so a single logical shard, has the largest gradient.
TEST(BadGradients, OfOneBlockOfClassesLetNoRankUpdate) {
  for (const auto& hidden : {std::vector<std::size_t>{16}, {}}) {
    Problem problem{.classes = 40, .updates = 1, .samples = 1, .hidden = hidden, .class_blocks = 4};
    const Updated<double> whole = update<double>(problem, self(), 1);
    double largest = 0;
    for (const double gradient : whole.gradients) {
      largest = std::max(largest, std::abs(gradient));
    }
    for (const double limit : {0.9, 0.99999, 1.00001}) {
      problem.largest_gradient = limit * largest;
      problem.counts = limit > 1;
      for (const std::size_t m : model_ranks()) {
        (void)update<double>(problem, world(), m);
      }
    }
  }
}

// The exchange hears of them by what it is told: it does not look at the gradients.
TEST(BadLogits, OfAnEarlierLogicalShardLetNoRankUpdate) {
  const Problem problem{.classes = 40,
                        .hidden = {},
                        .class_blocks = 4,
                        .counts = false,
                        .first_is_nan = true,
                        .exchange = ExchangeKind::node};
  (void)update<double>(problem, self(), 1);
  for (const std::size_t m : model_ranks()) {
    (void)update<double>(problem, world(), m);
  }
}

// What blocks change are roundings.
TEST(SameBitsOnEveryGrid, AreThoseWithoutBlocksToRounding) {
  Problem problem{.classes = 3001, .hidden = {40, 300}};
  const Updated<double> without = update<double>(problem, self(), 1);
  problem.class_blocks = 4;
  const Updated<double> blocks = update<double>(problem, self(), 1);
  EXPECT_LE(distance(blocks.layout, blocks.values, without.layout, without.values), 1e-13);
  EXPECT_NEAR(blocks.losses.back(), without.losses.back(), 1e-13 * without.losses.back());
  EXPECT_EQ(blocks.correct, without.correct);
}

// Of one model group only one rank, or few, has the largest gradient; the other groups have none.
TEST(BadGradients, OfOneRankAloneLetNoRankUpdate) {
  for (const auto& hidden : {std::vector<std::size_t>{16}, {40, 24, 16}, {16, 40, 24}, {}}) {
    Problem problem{.updates = 1, .hidden = hidden, .all_in_first_shard = true};
    const Updated<double> whole = update<double>(problem, self(), 1);
    double largest = 0;
    for (const double gradient : whole.gradients) {
      largest = std::max(largest, std::abs(gradient));
    }
    for (const double limit : {0.9, 0.99999, 1.00001}) {
      problem.largest_gradient = limit * largest;
      problem.counts = limit > 1;
      for (const std::size_t m : model_ranks()) {
        SCOPED_TRACE(std::to_string(hidden.size()) + " hidden layers, M = " + std::to_string(m));
        (void)update<double>(problem, world(), m);
      }
    }
  }
}

}  // namespace
}  // namespace dnn
