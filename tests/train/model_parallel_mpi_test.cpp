// A network that ranks hold together trains to the parameters of the whole one on a single rank:
// every grid of the ranks, from updates of one network to whole runs and their checkpoints.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <tuple>

#include "dnn/comm/agree.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/nn/initializer.hpp"
#include "dnn/parallel/allreduce_exchange.hpp"
#include "dnn/parallel/split_rule.hpp"
#include "dnn/train/checkpoint_folder.hpp"
#include "dnn/train/data_fingerprint.hpp"
#include "dnn/train/model_file.hpp"
#include "dnn/train/trainer.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_world.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::self;
using test::world;

/// Every M that divides the ranks.
std::vector<std::size_t> model_ranks() {
  std::vector<std::size_t> counts;
  for (std::size_t m = 1; m <= static_cast<std::size_t>(world().size()); ++m) {
    if (static_cast<std::size_t>(world().size()) % m == 0) {
      counts.push_back(m);
    }
  }
  return counts;
}

/// A grid of all ranks, or of this one alone.
struct Ranks {
  explicit Ranks(const Communicator& ranks, std::size_t m) : node(ranks), grid(ranks, node, m) {}
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  void close() {
    grid.close();
    node.close();
  }
  Node node;
  RankGrid grid;
};

// Updates of one network, all of whose samples are made up.

struct Problem {
  std::size_t classes = 10;
  std::size_t updates = 3;
  std::size_t samples = 22;  ///< of an update
  double clip_norm = 0.7;
};

template <class T>
struct Updated {
  ParameterLayout layout;
  std::vector<T> values, gradients;
  std::vector<double> losses;
  std::uint64_t correct = 0;
};

template <class T>
Updated<T> update(const Problem& problem, const Communicator& ranks, std::size_t m) {
  constexpr std::size_t features = 6;
  const std::vector<std::size_t> widths = {features, 40, 24, 16, problem.classes};
  Ranks of(ranks, m);
  RankGrid& grid = of.grid;
  const ParameterLayout layout(widths, SplitRule{.least_nodes = 1}.splits(widths, m), m,
                               grid.model_shard());
  Updated<T> updated{layout, {}, {}, {}};
  {
    AllreduceExchange<T> exchange(grid.data_group(), layout.size());
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
                          .largest_gradient = 1e30},
                         SoftmaxCrossEntropy(0.1, weights),
                         {.kind = OptimizerKind::nesterov, .weight_decay = 0.01}, exchange,
                         grid.is_split() ? &grid.model_group() : nullptr);
    step.set_values([&](std::span<T> values) { initialize(layout, Initializer::he, 7, values); });
    const Range mine = part_of(problem.samples, grid.data_shards(), grid.data_shard());
    PhaseSeconds seconds;
    for (std::size_t u = 0; u < problem.updates; ++u) {
      const auto X = test::numbers<T>(problem.samples * features, u);
      std::vector<std::int32_t> labels;
      std::vector<std::uint64_t> indices;
      for (std::size_t s = 0; s < problem.samples; ++s) {
        labels.push_back(static_cast<std::int32_t>((s * 7919 + u) % problem.classes));
        indices.push_back(100 * u + s);
      }
      const Batch<T> batch{{X.data() + mine.begin * features, mine.size(), features},
                           std::span(labels).subspan(mine.begin, mine.size()),
                           std::span(indices).subspan(mine.begin, mine.size())};
      const StepResult result = step.run(batch, problem.samples, 1, 0.05, seconds);
      EXPECT_TRUE(result.counts);
      updated.losses.push_back(ranks.all_reduce(result.sums.loss, Reduction::sum));
      updated.correct += ranks.all_reduce(result.sums.correct, Reduction::sum);
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

// Whole runs.

template <class T>
struct Trained {
  std::vector<T> parameters;  ///< of the whole network, on all ranks
  TrainingResult result;
  Evaluation evaluation;
  Confusion confusion;  ///< of all ranks, by rank 0
};

struct Job {
  std::string write_to;
  std::string resume_from;
};

template <class T>
Trained<T> train(Config config, const Communicator& ranks, const Job& job = {}) {
  if (config.precision != Precision::bf16) {
    config.precision = sizeof(T) == sizeof(double) ? Precision::f64 : Precision::f32;
  }
  Ranks of(ranks, config.model_parallel);
  Trained<T> trained;
  {
    const TrainingData data = load_training_data(config, of.grid);
    const RunPlan plan = RunPlan::make(config, of.grid, data);
    set_threads(plan.threads);
    Reporter silent(Reporter::Mode::silent);
    RunControl control(ranks, nullptr,
                       {CheckpointInterval::parse(job.write_to.empty() ? "off" : "7"), 1000,
                        job.write_to, data_fingerprint(data)});
    Trainer<T> trainer(config, of.grid, plan, data, nullptr, silent, &control);
    if (!job.resume_from.empty()) {
      trainer.resume(ranks.is_root() ? load_checkpoint(job.resume_from) : Checkpoint{});
    }
    trainer.run();
    trained.result = trainer.result();
    std::vector<std::byte> bytes = trainer.parameters();
    bytes.resize(plan.layout.parameter_count() * sizeof(T));
    ranks.broadcast(std::span(bytes), 0);
    trained.parameters.resize(plan.layout.parameter_count());
    std::memcpy(trained.parameters.data(), bytes.data(), bytes.size());
    EXPECT_EQ(trainer.parameters_sha256().size(), 64U);
    trainer.use_best();
    trained.evaluation = trainer.final_evaluation(trained.confusion);
    std::uint64_t counted = 0;
    for (const auto& [pair, count] : trained.confusion) {
      counted += count;
    }
    EXPECT_EQ(ranks.all_reduce(counted, Reduction::sum), trained.evaluation.samples);
  }
  of.close();
  return trained;
}

template <class T>
void expect_same_run(const Trained<T>& split, const Trained<T>& one, double tolerance,
                     const std::string& what) {
  EXPECT_EQ(split.parameters.size(), one.parameters.size());
  double worst = 0;
  for (std::size_t i = 0; i < one.parameters.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(split.parameters[i]) -
                                     static_cast<double>(one.parameters[i])));
  }
  EXPECT_LE(worst, tolerance) << what;
  EXPECT_EQ(split.result.epochs.size(), one.result.epochs.size()) << what;
  EXPECT_EQ(split.result.best_epoch, one.result.best_epoch) << what;
  for (std::size_t i = 0; i < std::min(split.result.epochs.size(), one.result.epochs.size()); ++i) {
    const EpochMetrics& a = split.result.epochs[i];
    const EpochMetrics& b = one.result.epochs[i];
    EXPECT_NEAR(a.train.loss, b.train.loss, tolerance) << what;
    EXPECT_EQ(a.train.samples, b.train.samples) << what;
    EXPECT_NEAR(a.train.accuracy, b.train.accuracy, 10 * tolerance) << what;
    EXPECT_NEAR(a.validation->loss, b.validation->loss, tolerance) << what;
    EXPECT_NEAR(a.validation->accuracy, b.validation->accuracy, 10 * tolerance) << what;
  }
  EXPECT_NEAR(split.evaluation.loss, one.evaluation.loss, tolerance) << what;
  EXPECT_NEAR(split.evaluation.accuracy, one.evaluation.accuracy, 10 * tolerance) << what;
}

Config small_run() {
  Config config;
  config.hidden = {48, 24, 20};
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

class EveryExchange : public testing::TestWithParam<std::tuple<ExchangeKind, std::size_t>> {};

TEST_P(EveryExchange, TrainsToTheSameModelOnEveryGrid) {
  Config config = small_run();
  const Trained<double> one = train<double>(config, self());
  const Trained<float> one_float = train<float>(config, self());
  std::tie(config.exchange, config.threads) = GetParam();
  config.bucket_mib = 0.01;
  for (const std::size_t m : model_ranks()) {
    config.model_parallel = m;
    const std::string what = "M = " + std::to_string(m);
    expect_same_run(train<double>(config, world()), one, 1e-12, what);
    expect_same_run(train<float>(config, world()), one_float, 1e-4, what);
  }
}

INSTANTIATE_TEST_SUITE_P(ModelParallel, EveryExchange,
                         testing::Combine(testing::Values(ExchangeKind::allreduce,
                                                          ExchangeKind::node,
                                                          ExchangeKind::overlap),
                                          testing::Values(1U, 2U)));

// bf16 rounds the operands of products alike; where a pair's sums differ in float's last bit, some
// operands of the next layer are rounded the other way.
TEST(ModelParallel, TrainsInBf16) {
  if (!has_bf16_unit()) {
    return;
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

// A checkpoint is the whole run's: any grid goes on with what any other has saved.
TEST(ModelParallel, AnyGridGoesOnWithWhatAnyOtherSaved) {
  Config config = small_run();
  std::unique_ptr<test::TemporaryFolder> own;
  if (world().is_root()) {
    own = std::make_unique<test::TemporaryFolder>();
  }
  const std::string folder = world().broadcast(own ? own->path() : std::string(), 0);
  const Trained<double> one = train<double>(config, self());
  for (const std::size_t saved : model_ranks()) {
    config.model_parallel = saved;
    const std::string path = folder + "/" + std::to_string(saved);
    expect_same_run(train<double>(config, world(), {path, {}}), one, 1e-12, "saving");
    for (const std::size_t resumed : model_ranks()) {
      config.model_parallel = resumed;
      for (const std::uint64_t point : {7ULL, 21ULL}) {
        expect_same_run(
            train<double>(config, world(), {{}, CheckpointFolder(path).file_for(point)}), one,
            1e-12,
            "saved by M = " + std::to_string(saved) + ", resumed by " + std::to_string(resumed));
      }
    }
    config.model_parallel = 1;
    expect_same_run(train<double>(config, self(), {{}, CheckpointFolder(path).file_for(21)}), one,
                    1e-12, "resumed by one rank");
  }
  world().barrier();
}

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
