// A run that goes on from a checkpoint ends as the undisturbed one: bit for bit at the same number
// of ranks, to rounding at another; whatever holds the optimizer's state.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/stop_request.hpp"
#include "dnn/core/error.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/store/data_fingerprint.hpp"
#include "dnn/train/trainer.hpp"
#include "support/open_grid.hpp"
#include "support/shared_folder.hpp"

namespace dnn {
namespace {

using test::self;
using test::SharedFolder;
using test::world;

template <class T>
struct Trained {
  std::vector<T> values;
  TrainingResult result;
  std::string best_sha256;
};

struct Job {
  std::string write_to;     ///< folder for checkpoints; empty: none
  std::string interval;     ///< as --checkpoint-every
  std::string resume_from;  ///< a checkpoint
  const StopRequest* stop = nullptr;
  bool parallel = false;  ///< all ranks write the checkpoints
};

template <class T>
Trained<T> train(Config config, const Communicator& ranks, const Job& job) {
  config.precision = sizeof(T) == sizeof(double) ? Precision::f64 : Precision::f32;
  Node node(ranks);
  RankGrid grid(ranks, node, config.model_parallel);
  Trained<T> trained;
  {
    const TrainingData data = load_data(config, grid);
    const RunPlan plan = RunPlan::make(config, grid, data);
    Reporter silent(Reporter::Mode::silent);
    const auto interval = CheckpointInterval::parse(job.interval.empty() ? "off" : job.interval);
    CheckpointControl control(ranks, job.stop,
                              {interval, 1000, job.write_to, data_fingerprint(data), job.parallel});
    Trainer<T> trainer(config, grid, plan, data, silent, {.control = &control});
    if (!job.resume_from.empty()) {
      trainer.resume(ranks.is_root() ? load_checkpoint(job.resume_from) : Checkpoint{});
    }
    trainer.run();
    trained.values.assign(trainer.values().begin(), trainer.values().end());
    trained.result = trainer.result();
    if (!trained.result.interrupted) {
      trainer.use_best();
      trained.best_sha256 = trainer.parameters_sha256();
    }
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

Config small_run() {
  Config config;
  config.hidden = {24, 17};
  config.epochs = 3;
  config.batch_size = 101;  // 16 + 1 updates an epoch, the last batch short
  config.dropout = 0.2;
  return config;
}

/// Checkpoints to resume from: amid the first and the second epoch, and between epochs.
constexpr std::uint64_t updates[] = {7, 21, 28, 34};

template <class T>
void expect_same_end(const Config& config) {
  const SharedFolder folder;
  const auto undisturbed = train<T>(config, world(), {});
  const auto writing = train<T>(config, world(), {folder.path(), "7", {}, nullptr});
  const auto by_epoch = train<T>(config, world(), {folder.path(), "1epochs", {}, nullptr});
  EXPECT_EQ(largest_difference(undisturbed.values, writing.values), 0);
  EXPECT_EQ(largest_difference(undisturbed.values, by_epoch.values), 0);
  for (const std::uint64_t point : updates) {
    const std::string path = CheckpointFolder(folder.path()).file_for(point);
    const auto resumed = train<T>(config, world(), {{}, {}, path, nullptr});
    EXPECT_EQ(largest_difference(undisturbed.values, resumed.values), 0) << point;
    EXPECT_EQ(resumed.best_sha256, undisturbed.best_sha256) << point;
    EXPECT_EQ(resumed.result.best_epoch, undisturbed.result.best_epoch) << point;
    EXPECT_EQ(resumed.result.epochs.size(), undisturbed.result.epochs.size());
    for (std::size_t i = 0; i < resumed.result.epochs.size(); ++i) {
      const EpochMetrics& a = resumed.result.epochs[i];
      const EpochMetrics& b = undisturbed.result.epochs[i];
      EXPECT_NEAR(a.train.loss, b.train.loss, 1e-12) << point;  // summed in another order
      EXPECT_EQ(a.train.accuracy, b.train.accuracy) << point;
      EXPECT_EQ(a.validation->loss, b.validation->loss) << point;
      EXPECT_EQ(a.learning_rate, b.learning_rate) << point;
    }
  }
}

TEST(Resume, BitForBitAdamWithDropout) {
  expect_same_end<float>(small_run());
}

TEST(Resume, BitForBitNesterovInDouble) {
  Config config = small_run();
  config.optimizer = OptimizerKind::nesterov;
  config.weight_decay = 0.01;
  config.clip_norm = 0.5;
  config.warmup_epochs = 0.5;
  expect_same_end<double>(config);
}

TEST(Resume, BitForBitWithAveragedParameters) {
  Config config = small_run();
  config.average_weights = 1;
  expect_same_end<float>(config);
  config.exchange = ExchangeKind::node;
  expect_same_end<double>(config);
}

TEST(Resume, BitForBitSgdOverTheNode) {
  Config config = small_run();
  config.optimizer = OptimizerKind::sgd;
  config.exchange = ExchangeKind::node;
  expect_same_end<float>(config);
}

// Saved by all ranks and resumed by one, and the other way round, and with other exchanges.
TEST(Resume, AtAnotherNumberOfRanksAndExchange) {
  Config config = small_run();
  config.lr_schedule = ScheduleKind::step;
  config.lr_step_epochs = 1;
  constexpr double tight = 1e-11;  // Adam's division by small roots lets rounding grow
  const SharedFolder folder;
  for (const ExchangeKind kind :
       {ExchangeKind::allreduce, ExchangeKind::node, ExchangeKind::overlap}) {
    config.exchange = kind;
    const auto many = train<double>(config, world(), {folder.path(), "7", {}, nullptr});
    const std::string path = CheckpointFolder(folder.path()).file_for(21);
    Config other = config;
    other.exchange = kind == ExchangeKind::node ? ExchangeKind::allreduce : ExchangeKind::node;
    const auto others = train<double>(other, world(), {{}, {}, path, nullptr});
    EXPECT_LE(largest_difference(many.values, others.values), tight);
    const auto one = train<double>(other, self(), {{}, {}, path, nullptr});
    EXPECT_LE(largest_difference(many.values, one.values), tight);
  }
  if (world().is_root()) {
    (void)train<double>(config, self(), {folder.path(), "7", {}, nullptr});
  }
  world().barrier();
  const auto one = train<double>(config, self(), {});
  for (const std::uint64_t point : {7ULL, 49ULL}) {
    const std::string path = CheckpointFolder(folder.path()).file_for(point);
    const auto many = train<double>(config, world(), {{}, {}, path, nullptr});
    EXPECT_LE(largest_difference(many.values, one.values), tight);
  }
}

/// The first `count` ranks of world().
class FirstRanks {
 public:
  explicit FirstRanks(int count)
      : ranks_(world().split(world().rank() < count ? 0 : 1)), belongs_(world().rank() < count) {}
  /// Calls `work(ranks)` on them; the others wait for its end.
  template <class Work>
  void run(Work&& work) const {
    if (belongs_) {
      work(ranks_);
    }
    world().barrier();
  }

 private:
  Communicator ranks_;
  bool belongs_;
};

// Saved at each number of ranks, resumed at each other: by one rank's writing and by all ranks'.
TEST(Resume, AnyRankCountGoesOnWithWhatAnyOtherSaved) {
  Config config = small_run();
  config.optimizer = OptimizerKind::nesterov;
  std::vector<int> counts;
  for (const int count : {1, 2, 3, 8}) {
    if (count <= world().size()) {
      counts.push_back(count);
    }
  }
  for (const bool parallel : {false, true}) {
    const SharedFolder folder;
    const auto folder_of = [&](int count) { return folder.path() + "/" + std::to_string(count); };
    std::vector<Trained<double>> undisturbed(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      FirstRanks(counts[i]).run([&](const Communicator& ranks) {
        undisturbed[i] =
            train<double>(config, ranks, {folder_of(counts[i]), "21", {}, nullptr, parallel});
      });
    }
    for (const int saved : counts) {
      const std::string path = CheckpointFolder(folder_of(saved)).file_for(21);
      for (std::size_t i = 0; i < counts.size(); ++i) {
        FirstRanks(counts[i]).run([&](const Communicator& ranks) {
          const auto resumed = train<double>(config, ranks, {{}, {}, path, nullptr});
          EXPECT_LE(largest_difference(undisturbed[i].values, resumed.values),
                    saved == counts[i] ? 0 : 1e-12)
              << "saved by " << saved << ", resumed by " << counts[i];
          if (saved == counts[i]) {
            EXPECT_EQ(undisturbed[i].best_sha256, resumed.best_sha256);
          }
        });
      }
    }
  }
}

class InParts : public testing::TestWithParam<ExchangeKind> {};

// Every rank's part holds what one rank's file would: with and without sharing the updates, on
// every grid of the ranks.
TEST_P(InParts, ACheckpointIsTheSameState) {
  for (const std::size_t m : test::model_ranks()) {
    Config config = small_run();
    config.exchange = GetParam();
    config.model_parallel = m;
    config.split_hidden = true;
    config.least_split_nodes = 1;
    config.epochs = 2;
    config.average_weights = m > 1 ? 1 : 0;
    const SharedFolder one;
    const SharedFolder many;
    (void)train<float>(config, world(), {one.path(), "7", {}, nullptr});
    (void)train<float>(config, world(), {many.path(), "7", {}, nullptr, true});
    for (const std::uint64_t point : {7, 21, 34}) {
      const std::string path = CheckpointFolder(many.path()).file_for(point);
      const Checkpoint a = load_checkpoint(CheckpointFolder(one.path()).file_for(point));
      const Checkpoint b = load_checkpoint(path);
      EXPECT_EQ(a.parameters, b.parameters);
      EXPECT_EQ(a.optimizer_state, b.optimizer_state);
      EXPECT_EQ(a.best_parameters, b.best_parameters);
      EXPECT_EQ(a.best_epoch, b.best_epoch);
      const auto ranks = static_cast<std::size_t>(world().size());
      const std::size_t files = part_files(path).size();  // a rank may have nothing but padding
      EXPECT_TRUE(files == ranks || (m > 1 && files < ranks && files > ranks / 2)) << files;
      const auto resumed = train<float>(config, world(), {{}, {}, path, nullptr});
      EXPECT_EQ(resumed.result.epochs.size(), 2U);
    }
    world().barrier();
  }
}

INSTANTIATE_TEST_SUITE_P(Resume, InParts,
                         testing::Values(ExchangeKind::allreduce, ExchangeKind::node));

TEST(Resume, EarlyStopRemembersWhatWasBest) {
  Config config = small_run();
  config.optimizer = OptimizerKind::sgd;
  config.lr = 1e-300;  // no weight moves: nothing gets better
  config.lr_schedule = ScheduleKind::constant;
  config.epochs = 50;
  config.early_stop = 3;
  const SharedFolder folder;
  const auto undisturbed = train<double>(config, world(), {folder.path(), "5", {}, nullptr});
  EXPECT_TRUE(undisturbed.result.stopped_early);
  const std::string path = CheckpointFolder(folder.path()).file_for(40);
  const auto resumed = train<double>(config, world(), {{}, {}, path, nullptr});
  EXPECT_TRUE(resumed.result.stopped_early);
  EXPECT_EQ(resumed.result.epochs.size(), undisturbed.result.epochs.size());
  EXPECT_EQ(resumed.best_sha256, undisturbed.best_sha256);
  // From the last checkpoint on there is nothing left to train.
  const std::string last =
      CheckpointFolder(folder.path()).file_for(undisturbed.result.epochs.size() * 17);
  EXPECT_TRUE(train<double>(config, world(), {{}, {}, last, nullptr}).result.stopped_early);
}

// A rank that is asked to stop takes all with it, and the run goes on from there as if nothing had
// been; again and again.
TEST(Stop, OneRankIsEnoughAndNothingIsLost) {
  const SharedFolder folder;
  Config config = small_run();
  config.exchange = ExchangeKind::node;
  config.epochs = 20;
  const auto undisturbed = train<float>(config, world(), {});
  std::string path;
  for (int round = 0; round < 50; ++round) {
    StopRequest stop("test");
    stop.defer();
    if (world().rank() == world().size() - 1) {
      const auto start = StopRequest::Clock::now();
      stop.watch(
          [start, round] {
            return StopRequest::Clock::now() - start > std::chrono::milliseconds(100 * round);
          },
          "the test");
    }
    const auto part = train<float>(config, world(), {folder.path(), {}, path, &stop});
    if (!part.result.interrupted) {
      EXPECT_EQ(largest_difference(undisturbed.values, part.values), 0);
      EXPECT_EQ(part.best_sha256, undisturbed.best_sha256);
      return;
    }
    path = world().is_root() ? CheckpointFolder(folder.path()).newest_first().at(0) : std::string();
    path = world().broadcast(path, 0);
  }
  ADD_FAILURE() << "the run never ended";
}

// See Note [Signals stay off computing threads]: without that, this ends with a damaged heap.
TEST(Stop, SignalsDoNotDisturbTheProducts) {
  Config config = small_run();
  config.hidden = {128, 64};
  const auto undisturbed = train<float>(config, world(), {});
  StopRequest stop("test");
  stop.defer();  // nobody asks it
  std::atomic<bool> end = false;
  std::thread storm([&end] {
    const auto start = StopRequest::Clock::now();
    while (!end && StopRequest::Clock::now() - start < std::chrono::milliseconds(100)) {
      ::kill(::getpid(), SIGXCPU);  // of others, one half a second late would end the process
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  });
  const auto disturbed = train<float>(config, world(), {});
  end = true;
  storm.join();
  EXPECT_EQ(largest_difference(undisturbed.values, disturbed.values), 0);
}

TEST(Stop, IsSeenByAllRanksAtTheSameCall) {
  StopRequest stop("test");
  stop.defer();
  CheckpointControl control(world(), &stop, {});
  if (world().rank() == world().size() / 2) {
    ::kill(::getpid(), SIGUSR1);
  }
  std::int64_t calls = 0;
  bool stopped = false;
  while (!stopped && calls < 100'000'000) {
    try {
      ++calls;
      control.check_stop();
    } catch (const StopAgreed&) {
      stopped = true;
    }
  }
  EXPECT_TRUE(stopped);
  EXPECT_EQ(world().all_reduce(calls, Reduction::min), world().all_reduce(calls, Reduction::max));
  const std::string reason = control.stop_reason();
  EXPECT_EQ(reason, world().is_root() ? "SIGUSR1" : "");
}

TEST(Resume, ACheckpointOfAnotherNetworkIsRefusedOnAllRanks) {
  const SharedFolder folder;
  (void)train<float>(small_run(), world(), {folder.path(), "7", {}, nullptr});
  Config other = small_run();
  other.hidden = {24, 16};
  EXPECT_THROW((void)train<float>(other, world(),
                                  {{}, {}, CheckpointFolder(folder.path()).file_for(7), nullptr}),
               AgreedError);
}

}  // namespace
}  // namespace dnn
