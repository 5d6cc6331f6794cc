// Regression and several labels: trained at any number of ranks, resumed, predicted, averaged.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/csv_rows.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

/// 300 rows of three numbers and two targets that follow from them, the first around 1.7e9.
std::string houses_csv(bool with_targets = true) {
  std::string text = with_targets ? "area,age,rooms,price,time\n" : "area,age,rooms\n";
  for (int i = 0; i < 300; ++i) {
    const double area = 40 + i * 37 % 113;
    const double age = i * 53 % 71;
    const int rooms = 1 + i * 7 % 5;
    const double price = 3000 * area - 500 * age + 8000 * rooms * rooms;
    const double time = 1.7e9 + 10 * area + age;
    text += std::to_string(area) + ',' + std::to_string(age) + ',' + std::to_string(rooms);
    text += with_targets ? ',' + std::to_string(price) + ',' + std::to_string(time) + '\n' : "\n";
  }
  return text;
}

std::string trained(const std::string& data, const std::string& out, const std::string& options,
                    int ranks = 1) {
  const CommandResult result = run_command(mpirun(ranks) + train + " --overwrite --data " + data +
                                           " --output " + out + " " + options);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.output;
}

TEST(Numbers, AreLearntAndReportedInTheirUnit) {
  const TemporaryFolder folder;
  const std::string data = folder.write("h.csv", houses_csv());
  const std::string out = folder / "run";
  const std::string told =
      trained(data, out, "--task numbers --label-column price --columns ignore:time --epochs 80");
  const auto summary = summary_of(out);
  EXPECT_EQ(summary["task"], "numbers");
  const auto& best = summary["evaluation_of_best"];
  EXPECT_GT(best["r2"].get<double>(), 0.97);
  EXPECT_LT(best["rmse"].get<double>(), 20000);  // the prices' deviation is about 120,000
  EXPECT_GT(best["rmse"].get<double>(), best["mae"].get<double>());
  EXPECT_GT(best["mae"].get<double>(), 1);
  EXPECT_FALSE(best.contains("accuracy"));
  EXPECT_FALSE(fs::exists(out + "/confusion.csv"));
  EXPECT_NE(told.find("3 features, 1 number;"), std::string::npos) << told;
  EXPECT_NE(told.find("validation r2 0.9"), std::string::npos) << told;
}

// Whether or not the length is found on splits, as there are few rows: no figure is an accuracy.
TEST(Numbers, AreLearntWithDefaultsThatFollowFromTheData) {
  const TemporaryFolder folder;
  const std::string data = folder.write("h.csv", houses_csv());
  std::string hash;
  for (const int ranks : {1, 2}) {
    const std::string out = folder / std::to_string(ranks);
    const CommandResult result = run_command(
        mpirun(ranks) + train_by_data +
        " --task numbers --label-column price --columns ignore:time --hidden 32 --data " + data +
        " --output " + out);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(result.output.find("accuracy"), std::string::npos) << result.output;
    const auto summary = summary_of(out);
    EXPECT_GT(summary["evaluation_of_best"]["r2"].get<double>(), 0.9);
    const auto splits = summary.value("repeated_splits", nlohmann::ordered_json::object());
    EXPECT_FALSE(splits.contains("accuracy"));
    hash = hash.empty() ? summary["sha256_last"].get<std::string>() : hash;
    EXPECT_EQ(summary["sha256_last"], hash);
  }
}

TEST(Numbers, HaveTheSameBitsAtAnyNumberOfRanks) {
  const TemporaryFolder folder;
  const std::string data = folder.write("h.csv", houses_csv());
  std::string first;
  for (const std::string exchange : {"tree", "overlap", "node"}) {
    for (const int ranks : {1, 2, 3}) {
      const std::string split = ranks > 1 && exchange == "tree"
                                    ? " --model-parallel " + std::to_string(ranks)
                                    : std::string();
      const std::string out = folder / (exchange + std::to_string(ranks));
      trained(data, out,
              "--task numbers --label-column price,time --hidden 16 --epochs 3 --exchange " +
                  exchange + split,
              ranks);
      const auto summary = summary_of(out);
      const std::string figures =
          summary["sha256_last"].get<std::string>() + summary["evaluation_of_last"].dump();
      first = first.empty() ? figures : first;
      EXPECT_EQ(figures, first) << exchange << ranks;
    }
  }
}

TEST(Numbers, ArePredictedInTheirUnitAndAveraged) {
  const TemporaryFolder folder;
  const std::string data = folder.write("h.csv", houses_csv());
  const std::string bare = folder.write("bare.csv", houses_csv(false));
  std::vector<std::string> models;
  for (const std::string seed : {"1", "2"}) {
    models.push_back(folder / seed + "/model.dnn");
    trained(data, folder / seed,
            "--task numbers --label-column price,time --hidden 64,32 --epochs 40 --batch-size 32 "
            "--lr 0.01 --seed " +
                seed);
  }
  std::vector<std::vector<std::vector<std::string>>> predictions;
  for (const std::string& options : {"--model " + models[0], "--model " + models[1],
                                     "--logit-ensemble " + models[0] + " " + models[1]}) {
    std::string written;
    for (const int ranks : {1, 3}) {
      const std::string out = folder / "p.csv";
      const CommandResult result = run_command(mpirun(ranks) + predict + " --overwrite --output " +
                                               out + " --data " + data + " " + options);
      ASSERT_EQ(result.exit_code, 0) << result.output;
      EXPECT_NE(result.output.find("r2 0.9"), std::string::npos) << result.output;
      EXPECT_NE(result.output.find("rmse(price)"), std::string::npos) << result.output;
      written = written.empty() ? read_file(out) : written;
      EXPECT_EQ(read_file(out), written);
    }
    predictions.push_back(csv_rows(written));
  }
  EXPECT_EQ(predictions[0][0],
            (std::vector<std::string>{"sample", "predicted(price)", "predicted(time)",
                                      "target(price)", "target(time)"}));
  for (std::size_t i = 1; i < predictions[0].size(); ++i) {
    for (const std::size_t j : {std::size_t{1}, std::size_t{2}}) {
      const auto value = [&](std::size_t k) { return std::stod(predictions[k][i][j]); };
      const double mean = (value(0) + value(1)) / 2;
      EXPECT_NEAR(value(2), mean, 1e-7 * std::abs(mean)) << i << ' ' << j;
      EXPECT_NEAR(value(0), std::stod(predictions[0][i][j + 2]), j == 1 ? 1e5 : 500) << i;
    }
  }
  const CommandResult without = run_command(predict + " --output " + (folder / "b.csv") +
                                            " --data " + bare + " --model " + models[0]);
  EXPECT_EQ(without.exit_code, 0) << without.output;
  EXPECT_TRUE(read_file(folder / "b.csv").starts_with("sample,predicted(price),predicted(time)\n"));
}

TEST(Numbers, ResumeAndReplayToTheSameBits) {
  const TemporaryFolder folder;
  const std::string data = folder.write("h.csv", houses_csv());
  const std::string options =
      "--task numbers --label-column price,time --hidden 16 --huber 1.5 "
      "--lr-schedule constant "
      "--checkpoint-every 2steps --keep 20 --early-stop 4 --epochs ";
  trained(data, folder / "whole", options + "6");
  trained(data, folder / "parts", options + "2");
  const CommandResult rest = run_command(mpirun(2) + train + " --data " + data + " --output " +
                                         (folder / "parts") + " " + options + "6");
  ASSERT_EQ(rest.exit_code, 0) << rest.output;
  EXPECT_EQ(summary_of(folder / "parts")["sha256_last"],
            summary_of(folder / "whole")["sha256_last"]);
  EXPECT_EQ(summary_of(folder / "parts")["best"]["validation_r2"],
            summary_of(folder / "whole")["best"]["validation_r2"]);
  const CommandResult replayed =
      run_command(train + " --replay 5 --data " + data + " --from " + (folder / "whole"));
  EXPECT_EQ(replayed.exit_code, 0) << replayed.output;
  EXPECT_EQ(replayed.output.find("accuracy"), std::string::npos) << replayed.output;
  EXPECT_NE(replayed.output.find(": loss "), std::string::npos) << replayed.output;
}

TEST(Numbers, AreAskedForWhereTheLabelLeavesADoubt) {
  const TemporaryFolder folder;
  const std::string data = folder.write("h.csv", houses_csv());
  const auto refused = [&](const std::string& options) {
    const CommandResult result = run_command(mpirun(2) + train + " --data " + data + " --output " +
                                             (folder / "no") + " " + options);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_FALSE(fs::exists(folder / "no"));
    return result.output;
  };
  EXPECT_NE(refused("--label-column price").find("--task numbers"), std::string::npos);
  EXPECT_NE(refused("--task labels --label-column price").find("neither 0 nor 1"),
            std::string::npos);
  EXPECT_NE(refused("--task numbers --label-column price --class-weights balanced")
                .find("needs --task classes"),
            std::string::npos);
  EXPECT_NE(refused("--label-column rooms --huber 1").find("needs --task numbers"),
            std::string::npos);
}

/// 240 rows with three labels of 0 and 1 that follow from the numbers; some rows have none.
std::string tags_csv() {
  std::string text = "x,y,round,large,dark\n";
  for (int i = 0; i < 240; ++i) {
    const int x = i * 37 % 101;
    const int y = i * 53 % 89;
    text += std::to_string(x) + ',' + std::to_string(y) + ',' + (x > 60 ? "1," : "0,") +
            (x + y > 120 ? "1," : "0,") + (y < 20 ? "1\n" : "0\n");
  }
  return text;
}

TEST(Labels, AreLearntPredictedAndTheSameAtAnyNumberOfRanks) {
  const TemporaryFolder folder;
  const std::string data = folder.write("t.csv", tags_csv());
  std::string hash;
  for (const int ranks : {1, 2, 3}) {
    const std::string out = folder / std::to_string(ranks);
    trained(data, out,
            "--task labels --label-column round,large,dark --hidden 64,32 --epochs 20 --batch-size "
            "32 --lr 0.01" +
                (ranks > 1 ? " --model-parallel " + std::to_string(ranks) : std::string()),
            ranks);
    const auto summary = summary_of(out);
    hash = hash.empty() ? summary["sha256_last"].get<std::string>() : hash;
    EXPECT_EQ(summary["sha256_last"], hash) << ranks;
    EXPECT_GT(summary["evaluation_of_best"]["f1_micro"].get<double>(), 0.9);
    EXPECT_GT(summary["evaluation_of_best"]["f1_macro"].get<double>(), 0.9);
  }
  const CommandResult result =
      run_command(predict + " --output " + (folder / "p.csv") + " --data " + data + " --model " +
                  (folder / "1/model.dnn"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const auto rows = csv_rows(read_file(folder / "p.csv"));
  EXPECT_EQ(rows[0],
            (std::vector<std::string>{"sample", "labels", "p(round)", "p(large)", "p(dark)",
                                      "target(round)", "target(large)", "target(dark)"}));
  EXPECT_EQ(rows[1][1], "dark");  // x = y = 0
  EXPECT_GT(std::stod(rows[1][4]), 0.5);
}

}  // namespace
}  // namespace dnn::test
