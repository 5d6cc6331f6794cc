// Defaults that follow from the data, as a user meets them.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

struct DataDecide : public testing::Test {
  TemporaryFolder folder;

  /// A table of `rows` rows, whose columns are what awk prints for row number i, with random
  /// numbers from rand().
  [[nodiscard]] std::string table(const std::string& name, int rows,
                                  const std::string& columns) const {
    const std::string path = folder / name;
    const CommandResult made =
        run_command("awk 'BEGIN { srand(1); for (i = 0; i < " + std::to_string(rows) +
                    "; ++i) print " + columns + " }' OFS=, > " + path);
    EXPECT_EQ(made.exit_code, 0) << made.output;
    return path;
  }
  [[nodiscard]] CommandResult run(int ranks, const std::string& name,
                                  const std::string& options = {}) const {
    CommandResult result =
        run_command(mpirun(ranks) + train_by_data + options + " --output " + (folder / name));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result;
  }
  [[nodiscard]] nlohmann::json summary(const std::string& name) const {
    return summary_of(folder / name);
  }
};

TEST_F(DataDecide, FewSamplesAreAllTrainedOnForALengthThatAnyRankCountFinds) {
  const CommandResult one = run(1, "one");
  EXPECT_NE(one.output.find("chosen:   --epochs "), std::string::npos) << one.output;
  EXPECT_NE(one.output.find("\nrepeated splits: "), std::string::npos) << one.output;
  const auto found = summary("one")["repeated_splits"];
  EXPECT_EQ(summary("one")["training_samples"], 1797);
  EXPECT_EQ(summary("one")["epochs_run"], found["epochs"]);
  const int best = found["best_epochs"];
  EXPECT_EQ(found["epochs"], best + best / 2);  // classes: half as long again
  EXPECT_GE(found["accuracy"].get<double>(), 0.96);
  EXPECT_LE(found["loss"].get<double>(), 0.15);
  for (const int ranks : {3}) {
    const std::string name = std::to_string(ranks);
    (void)run(ranks, name);
    EXPECT_EQ(summary(name)["repeated_splits"], found);
    EXPECT_EQ(summary(name)["sha256_last"], summary("one")["sha256_last"]);
    EXPECT_EQ(summary(name)["configuration"]["chosen"], summary("one")["configuration"]["chosen"]);
  }
}

TEST_F(DataDecide, ResumedAndReplayedRunsFindTheSameSettings) {
  const std::string data = " --data " + table("d.csv", 300, "rand(), rand(), i % 3");
  (void)run(1, "run", data + " --checkpoint-every 20 --keep 1000");
  std::string checkpoint;
  for (const auto& entry : fs::directory_iterator(folder / "run" + "/checkpoints")) {
    if (entry.path().extension() == ".ckpt" &&
        (checkpoint.empty() || entry.path().string() < checkpoint)) {
      checkpoint = entry.path().string();
    }
  }
  const CommandResult resumed = run(2, "resumed", data + " --resume " + checkpoint);
  EXPECT_NE(resumed.output.find("resuming from " + checkpoint), std::string::npos)
      << resumed.output;
  EXPECT_EQ(summary("resumed")["sha256_last"], summary("run")["sha256_last"]);
  EXPECT_NE(run(1, "run", data).output.find("is finished"), std::string::npos);
  const CommandResult other =
      run_command(train_by_data + data + " --epochs 3 --output " + (folder / "run"));
  EXPECT_EQ(other.exit_code, 2) << other.output;
  EXPECT_NE(other.output.find("epochs: was "), std::string::npos) << other.output;
  const CommandResult replayed =
      run_command(train_by_data + data + " --replay 30 --from " + (folder / "run"));
  EXPECT_EQ(replayed.exit_code, 0) << replayed.output;
  EXPECT_NE(replayed.output.find("update 30 "), std::string::npos) << replayed.output;
}

TEST_F(DataDecide, TrainingEndsWhenTheHeldOutLossIsNoLongerBetter) {
  const std::string data = " --data " + table("noise.csv", 3000, "rand(), rand(), (rand() < 0.5)");
  const CommandResult result = run(1, "run", data);
  EXPECT_NE(result.output.find("stopped early"), std::string::npos) << result.output;
  const auto noise = summary("run");
  EXPECT_LT(noise["epochs_run"], noise["configuration"]["epochs"]);
  EXPECT_LT(noise["evaluation_of_best"]["loss"].get<double>(), 0.72);
}

TEST_F(DataDecide, OptionsGivenAreObeyedAndPlainIsTheSameForAllData) {
  const std::string data = " --data " + table("d.csv", 300, "rand(), rand(), i % 3");
  (void)run(1, "given", data + " --epochs 4 --batch-size 100 --dropout 0 --normalize minmax");
  const auto given = summary("given")["configuration"];
  EXPECT_EQ(summary("given")["epochs_run"], 4);
  EXPECT_EQ(summary("given")["batch_size"], 100);
  EXPECT_EQ(given["dropout"], 0);
  EXPECT_EQ(given["normalize"], "minmax");
  for (const char* option : {"epochs", "batch-size", "dropout", "normalize"}) {
    EXPECT_FALSE(given["chosen"].contains(option)) << option;
  }
  const CommandResult plain = run(1, "plain", data + " --defaults plain");
  EXPECT_EQ(count(plain.output, "chosen: "), 0) << plain.output;
  EXPECT_EQ(summary("plain")["epochs_run"], 20);
  EXPECT_EQ(summary("plain")["configuration"]["optimizer"], "adam");
}

TEST_F(DataDecide, UnevenClassesAreTold) {
  const std::string data = " --data " + table("rare.csv", 2500, "rand(), rand(), (i % 50 == 0)");
  const CommandResult result = run(1, "run", data + " --epochs 1");
  EXPECT_NE(result.output.find("--class-weights balanced"), std::string::npos) << result.output;
  EXPECT_NE(summary("run")["note"].get<std::string>().find("2,450"), std::string::npos);
  const CommandResult dry =
      run_command(train_by_data + data + " --dry-run --class-weights balanced");
  EXPECT_EQ(count(dry.output, "classes are uneven"), 0) << dry.output;
  EXPECT_NE(dry.output.find("chosen:   --weight-decay "), std::string::npos) << dry.output;
}

TEST_F(DataDecide, OutliersAreClippedInPredictionToo) {
  const std::string data = " --data " + table("d.csv", 2500, "rand(), rand(), i % 2");
  (void)run(1, "run", data + " --epochs 1");
  EXPECT_EQ(summary("run")["configuration"]["clip-features"], 3);
  const std::string far = folder.write("far.csv", "1e6,0.5\n1e12,0.5\n");
  const CommandResult predicted =
      run_command(predict + " --model " + (folder / "run") + "/model.dnn --data " + far +
                  " --output " + (folder / "p.csv"));
  ASSERT_EQ(predicted.exit_code, 0) << predicted.output;
  const CommandResult kinds =
      run_command("tail -n 2 " + (folder / "p.csv") + " | sed 's/^[0-9]*,//' | sort -u | wc -l");
  EXPECT_EQ(kinds.output, "1\n") << read_file(folder / "p.csv");
}

TEST_F(DataDecide, NumbersAreLearntByDefaultAsWell) {
  for (const int rows : {200, 2500}) {
    const std::string name = std::to_string(rows);
    const std::string data =
        " --task numbers --data " + table(name + ".csv", rows, "a = rand(), b = rand(), a + b * b");
    (void)run(2, name, data);
    EXPECT_LT(summary(name)["evaluation_of_best"]["loss"].get<double>(), 0.05) << rows;
    if (rows < 2000) {
      const auto found = summary(name)["repeated_splits"];
      EXPECT_EQ(found["epochs"], found["best_epochs"]);
    }
  }
}

}  // namespace
}  // namespace dnn::test
