// One update of a run, computed again from a checkpoint before it.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "dnn/checkpoint/checkpoint.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Replay : public testing::Test {
  TemporaryFolder folder;
  std::string run = folder / "run";

  [[nodiscard]] std::string checkpoint(int updates) const {
    const std::string digits = std::to_string(updates);
    return run + "/checkpoints/step-" + std::string(12 - digits.size(), '0') + digits + ".ckpt";
  }
  void train_run(int ranks, const std::string& options) const {
    const CommandResult result =
        run_command(mpirun(ranks) + train + " --output " + run + " --keep 1000 " + options);
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  [[nodiscard]] CommandResult replay(int ranks, int update, const std::string& options) const {
    return run_command(mpirun(ranks) + train + " --replay " + std::to_string(update) + " --from " +
                       options);
  }
  /// The report of a replay that succeeds.
  [[nodiscard]] Json report(int ranks, int update, const std::string& options) const {
    const std::string out = folder / "report";
    const CommandResult result = replay(ranks, update, options + " --output " + out);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return Json::parse(read_file(out + "/replay-" + std::to_string(update) + ".json"));
  }
  [[nodiscard]] Json epoch(std::size_t number) const {
    std::istringstream lines(read_file(run + "/metrics.jsonl"));
    std::string line;
    for (std::size_t i = 0; i < number; ++i) {
      std::getline(lines, line);
    }
    return Json::parse(line);
  }
  [[nodiscard]] std::string fingerprint_of_run() const {
    return run_command("cd " + run + " && find . -type f -exec sha256sum {} + | sort").output;
  }
};

// The run has one update an epoch, so that it tells the loss of each.
TEST_F(Replay, IsWhatTheRunDidAtTheSameNumberOfRanks) {
  for (const int ranks : {1, 3}) {
    train_run(ranks,
              "--overwrite --hidden 24,16 --dropout 0.1 --epochs 6 --batch-size 1617 --clip-norm 1 "
              "--checkpoint-every 1");
    const std::string before = fingerprint_of_run();
    for (const int update : {2, 6}) {
      const Json replayed = report(ranks, update, checkpoint(1));
      const Json did = epoch(static_cast<std::size_t>(update));
      EXPECT_EQ(replayed["loss"], did["train_loss"]) << ranks;
      EXPECT_EQ(replayed["accuracy"], did["train_accuracy"]);
      EXPECT_EQ(replayed["lr"], did["lr"]);
      EXPECT_EQ(replayed["sha256"], did["sha256"]);
      EXPECT_EQ(replayed["samples"], 1617);
      EXPECT_EQ(replayed["epoch"], update);
      EXPECT_EQ(replayed["finite"], true);
      EXPECT_EQ(replayed["layers"].size(), 3U);
      EXPECT_EQ(replayed["findings"].size(), 0U);
    }
    // The newest checkpoint before it, of those in the run's folder.
    const Json from_folder = report(ranks, 5, run);
    EXPECT_EQ(from_folder["from"], checkpoint(4));
    EXPECT_EQ(from_folder["sha256"], epoch(5)["sha256"]);
    EXPECT_EQ(fingerprint_of_run(), before);
  }
}

TEST_F(Replay, IsTheRunsAtAnyNumberOfRanks) {
  train_run(5,
            "--hidden 24,16 --dropout 0.1 --epochs 4 --batch-size 1617 --clip-norm 1 "
            "--checkpoint-every 1 --average-weights 2");
  const Json at_5 = report(5, 3, checkpoint(1));
  EXPECT_EQ(at_5["loss"], epoch(3)["train_loss"]);
  EXPECT_EQ(at_5["sha256"], epoch(3)["sha256"]);
  EXPECT_GT(at_5["layers"][0]["norm_dW"], 0);
  for (const std::string options :
       {"1", "3 --exchange tree", "8", "4 --model-parallel 2", "2 --threads 2"}) {
    const Json other = report(options[0] - '0', 3, checkpoint(1) + options.substr(1));
    for (const char* what : {"loss", "accuracy", "layers", "sha256"}) {
      EXPECT_EQ(other[what], at_5[what]) << what << ", " << options;
    }
  }
}

// Plain SGD takes lr dW off W: checkpoints before and after the update tell both norms.
TEST_F(Replay, NormsAreThoseOfWhatTheUpdateDid) {
  const double lr = 0.5;
  train_run(2,
            "--precision double --hidden 12 --optimizer sgd --lr 0.5 --lr-schedule constant "
            "--clip-norm 0.01 --epochs 2 --batch-size 1617 --checkpoint-every 1");
  const Json replayed = report(3, 2, checkpoint(1));
  const auto parameters = [](const std::string& path) {
    const Checkpoint saved = load_checkpoint(path);
    std::vector<double> values(saved.parameters.size() / sizeof(double));
    std::memcpy(values.data(), saved.parameters.data(), saved.parameters.size());
    return values;
  };
  const std::vector<double> before = parameters(checkpoint(1));
  const std::vector<double> after = parameters(checkpoint(2));
  const std::size_t W1 = std::size_t{61} * 12;
  ASSERT_EQ(after.size(), W1 + 12 + 12 * 10 + 10);
  const auto squares = [&](std::size_t begin, std::size_t end, bool of_update) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double x = of_update ? (before[i] - after[i]) / lr : after[i];
      sum += x * x;
    }
    return sum;
  };
  // Clipping scales the whole update to 0.01; the norms are from before that.
  const double scale = std::sqrt(squares(0, after.size(), true));
  EXPECT_NEAR(scale, 0.01, 1e-9);
  double all = 0;
  const std::size_t ends[] = {0, W1, W1 + 12, W1 + 12 + 120, after.size()};
  for (std::size_t i = 0; i < 4; ++i) {
    const Json layer = replayed["layers"][i / 2];
    const double gradient = layer[i % 2 == 0 ? "norm_dW" : "norm_dB"];
    all += gradient * gradient;
    const double value = layer[i % 2 == 0 ? "norm_W" : "norm_B"];
    EXPECT_NEAR(value, std::sqrt(squares(ends[i], ends[i + 1], false)), 1e-8) << i;
  }
  ASSERT_GT(all, 0.01 * 0.01) << "nothing was clipped";
  for (std::size_t i = 0; i < 4; ++i) {
    const double gradient = replayed["layers"][i / 2][i % 2 == 0 ? "norm_dW" : "norm_dB"];
    EXPECT_NEAR(gradient / std::sqrt(all), std::sqrt(squares(ends[i], ends[i + 1], true)) / scale,
                1e-7)
        << i;
  }
}

TEST_F(Replay, AtOtherNumbersOfRanksIsTheSameToRounding) {
  train_run(4,
            "--precision double --hidden 300,260 --epochs 3 --batch-size 300 --checkpoint-every 4 "
            "--model-parallel 2");
  const Json at_4 = report(4, 11, checkpoint(4));
  EXPECT_EQ(at_4["ranks"], 4);
  for (const std::string options : {"1", "2", "3", "2 --model-parallel 1 --exchange allreduce"}) {
    const Json other = report(options[0] - '0', 11, checkpoint(8) + options.substr(1));
    EXPECT_NEAR(other["loss"], at_4["loss"], 1e-11) << options;
    for (std::size_t n = 0; n < 3; ++n) {
      for (const char* norm : {"norm_dW", "norm_dB", "norm_W", "norm_B"}) {
        EXPECT_NEAR(other["layers"][n][norm], at_4["layers"][n][norm], 1e-9)
            << norm << " of layer " << n + 1 << ", " << options;
      }
    }
  }
}

/// 400 samples of 4 features, of which the 101st is beyond what float's first product can hold.
std::string csv_with_a_bad_sample() {
  std::ostringstream text;
  for (int i = 1; i <= 400; ++i) {
    for (int j = 0; j < 4; ++j) {
      text << (i == 101 && j == 2 ? "3e38" : std::to_string((i * (j + 3)) % 17 - 8 + i % 2)) << ',';
    }
    text << (i % 2 == 0 ? "even" : "odd") << '\n';
  }
  return text.str();
}

TEST_F(Replay, OfAnUpdateThatIsNotFiniteNamesTheSamples) {
  const auto data = folder.write("d.csv", csv_with_a_bad_sample());
  const CommandResult failed = run_command(
      mpirun(3) + train + " --data " + data + " --output " + run +
      " --normalize none --validation 0 --hidden 16,8 --epochs 3 --batch-size 20 --dropout 0.1");
  ASSERT_EQ(failed.exit_code, 2) << failed.output;
  const Json told = Json::parse(read_file(run + "/nonfinite.jsonl"));
  const int update = told["update"];
  const std::string hash_before =
      run_command(model + " hash " + checkpoint(update - 1)).output.substr(0, 64);
  fs::rename(data, folder / "moved.csv");
  for (const int ranks : {1, 2, 3}) {
    const Json replayed = report(ranks, update, run + " --data " + (folder / "moved.csv"));
    EXPECT_EQ(replayed["finite"], false);
    EXPECT_EQ(replayed["loss"], "nan");
    ASSERT_EQ(replayed["findings"].size(), 1U) << replayed.dump();
    EXPECT_EQ(replayed["findings"][0]["samples"], std::vector<int>{101});
    EXPECT_EQ(replayed["findings"][0]["what"], told["findings"][0]["what"]);
    EXPECT_TRUE(replayed["layers"][2]["norm_dW"].is_string()) << replayed.dump();
    EXPECT_EQ(replayed["sha256"], hash_before);
  }
  const CommandResult printed = replay(1, update, run + " --data " + (folder / "moved.csv"));
  EXPECT_EQ(count(printed.output, "samples 101 of the training data"), 1) << printed.output;
  // What follows it goes on without it, as a run with --on-nonfinite skip does.
  const CommandResult skipped =
      run_command(mpirun(3) + train + " --data " + (folder / "moved.csv") + " --output " +
                  (folder / "skipped") +
                  " --normalize none --validation 0 --hidden 16,8 --epochs 3 "
                  "--batch-size 20 --dropout 0.1 --on-nonfinite skip --quiet");
  EXPECT_EQ(skipped.exit_code, 0) << skipped.output;
  const Json later = report(3, 60, run + " --data " + (folder / "moved.csv"));
  run = folder / "skipped";
  EXPECT_EQ(later["sha256"], epoch(3)["sha256"]);
}

TEST_F(Replay, RefusesWhatIsNoUpdateOfTheRun) {
  const auto data = folder.write("d.csv", csv_with_a_bad_sample());
  train_run(1, "--data " + data +
                   " --hidden 8 --epochs 4 --batch-size 60 --lr 1e-30 --optimizer sgd "
                   "--lr-schedule constant --early-stop 2 --checkpoint-every 3");
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {"3 --from " + checkpoint(3), {"--replay 3", "from after update 3"}},
      {"3 --from " + run, {"no checkpoint from before update 3"}},
      {"25 --from " + checkpoint(3), {"--replay 25", "the run has 24 updates"}},
      {"24 --from " + checkpoint(3), {"the run ends after epoch 3", "no update 24"}},
      {"0 --from " + checkpoint(3), {"counted from 1"}},
      {"x --from " + checkpoint(3), {"--replay"}},
      {"5", {"--from CHECKPOINT"}},
      {"5 --from " + (folder / "none"), {"none: no such run folder or checkpoint"}},
      {"5 --from " + run + "/last.dnn", {"not a dnn_train checkpoint"}},
      {"5 --lr 0.1 --from " + run, {"lr: was 1e-30, is 0.1"}},
      {"5 --overwrite --from " + run, {"leave --overwrite out"}},
      {"5 --data builtin:digits --from " + run, {"not those that the checkpoint", "--data"}}};
  for (const auto& [options, parts] : cases) {
    const CommandResult result = run_command(mpirun_to_refuse(2) + train + " --replay " + options);
    EXPECT_EQ(result.exit_code, 2) << options << '\n' << result.output;
    EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
    for (const std::string& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos) << part << " is not in\n"
                                                             << result.output;
    }
  }
  EXPECT_EQ(run_command(train + " --from " + run).exit_code, 2);
}

}  // namespace
}  // namespace dnn::test
