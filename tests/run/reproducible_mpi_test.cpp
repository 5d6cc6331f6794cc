// The parameters after every update, and all metrics, have the same bits on all
// ranks, in every grid of them, as on one alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dnn/core/sha256.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/nn/initializer.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/train/trainer.hpp"
#include "dnn/train/training_setup.hpp"
#include "support/open_grid.hpp"

namespace dnn {
namespace {

using test::model_ranks;
using test::self;
using test::world;

Config small_run() {
  Config config;
  config.hidden = {70, 33};  // odd rows: shards begin anywhere in memory
  config.epochs = 2;
  config.batch_size = 260;  // 1,617 samples: a last batch of 57
  config.dropout = 0.25;
  config.clip_norm = 0.4;
  config.class_weights = ClassWeights::balanced;
  config.label_smoothing = 0.1;
  return config;
}

/// The hash of all parameters after every update of the first two epochs. `domain`: see RankGrid.
template <class T>
std::vector<std::string> hashes_of(Config config, const Communicator& ranks, int domain = 0) {
  config.precision = sizeof(T) == sizeof(double) ? Precision::f64 : Precision::f32;
  std::vector<std::string> hashes;
  test::OpenGrid of(ranks, config.model_parallel, domain);
  RankGrid& grid = of.grid;
  {
    const TrainingData data = load_data(config, grid);
    const RunPlan plan = RunPlan::make(config, grid, data);
    set_threads(plan.threads);
    const auto exchange = make_exchange<T>(plan.exchange, plan.exchange_settings, grid.data_group(),
                                           grid.data_domain(), plan.part.size());
    const Sampler& sampler = data.sampler;
    const std::size_t rows = std::max<std::size_t>(1, sampler.max_share());
    TrainingStep<T> step(
        plan.part,
        {.max_rows = rows,
         .dropout = config.dropout,
         .clip_norm = config.clip_norm,
         .seed = config.seed,
         .products = plan.products,
         .logical_shards = plan.exchange_settings.logical_shards,
         .logical = part_of(data.logical_shards, grid.data_shards(), grid.data_shard())},
        LossSettings{.label_smoothing = config.label_smoothing,
                     .class_weights = class_weights_of(config.class_weights, ranks, data)},
        {.kind = config.optimizer, .momentum = 0.9, .weight_decay = 0.01}, *exchange,
        grid.is_split() ? &grid.model_group() : nullptr);
    step.set_values(
        [&](std::span<T> values) { initialize(plan.part, config.init, config.seed, values); });
    const TensorParts parts(grid, plan.part, exchange->own(), sizeof(T));
    BatchLoader<T> loader(Gatherer<T>(data.train, data.normalizer), rows);
    PhaseSeconds seconds;
    for (std::size_t epoch = 1; epoch <= 2; ++epoch) {
      loader.start([&, epoch](std::size_t i, auto& samples) { sampler.batch(epoch, i, samples); },
                   sampler.steps());
      for (std::size_t i = 0; i < sampler.steps(); ++i) {
        EXPECT_TRUE(step.run(loader.next(), sampler.batch_samples(i), epoch, 0.01, seconds).counts);
        const std::string hash = to_hex(sha256(parts.gather(parts.take<T>(step.values(), 0))));
        hashes.push_back(ranks.broadcast(hash, 0));
      }
    }
  }
  set_threads(1);
  of.close();
  return hashes;
}

/// A whole run: the last parameters' hash, the metrics of all epochs and of the evaluation.
template <class T>
std::string outcome_of(Config config, const Communicator& ranks) {
  config.precision = sizeof(T) == sizeof(double) ? Precision::f64 : Precision::f32;
  nlohmann::ordered_json outcome;
  test::OpenGrid of(ranks, config.model_parallel);
  {
    const TrainingData data = load_data(config, of.grid);
    const RunPlan plan = RunPlan::make(config, of.grid, data);
    set_threads(plan.threads);
    Reporter silent(Reporter::Mode::silent);
    Trainer<T> trainer(config, of.grid, plan, data, silent);
    trainer.run();
    for (const EpochMetrics& metrics : trainer.result().epochs) {
      outcome.push_back({metrics.train.loss, metrics.train.accuracy, metrics.validation->loss,
                         metrics.validation->accuracy});
    }
    outcome.push_back(trainer.parameters_sha256());
    Confusion confusion;
    const Evaluation last = trainer.final_evaluation(confusion);
    outcome.push_back({last.loss, last.accuracy, last.top5_accuracy});
  }
  set_threads(1);
  of.close();
  return outcome.dump();
}

/// Whether the data groups lie so that the exchange `node` can sum over them.
bool allows_node(std::size_t m, int domain = 0) {
  test::OpenGrid of(world(), m, domain);
  const bool even = of.grid.is_even();
  of.close();
  return even;
}

template <class T>
class Reproducible : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Reproducible, Elements);

TYPED_TEST(Reproducible, EveryUpdateHasTheSameBitsByEveryExchange) {
  Config config = small_run();
  for (const OptimizerKind optimizer : {OptimizerKind::momentum, OptimizerKind::adamw}) {
    config.optimizer = optimizer;
    config.exchange = ExchangeKind::automatic;
    config.threads = 1;
    const auto one = hashes_of<TypeParam>(config, self());
    for (const ExchangeKind kind :
         {ExchangeKind::tree, ExchangeKind::node, ExchangeKind::overlap}) {
      for (const double mib : {1.0, 0.003}) {
        if (kind != ExchangeKind::overlap && mib < 1) {
          continue;  // there are no buckets
        }
        config.exchange = kind;
        config.bucket_mib = mib;
        config.threads = mib < 1 ? 2 : 1;
        EXPECT_EQ(hashes_of<TypeParam>(config, world()), one);
      }
    }
  }
}

// As on a node of two sockets, whose ranks alternate or fill one after the other.
TYPED_TEST(Reproducible, EveryUpdateHasTheSameBitsInTwoDomains) {
  Config config = small_run();
  config.threads = 1;
  const auto one = hashes_of<TypeParam>(config, self());
  config.exchange = ExchangeKind::node;
  for (const int domain : {world().rank() % 2, 2 * world().rank() / world().size()}) {
    EXPECT_EQ(hashes_of<TypeParam>(config, world(), domain), one);
    for (const std::size_t m : model_ranks()) {
      config.model_parallel = m;
      if (allows_node(m, domain)) {
        EXPECT_EQ(hashes_of<TypeParam>(config, world(), domain), one) << "M = " << m;
      }
    }
    config.model_parallel = 1;
  }
}

// No exchange that shares memory is possible then, and what is chosen keeps the bits.
TYPED_TEST(Reproducible, EveryUpdateHasTheSameBitsWhereGroupsLieUnevenly) {
  Config config = small_run();
  config.threads = 1;
  const auto one = hashes_of<TypeParam>(config, self());
  const int domain = world().rank() == 0 ? 0 : 1;
  for (const std::size_t m : model_ranks()) {
    config.model_parallel = m;
    if (!allows_node(m, domain)) {
      EXPECT_EQ(hashes_of<TypeParam>(config, world(), domain), one) << "M = " << m;
    }
  }
}

// 10 classes in 1, 2, 5 and 8 blocks, on fewer and on more ranks than blocks. Each exchange of each
// grid meets two of the four, others for another number of ranks or another type.
TYPED_TEST(Reproducible, EveryUpdateHasTheSameBitsInEveryGrid) {
  Config config = small_run();
  std::size_t first = static_cast<std::size_t>(world().size()) + sizeof(TypeParam) / 8;
  for (const auto& [block, optimizer] : {std::pair(1024, OptimizerKind::adamw),
                                         {5, OptimizerKind::momentum},
                                         {2, OptimizerKind::adamw},
                                         {1, OptimizerKind::momentum}}) {
    config.least_block_classes = static_cast<std::size_t>(block);
    config.optimizer = optimizer;
    config.model_parallel = 1;
    config.exchange = ExchangeKind::automatic;
    config.threads = 1;
    const auto one = hashes_of<TypeParam>(config, self());
    std::size_t turn = first++;
    for (const std::size_t m : model_ranks()) {
      for (const ExchangeKind kind :
           {ExchangeKind::tree, ExchangeKind::node, ExchangeKind::overlap}) {
        config.model_parallel = m;
        config.exchange = kind;
        config.threads = kind == ExchangeKind::node ? 2 : 1;
        const bool is_allowed = kind != ExchangeKind::node || allows_node(m);
        if (++turn % 2 == 0 && is_allowed) {
          EXPECT_EQ(hashes_of<TypeParam>(config, world()), one)
              << "M = " << m << ", blocks of " << block << " classes";
        }
      }
    }
  }
}

TYPED_TEST(Reproducible, AnyNumberOfLogicalShards) {
  for (const std::size_t shards : {1U, 3U, 12U, 300U}) {
    Config config = small_run();
    config.logical_shards = shards;
    config.threads = 1;
    const auto one = hashes_of<TypeParam>(config, self());
    config.threads = 2;
    EXPECT_EQ(hashes_of<TypeParam>(config, world()), one) << shards;
  }
}

TYPED_TEST(Reproducible, MetricsAreTheSame) {
  Config config = small_run();
  config.early_stop = 1;
  config.threads = 1;
  EXPECT_EQ(outcome_of<TypeParam>(config, world()), outcome_of<TypeParam>(config, self()));
}

TYPED_TEST(Reproducible, MetricsAreTheSameInEveryGrid) {
  for (const std::size_t block : {1024U, 2U}) {
    Config config = small_run();
    config.least_block_classes = block;
    config.threads = 1;
    const std::string one = outcome_of<TypeParam>(config, self());
    for (const std::size_t m : model_ranks()) {
      config.model_parallel = m;
      EXPECT_EQ(outcome_of<TypeParam>(config, world()), one) << m;
    }
  }
}

TYPED_TEST(Reproducible, AveragesAreTheSameInEveryGridByEveryExchange) {
  Config config = small_run();
  config.threads = 1;
  config.least_block_classes = 2;
  const std::string trained = outcome_of<TypeParam>(config, self());
  config.average_weights = 0.7;
  const std::string one = outcome_of<TypeParam>(config, self());
  EXPECT_NE(one, trained);
  for (const std::size_t m : model_ranks()) {
    for (const ExchangeKind kind :
         {ExchangeKind::tree, ExchangeKind::node, ExchangeKind::overlap}) {
      config.model_parallel = m;
      config.exchange = kind;
      if (kind != ExchangeKind::node || allows_node(m)) {
        EXPECT_EQ(outcome_of<TypeParam>(config, world()), one) << m;
      }
    }
  }
}

// MPI's own sum has the tree's bits where it adds two numbers. With more ranks the comparison finds
// out that it has not, unless they are a power of two, which MPI may add up as the tree does.
TYPED_TEST(Reproducible, MpisOwnSumIsExactWithTwoRanks) {
  Config config = small_run();
  config.threads = 1;
  const auto one = hashes_of<TypeParam>(config, self());
  config.exchange = ExchangeKind::allreduce;
  const bool are_same = hashes_of<TypeParam>(config, world()) == one;
  if (world().size() <= 2) {
    EXPECT_TRUE(are_same);
  } else if (!std::has_single_bit(static_cast<unsigned>(world().size()))) {
    EXPECT_FALSE(are_same);
  }
}

}  // namespace
}  // namespace dnn
