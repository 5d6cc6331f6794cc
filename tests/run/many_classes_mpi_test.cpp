// Whole runs, evaluation included, whose classes are split over 1, 2, 3, 4 or 8 model shards, with
// one or two data shards: they end with the model of one rank's.

#include <gtest/gtest.h>

#include "support/test_numbers.hpp"
#include "support/whole_run.hpp"

namespace dnn {
namespace {

using test::self;
using test::world;

constexpr std::size_t features = 6;
constexpr std::size_t samples = 40;
constexpr std::size_t held_out = 8;

/// Few samples, the last of the last class. Most classes have none.
TrainingData data_of(std::size_t classes, const Config& config, const RankGrid& grid) {
  Dataset data;
  data.origin = "made up";
  data.samples = samples;
  data.features = features;
  data.row_elements = features;
  data.element = ElementType::f32;
  data.values = Bytes::from(test::numbers<float>(samples * features, 3));
  std::vector<std::int32_t> labels;
  for (std::size_t s = 0; s < samples; ++s) {
    labels.push_back(static_cast<std::int32_t>((s + 1) * classes / samples) - 1);
    labels.back() = std::max(labels.back(), 0);
  }
  data.labels = Bytes::from(labels);
  for (std::size_t c = 0; c < classes; ++c) {
    data.class_names.push_back(std::to_string(c));
  }
  const Sampler sampler({.samples = samples,
                         .held_out = held_out,
                         .batch_size = *config.batch_size,
                         .seed = config.seed,
                         .ranks = grid.data_shards(),
                         .rank = grid.data_shard()});
  return {.train = data,
          .test = {},
          .sampler = sampler,
          .batch_size = *config.batch_size,
          .largest_feature = 1};
}

/// The numbers of model shards that leave one data shard or two.
std::vector<std::size_t> model_shards() {
  const auto ranks = static_cast<std::size_t>(world().size());
  return ranks > 1 && ranks % 2 == 0 ? std::vector{ranks, ranks / 2} : std::vector{ranks};
}

class Classes : public testing::TestWithParam<std::size_t> {
 protected:
  template <class T>
  void expect_the_model_of_one_rank(double tolerance) {
    const std::size_t classes = GetParam();
    const auto load = [classes](const Config& config, const RankGrid& grid) {
      return data_of(classes, config, grid);
    };
    Config config;
    config.hidden = {33, 16};
    config.split_hidden = true;
    config.least_split_nodes = 1;
    config.epochs = 2;
    config.batch_size = 13;  // of 32 samples: the last batch is short
    config.optimizer = OptimizerKind::adam;
    config.dropout = 0.1;
    config.clip_norm = 0.5;
    config.label_smoothing = 0.1;
    test::Trained<T> one;
    if (world().is_root()) {
      one = test::train<T>(config, self(), {}, load);
    }
    for (const std::size_t m : model_shards()) {
      config.model_parallel = m;
      const test::Trained<T> split = test::train<T>(config, world(), {}, load);
      if (world().is_root()) {
        test::expect_same_run(split, one, tolerance, "M = " + std::to_string(m));
      }
    }
  }
};

TEST_P(Classes, InDouble) {
  expect_the_model_of_one_rank<double>(1e-12);
}

TEST_P(Classes, InFloat) {
  expect_the_model_of_one_rank<float>(1e-4);
}

INSTANTIATE_TEST_SUITE_P(ModelParallel, Classes, testing::Values(7, 10, 1'000, 100'003));

}  // namespace
}  // namespace dnn
