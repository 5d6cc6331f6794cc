// The same model at any number of ranks: every test trains on all ranks and on one alone, and
// compares.

#include "dnn/train/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "dnn/core/threads.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "support/array_files.hpp"
#include "support/mpi_world.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::self;
using test::world;

template <class T>
struct Trained {
  std::vector<T> values;
  TrainingResult result;
  Evaluation evaluation;
};

template <class T>
Trained<T> train(Config config, const Communicator& ranks) {
  config.precision = sizeof(T) == sizeof(double) ? Precision::f64 : Precision::f32;
  Node node(ranks);
  RankGrid grid(ranks, node, config.model_parallel);
  Trained<T> trained;
  {
    const TrainingData data = load_data(config, grid);
    const RunPlan plan = RunPlan::make(config, grid, data);
    set_threads(plan.threads);
    Reporter silent(Reporter::Mode::silent);
    Trainer<T> trainer(config, grid, plan, data, silent);
    trainer.run();
    trained.values.assign(trainer.values().begin(), trainer.values().end());
    trained.result = trainer.result();
    Confusion confusion;
    trained.evaluation = trainer.final_evaluation(confusion);
    std::uint64_t counted = 0;
    for (const auto& [pair, count] : confusion) {
      counted += count;
    }
    EXPECT_EQ(ranks.all_reduce(counted, Reduction::sum), trained.evaluation.samples);
  }
  grid.close();
  node.close();
  return trained;
}

template <class T>
double largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

/// Trains with all ranks and with one of one thread, and expects parameters and metrics to agree to
/// `tolerance`.
template <class T>
void expect_same_model(Config config, double tolerance) {
  const Trained<T> many = train<T>(config, world());
  config.exchange = ExchangeKind::automatic;
  config.threads = 1;
  const Trained<T> one = train<T>(config, self());
  EXPECT_LE(largest_difference(many.values, one.values), tolerance);
  ASSERT_EQ(many.result.epochs.size(), one.result.epochs.size());
  for (std::size_t i = 0; i < one.result.epochs.size(); ++i) {
    EXPECT_NEAR(many.result.epochs[i].train.loss, one.result.epochs[i].train.loss, tolerance);
    EXPECT_EQ(many.result.epochs[i].train.samples, one.result.epochs[i].train.samples);
  }
  EXPECT_NEAR(many.evaluation.loss, one.evaluation.loss, tolerance);
}

Config small_run() {
  Config config;
  config.hidden = {48, 24};
  config.epochs = 4;
  config.batch_size = 101;  // no rank count divides it, and the last batch is short
  config.optimizer = OptimizerKind::nesterov;
  config.verify_every = 3;
  return config;
}

// Ranks of a node share W, so it stays the same on all of them whatever one adds to a sum.
TEST(GradientCheck, NamesARankThatComputesOtherwise) {
  const int other = world().size() - 1;
  std::string message;
  Node node(world());
  RankGrid grid(world(), node, 1);
  {
    Config config = small_run();
    config.precision = Precision::f32;
    TrainingData data = load_data(config, grid);
    if (world().rank() == other) {
      const std::span<const std::int32_t> labels = data.train.labels.as<std::int32_t>();
      std::vector<std::int32_t> wrong(labels.begin(), labels.end());
      std::rotate(wrong.begin(), wrong.begin() + 1, wrong.end());
      data.train.labels = Bytes::from(std::move(wrong));
    }
    const RunPlan plan = RunPlan::make(config, grid, data);
    set_threads(plan.threads);
    Reporter silent(Reporter::Mode::silent);
    Trainer<float> trainer(config, grid, plan, data, silent);
    try {
      trainer.run();
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
  }
  grid.close();
  node.close();
  if (world().size() == 1) {
    EXPECT_EQ(message, "");
    return;
  }
  EXPECT_EQ(message.find("the gradients that ranks compute of the same samples differ: "), 0U)
      << message;
  if (world().size() > 2) {
    EXPECT_NE(message.find("those of rank " + std::to_string(other) + " (host "), std::string::npos)
        << message;
  }
}

// Tolerances. Ranks add the same numbers in another order; a sum of doubles then differs by about
// 1e-16 of its size, and some 60 updates let that grow to a few 1e-15. In float the same is 1e-7
// and a few 1e-6. Measured here: at most 6e-15 and 4e-6.
constexpr double tight = 1e-13;
constexpr double tight_float = 5e-5;

TEST(SameModelAtAnyRankCount, Double) {
  expect_same_model<double>(small_run(), tight);
}

TEST(SameModelAtAnyRankCount, DoubleWithDropout) {
  Config config = small_run();
  config.dropout = 0.3;
  expect_same_model<double>(config, tight);
}

TEST(SameModelAtAnyRankCount, Float) {
  expect_same_model<float>(small_run(), tight_float);
}

TEST(SameModelAtAnyRankCount, FloatWithDropout) {
  Config config = small_run();
  config.dropout = 0.3;
  expect_same_model<float>(config, tight_float);
}

TEST(SameModelAtAnyRankCount, DoubleWithEverySettingOn) {
  Config config = small_run();
  config.optimizer = OptimizerKind::adamw;
  config.weight_decay = 0.01;
  config.clip_norm = 0.5;
  config.label_smoothing = 0.1;
  config.class_weights = ClassWeights::balanced;
  config.dropout = 0.2;
  config.warmup_epochs = 1;
  config.normalize = Normalization::minmax;
  expect_same_model<double>(config, 1e-11);  // Adam's division by small roots lets rounding grow
}

/// How the ranks exchange gradients, and the threads of each.
class EveryExchange : public testing::TestWithParam<std::tuple<ExchangeKind, std::size_t>> {
 protected:
  /// Clipping joins in, since the norm is summed over the slices that the ranks own. The layers are
  /// wide enough to be worth two threads, and more than a bucket.
  static Config run() {
    Config config = small_run();
    std::tie(config.exchange, config.threads) = GetParam();
    config.hidden = {384, 96};
    config.bucket_mib = 0.1;
    config.batch_size = 404;
    config.clip_norm = 0.5;
    config.dropout = 0.2;
    config.epochs = 3;
    return config;
  }
};

TEST_P(EveryExchange, Double) {
  expect_same_model<double>(run(), tight);
}

TEST_P(EveryExchange, Float) {
  expect_same_model<float>(run(), tight_float);
}

INSTANTIATE_TEST_SUITE_P(SameModelAtAnyRankCount, EveryExchange,
                         testing::Combine(testing::Values(ExchangeKind::allreduce,
                                                          ExchangeKind::node,
                                                          ExchangeKind::overlap),
                                          testing::Values(1U, 2U)));

TEST(SameModelAtAnyRankCount, BatchesSmallerThanTheRanks) {
  Config config = small_run();
  config.hidden = {8};
  config.epochs = 1;
  config.batch_size = 3;
  config.validation = 0.9;
  expect_same_model<double>(config, tight);
}

TEST(SameModelAtAnyRankCount, BatchSizeOneAndTheWholeSet) {
  Config config = small_run();
  config.hidden = {8};
  config.validation = 0.95;  // leaves 90 to train on
  config.epochs = 1;
  config.batch_size = 1;
  expect_same_model<double>(config, tight);
  config.epochs = 3;
  config.batch_size = 90;
  expect_same_model<double>(config, tight);
}

TEST(SameModelAtAnyRankCount, MoreRanksThanSamples) {
  const test::TemporaryFolder folder;  // every rank's own: hosts need not share a /tmp
  Config config = small_run();
  config.data = folder.write("tiny.csv", "1,2,a\n3,4,b\n5,7,a\n");
  config.batch_size.reset();
  config.validation = 0;
  expect_same_model<double>(config, tight);
  world().barrier();
}

TEST(Trainer, StopsEarlyOnEveryRankAlike) {
  Config config = small_run();
  config.optimizer = OptimizerKind::sgd;
  config.lr = 1e-300;  // no weight moves: nothing gets better
  config.epochs = 50;
  config.early_stop = 2;
  const auto trained = train<double>(config, world());
  EXPECT_TRUE(trained.result.stopped_early);
  EXPECT_LT(trained.result.epochs.size(), 50U);
  EXPECT_EQ(trained.result.epochs.size(), trained.result.best_epoch + 2);
}

TEST(Trainer, LearnsTheDigits) {
  Config config;
  config.validation = 0.2;
  config.epochs = 15;
  const auto trained = train<float>(config, world());
  EXPECT_EQ(trained.evaluation.samples, 359U);
  EXPECT_GE(trained.evaluation.accuracy, 0.96);
}

// Float has steps of 128 near 1.7e9: the class would be lost in it.
TEST(Trainer, LearnsTimestampsOfSparseTextAsThoseOfDoubleArrays) {
  const test::TemporaryFolder folder;
  std::string text;
  std::vector<double> times;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 60; ++i) {
    const double time = 1700000000 + i;
    times.push_back(time);
    labels.push_back(i / 30);
    text += std::to_string(i / 30) + " 1:" + std::to_string(static_cast<int>(time)) + "\n";
  }
  Config config;
  config.hidden = {8};
  config.batch_size = 20;
  config.epochs = 60;
  config.validation = 0;
  config.lr = 0.05;
  config.data = folder.write("times.svm", text);
  const Trained<float> sparse = train<float>(config, world());
  config.data = folder.write("x.npy", test::npy("<f8", "(60, 1)", times)) + "," +
                folder.write("y.npy", test::npy("<i4", "(60,)", labels));
  const Trained<float> dense = train<float>(config, world());
  EXPECT_EQ(sparse.values, dense.values);
  EXPECT_GT(sparse.result.epochs.back().train.accuracy, 0.9);
  world().barrier();
}

}  // namespace
}  // namespace dnn
