// With every placement of the features, the model, its figures and the data's fingerprint are those
// of one rank that has all features.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/store/data_fingerprint.hpp"
#include "dnn/store/leaving_index.hpp"
#include "dnn/train/trainer.hpp"
#include "support/expect_error.hpp"
#include "support/shared_folder.hpp"
#include "support/sparse_file.hpp"
#include "support/whole_run.hpp"

namespace dnn {
namespace {

using test::model_ranks;
using test::self;
using test::SharedFolder;
using test::world;

/// Layouts of the ranks on nodes.
std::vector<int> ways_to_lie() {
  const int rank = world().rank();
  return {rank, rank / 2, rank % 2, rank == 0 ? 1 : 0};
}

/// Rows of text, numbers with gaps, and dates; a class each.
std::string table(int rows) {
  std::string text = "colour,size,day,gap,class\n";
  const char* const colours[] = {"red", "green", "blue", "rare"};
  for (int i = 0; i < rows; ++i) {
    const int hash = (i * 7919 + 13) % 1009;
    text += std::string(colours[hash % 50 == 0 ? 3 : hash % 3]) + "," +
            std::to_string(hash * 0.37 - 20) + ",2024-0" + std::to_string(1 + hash % 9) + "-1" +
            std::to_string(hash % 10) + "," + (hash % 7 == 0 ? "" : std::to_string(hash % 91)) +
            "," + (hash % 3 == 0 || hash > 800 ? "yes" : "no") + "\n";
  }
  return text;
}

Config small_run(const std::string& data) {
  Config config;
  config.data = data;
  config.hidden = {21, 10};
  config.epochs = 3;
  config.batch_size = 50;
  config.logical_shards = 8;
  config.threads = 1;
  config.dropout = 0.2;
  config.verify_every = 2;
  config.window_bytes = 6000;  // several windows an epoch
  return config;
}

/// Everything that a run says of its model and data.
std::string outcome_of(Config config, const Communicator& ranks, int node = 0) {
  config.precision = Precision::f32;
  nlohmann::ordered_json outcome;
  test::OpenGrid of(ranks, config.model_parallel, 0, node);
  {
    const TrainingData data = load_data(config, of.grid);
    const RunPlan plan = RunPlan::make(config, of.grid, data);
    set_threads(plan.threads);
    outcome["data"] = data_fingerprint(data);
    Reporter silent(Reporter::Mode::silent);
    Trainer<float> trainer(config, of.grid, plan, data, silent);
    trainer.run();
    for (const EpochMetrics& metrics : trainer.result().epochs) {
      outcome["epochs"].push_back({metrics.train.loss, metrics.train.accuracy,
                                   metrics.validation ? metrics.validation->loss : 0});
    }
    outcome["parameters"] = trainer.parameters_sha256();
    outcome["importance"] = trainer.importance().to_json();
    Confusion confusion;
    const Evaluation last = trainer.final_evaluation(confusion);
    outcome["last"] = {last.loss, last.accuracy, last.samples};
  }
  set_threads(1);
  of.close();
  return outcome.dump();
}

class Placements : public testing::Test {
 protected:
  /// A run whose data are as `kind` says.
  [[nodiscard]] Config run_of(const std::string& kind) const {
    Config config = small_run(kind == "digits"                      ? builtin_digits_name
                              : kind == "table" || kind == "tested" ? table_
                                                                    : sparse_);
    config.test_data = kind == "tested" ? test_ : "";
    config.validation = kind == "all" ? 0 : 0.2;
    if (kind == "all") {
      config.data = table_;
    }
    return config;
  }

  SharedFolder folder_;
  std::string table_ = folder_.write("table.csv", table(300));
  std::string test_ = folder_.write("test.csv", table(90));
  std::string sparse_ = folder_.write("train.svm", test::sparse_text());
};

const char* const kinds[] = {"digits", "table", "tested", "all", "sparse"};

TEST_F(Placements, JobGivesTheBitsOfOneRankThatHasAll) {
  for (const std::string kind : kinds) {
    Config config = run_of(kind);
    const std::string one = outcome_of(config, self());
    config.placement = Placement::job;
    for (const int node : ways_to_lie()) {
      EXPECT_EQ(outcome_of(config, world(), node), one) << kind;
    }
    config.model_parallel = model_ranks().back();
    EXPECT_EQ(outcome_of(config, world(), world().rank() % 2), one) << kind << ", model parallel";
  }
}

TEST_F(Placements, EachNodeHoldsItsShareOfTheFeaturesAlone) {
  Config config = run_of("digits");
  config.placement = Placement::job;
  test::OpenGrid of(world(), 1, 0, world().rank());
  {
    const TrainingData data = load_data(config, of.grid);
    const auto ranks = static_cast<std::size_t>(world().size());
    const Range mine = part_of(data.train.samples, ranks, static_cast<std::size_t>(world().rank()));
    if (ranks > 1) {
      ASSERT_TRUE(data.train.held);
      EXPECT_EQ(*data.train.held, mine);
    }
    EXPECT_EQ(data.features_bytes(), mine.size() * data.train.row_elements);
  }
  of.close();
}

// Windows of a batch of one sample are small.
TEST_F(Placements, ThePlanCountsTheIndexOfTheSamplesThatANodeHolds) {
  Config config = run_of("all");
  config.placement = Placement::job;
  config.batch_size = 1;
  config.logical_shards = 1;
  config.window_bytes = 1;
  test::OpenGrid of(world(), 1, 0, world().rank());
  {
    const TrainingData data = load_data(config, of.grid);
    const RunPlan plan = RunPlan::make(config, of.grid, data);
    const std::size_t held = data.train.held ? data.train.held->size() : 0;
    EXPECT_GE(data.window_bytes(), LeavingIndex::bytes(held));
    EXPECT_EQ(plan.node_bytes, data.memory_bytes() + data.window_bytes());
  }
  of.close();
}

TEST_F(Placements, DiskGivesTheSameBitsAndIsFoundAgain) {
  const SharedFolder scratch;
  for (const std::string kind : kinds) {
    Config config = run_of(kind);
    const std::string one = outcome_of(config, self());
    config.placement = Placement::disk;
    config.scratch = scratch.path();
    for (int time = 0; time < 2; ++time) {
      EXPECT_EQ(outcome_of(config, world(), world().rank() % 2), one) << kind;
    }
  }
}

TEST_F(Placements, ARunGoesOnInAnyPlacement) {
  const SharedFolder folder;
  Config config = run_of("table");
  const auto whole = test::train<float>(config, self());
  config.scratch = folder.path();
  config.placement = Placement::job;
  (void)test::train<float>(config, world(),
                           {.write_to = folder.path(), .node = world().rank() % 2});
  const std::string checkpoint = CheckpointFolder(folder.path()).file_for(7);
  for (const Placement placement : {Placement::node, Placement::job, Placement::disk}) {
    config.placement = placement;
    const auto resumed =
        test::train<float>(config, world(), {.resume_from = checkpoint, .node = world().rank()});
    test::expect_same_run(resumed, whole, 0, checkpoint);
  }
}

/// What an update amid an epoch does, while windows of rows are under way.
std::string replayed(Config config, const Communicator& ranks, int node = 0) {
  std::string result;
  test::OpenGrid of(ranks, 1, 0, node);
  {
    const TrainingData data = load_data(config, of.grid);
    const RunPlan plan = RunPlan::make(config, of.grid, data);
    set_threads(plan.threads);
    Reporter silent(Reporter::Mode::silent);
    Trainer<float> trainer(config, of.grid, plan, data, silent);
    const ReplayedUpdate update = trainer.replay(6);
    result = update.sha256 + " " + std::to_string(update.loss);
  }
  set_threads(1);
  of.close();
  return result;
}

TEST_F(Placements, AReplayEndsAmidAnEpoch) {
  for (const char* const kind : {"table", "sparse"}) {
    Config config = run_of(kind);
    const std::string one = replayed(config, self());
    config.placement = Placement::job;
    for (const int node : ways_to_lie()) {
      EXPECT_EQ(replayed(config, world(), node), one) << kind;
    }
  }
}

TEST_F(Placements, BadNumbersAmidAnEpochEndAllRanksAlike) {
  Config config = run_of("table");
  config.placement = Placement::job;
  config.optimizer = OptimizerKind::sgd;
  config.lr = 1e30;
  for (int time = 0; time < 2; ++time) {  // the messages of the first are no longer under way
    EXPECT_THROW((void)outcome_of(config, world(), world().rank()), AgreedError);
  }
}

TEST_F(Placements, JobWithFoldsIsRefused) {
  Config config = run_of("digits");
  config.folds = 3;
  config.placement = Placement::job;
  test::OpenGrid of(world(), 1, 0, world().rank());
  test::expect_error<AgreedError>([&] { (void)load_data(config, of.grid); },
                                  {"--placement job with --folds"});
  of.close();
}

}  // namespace
}  // namespace dnn
