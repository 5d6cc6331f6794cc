// A run whose network ranks hold together ends with the model of one rank's, for every grid of the
// ranks; and a checkpoint of any grid is one for any other.

#include <gtest/gtest.h>

#include <memory>
#include <tuple>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "support/bf16_unit.hpp"
#include "support/expect_error.hpp"
#include "support/open_grid.hpp"
#include "support/temporary_folder.hpp"
#include "support/whole_run.hpp"

namespace dnn {
namespace {

using test::expect_same_run;
using test::model_ranks;
using test::self;
using test::train;
using test::Trained;
using test::world;

Config small_run() {
  Config config;
  config.hidden = {48, 24, 20};
  config.split_hidden = true;
  config.least_split_nodes = 1;
  config.epochs = 3;
  config.batch_size = 101;
  config.optimizer = OptimizerKind::nesterov;
  config.dropout = 0.2;
  config.clip_norm = 0.5;
  config.label_smoothing = 0.1;
  config.class_weights = ClassWeights::balanced;
  config.verify_every = 10;
  return config;
}

/// Where nodes have unequal numbers of ranks: expects the exchange `node` to be refused if the data
/// groups do not lie alike. Returns whether it is.
bool refuses_node(const Config& config) {
  test::OpenGrid of(world(), config.model_parallel);
  const bool refused = !of.grid.is_even() && config.exchange == ExchangeKind::node;
  if (refused) {
    const TrainingData data = load_data(config, of.grid);
    test::expect_error<InputError>([&] { (void)RunPlan::make(config, of.grid, data); },
                                   {"--exchange node", "--model-parallel", "allreduce"});
  }
  of.close();
  return refused;
}

class EveryExchange : public testing::TestWithParam<std::tuple<ExchangeKind, std::size_t>> {};

TEST_P(EveryExchange, TrainsToTheSameModelOnEveryGrid) {
  Config config = small_run();
  const Trained<double> one = train<double>(config, self());
  const Trained<float> one_float = train<float>(config, self());
  std::tie(config.exchange, config.threads) = GetParam();
  config.bucket_mib = 0.01;
  for (const std::size_t m : model_ranks()) {
    config.model_parallel = m;
    if (refuses_node(config)) {
      continue;
    }
    const std::string what = "M = " + std::to_string(m);
    expect_same_run(train<double>(config, world()), one, 1e-12, what);
    expect_same_run(train<float>(config, world()), one_float, 1e-4, what);
  }
}

INSTANTIATE_TEST_SUITE_P(ModelParallel, EveryExchange,
                         testing::Values(std::tuple(ExchangeKind::allreduce, 1U),
                                         std::tuple(ExchangeKind::node, 1U),
                                         std::tuple(ExchangeKind::node, 2U),
                                         std::tuple(ExchangeKind::overlap, 1U)));

// bf16 rounds the operands of products alike; where a pair's sums differ in float's last bit, some
// operands of the next layer are rounded the other way.
TEST(ModelParallel, TrainsInBf16) {
  if (!has_bf16_unit()) {
    GTEST_SKIP() << test::no_bf16_unit;
  }
  Config config = small_run();
  config.precision = Precision::bf16;
  config.hidden = {64, 64};
  config.epochs = 1;
  const Trained<float> one = train<float>(config, self());
  config.model_parallel = static_cast<std::size_t>(world().size());
  expect_same_run(train<float>(config, world()), one, 2e-2, "bf16");
}

TEST(ModelParallel, StopsEarlyOnEveryRankAlike) {
  Config config = small_run();
  config.optimizer = OptimizerKind::sgd;
  config.lr = 1e-300;  // no weight moves: nothing gets better
  config.epochs = 50;
  config.early_stop = 2;
  config.model_parallel = static_cast<std::size_t>(world().size());
  const auto trained = train<double>(config, world());
  EXPECT_TRUE(trained.result.stopped_early);
  EXPECT_EQ(trained.result.epochs.size(), trained.result.best_epoch + 2);
}

class AnyGrid : public testing::TestWithParam<std::tuple<bool, ExchangeKind>> {};

// A checkpoint is the whole run's: any grid goes on with what any other has saved.
TEST_P(AnyGrid, GoesOnWithWhatAnyOtherSaved) {
  const auto [in_parts, exchange] = GetParam();
  Config config = small_run();
  std::unique_ptr<test::TemporaryFolder> own;
  if (world().is_root()) {
    own = std::make_unique<test::TemporaryFolder>();
  }
  const std::string folder = world().broadcast(own ? own->path() : std::string(), 0);
  const Trained<double> one = train<double>(config, self());
  config.exchange = exchange;
  int pairs = world().size();
  for (const std::size_t saved : model_ranks()) {
    config.model_parallel = saved;
    if (refuses_node(config)) {
      continue;
    }
    ++pairs;  // the other half of each row
    const std::string path = folder + "/" + std::to_string(saved);
    expect_same_run(train<double>(config, world(), {path, {}, in_parts}), one, 1e-12, "saving");
    const auto parts = part_files(CheckpointFolder(path).file_for(21));
    EXPECT_EQ(!parts.empty(), in_parts);
    for (const std::size_t resumed : model_ranks()) {
      config.model_parallel = resumed;
      if (refuses_node(config)) {
        continue;
      }
      ++pairs;
      if (world().size() > 4 && pairs % 2 == 0) {
        continue;  // many ranks on few cores take long
      }
      const std::uint64_t point = pairs % 4 < 2 ? 7 : 21;
      expect_same_run(
          train<double>(config, world(), {{}, CheckpointFolder(path).file_for(point)}), one, 1e-12,
          "saved by M = " + std::to_string(saved) + ", resumed by " + std::to_string(resumed));
    }
    config.model_parallel = 1;
    expect_same_run(train<double>(config, self(), {{}, CheckpointFolder(path).file_for(21)}), one,
                    1e-12, "resumed by one rank");
  }
  world().barrier();
}

INSTANTIATE_TEST_SUITE_P(ModelParallel, AnyGrid,
                         testing::Values(std::tuple(false, ExchangeKind::automatic),
                                         std::tuple(true, ExchangeKind::allreduce),
                                         std::tuple(true, ExchangeKind::node)));

// Weights that overflow: one message for all ranks, with sample, class and rank.
TEST(ModelParallel, BadNumbersEndTheRunOnAllRanks) {
  Config config = small_run();
  config.lr = 1e30;
  config.clip_norm = 0;
  for (const std::size_t m : model_ranks()) {
    config.model_parallel = m;
    test::expect_error<AgreedError>([&] { (void)train<float>(config, world()); },
                                    {"is not finite", "rank ", "class '", "samples "});
  }
}

}  // namespace
}  // namespace dnn
