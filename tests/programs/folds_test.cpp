// Cross-validation, as a user meets it.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
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

/// Two overlapping clouds and a third that is a seventh of all; `names`: of the three classes.
std::string clouds_csv(int rows, const std::vector<std::string>& names) {
  std::string text = "u,v,kind\n";
  for (int i = 0; i < rows; ++i) {
    const int c = i % 7 == 6 ? 2 : i % 2;
    const double x = (i * 37 % 101) / 101.0 + c * 0.8;
    const double y = (i * 53 % 97) / 97.0 - (c == 2 ? 1.5 : 0);
    text += std::to_string(x) + ',' + std::to_string(y) + ',' + names[static_cast<std::size_t>(c)] +
            '\n';
  }
  return text;
}

struct Folds : public testing::Test {
  TemporaryFolder folder;

  CommandResult run(int ranks, const std::string& name, const std::string& options,
                    const std::string& program = train) const {
    CommandResult result =
        run_command(mpirun(ranks) + program + options + " --output " + (folder / name));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result;
  }
  [[nodiscard]] nlohmann::json validation(const std::string& name) const {
    return summary_of(folder / name)["cross_validation"];
  }
  [[nodiscard]] std::string predictions(const std::string& name) const {
    return folder / name + "/out-of-fold.csv";
  }
};

/// Accuracy and mean of -log p(label) over the lines of each fold.
std::map<std::string, std::pair<double, double>> figures_by_fold(
    const std::vector<std::vector<std::string>>& rows) {
  std::map<std::string, std::size_t> columns;
  for (std::size_t j = 4; j < rows[0].size(); ++j) {
    columns[rows[0][j]] = j;
  }
  std::map<std::string, double> correct;
  std::map<std::string, double> loss;
  std::map<std::string, double> samples;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const std::string& fold = row[1];
    samples[fold] += 1;
    correct[fold] += row[2] == row[3] ? 1 : 0;
    loss[fold] -= std::log(std::stod(row[columns.at("p(" + row[3] + ")")]));
  }
  std::map<std::string, std::pair<double, double>> figures;
  for (const auto& [fold, count] : samples) {
    figures[fold] = {correct[fold] / count, loss[fold] / count};
  }
  return figures;
}

TEST_F(Folds, FiguresAreThoseOfThePredictionsOutOfFoldAtAnyNumberOfRanks) {
  const std::string data = " --epochs 10 --batch-size 16 --lr 0.01 --hidden 16 --data " +
                           folder.write("c.csv", clouds_csv(203, {"red", "green", "blue"}));
  const CommandResult one = run(1, "one", data + " --folds 4");
  const auto found = validation("one");
  EXPECT_EQ(found["folds"], 4);
  const auto rows = csv_rows(read_file(predictions("one")));
  EXPECT_EQ(rows[0], (std::vector<std::string>{"sample", "fold", "class", "label", "p(blue)",
                                               "p(green)", "p(red)"}));
  ASSERT_EQ(rows.size(), 204U);
  std::map<std::string, int> sizes;
  std::map<std::string, int> blue;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i][0], std::to_string(i));
    EXPECT_EQ(rows[i][3] == "blue", (i - 1) % 7 == 6);
    ++sizes[rows[i][1]];
    blue[rows[i][1]] += rows[i][3] == "blue" ? 1 : 0;
  }
  EXPECT_EQ(sizes, (std::map<std::string, int>{{"1", 51}, {"2", 51}, {"3", 51}, {"4", 50}}));
  for (const auto& [fold, count] : blue) {
    EXPECT_NEAR(count, 29 / 4.0, 1) << fold;
  }
  double mean = 0;
  double accuracy = 0;
  for (const auto& [fold, figures] : figures_by_fold(rows)) {
    const auto& told = found["by_fold"][static_cast<std::size_t>(std::stoi(fold)) - 1];
    EXPECT_EQ(told["samples"], sizes[fold]);
    EXPECT_EQ(told["epochs"], 10);
    EXPECT_NEAR(told["accuracy"].get<double>(), figures.first, 1e-12);
    EXPECT_NEAR(told["loss"].get<double>(), figures.second, 1e-5);
    accuracy += figures.first / 4;
    mean += figures.second / 4;
  }
  EXPECT_NEAR(found["mean"]["loss"].get<double>(), mean, 1e-5);
  EXPECT_NEAR(found["mean"]["accuracy"].get<double>(), accuracy, 1e-12);
  EXPECT_GT(accuracy, 0.8);
  double spread = 0;
  for (const auto& fold : found["by_fold"]) {
    spread += std::pow(fold["loss"].get<double>() - found["mean"]["loss"].get<double>(), 2) / 4;
  }
  EXPECT_NEAR(found["deviation"]["loss"].get<double>(), std::sqrt(spread), 1e-9);
  EXPECT_TRUE(found["mean"].contains("auc"));
  EXPECT_NE(one.output.find("fold 4 of 4: "), std::string::npos) << one.output;
  EXPECT_NE(one.output.find("over 4 folds, on samples left out: loss "), std::string::npos)
      << one.output;
  // Three folds side by side, then one on all ranks; and groups of two ranks.
  for (const int ranks : {3, 8}) {
    const std::string name = std::to_string(ranks);
    (void)run(ranks, name, data + " --folds 4");
    EXPECT_EQ(validation(name), found) << ranks;
    EXPECT_EQ(read_file(predictions(name)), read_file(predictions("one"))) << ranks;
    EXPECT_EQ(summary_of(folder / name)["sha256_last"], summary_of(folder / "one")["sha256_last"]);
  }
  // The model of all samples is that of a run without folds.
  (void)run(1, "none", data);
  EXPECT_EQ(summary_of(folder / "none")["sha256_last"], summary_of(folder / "one")["sha256_last"]);
  EXPECT_FALSE(summary_of(folder / "none").contains("cross_validation"));
  EXPECT_FALSE(fs::exists(predictions("none")));
}

TEST_F(Folds, SearchForTheirOwnLengthWhereTheRunDoes) {
  const std::string data =
      " --folds 3 --hidden 8 --data " + folder.write("c.csv", clouds_csv(90, {"a", "b", "c"}));
  (void)run(1, "one", data, train_by_data);
  (void)run(2, "two", data, train_by_data);
  EXPECT_TRUE(summary_of(folder / "one").contains("repeated_splits"));
  EXPECT_EQ(validation("one"), validation("two"));
  EXPECT_EQ(read_file(predictions("one")), read_file(predictions("two")));
  for (const auto& fold : validation("one")["by_fold"]) {
    EXPECT_LE(fold["epochs"], 60);
    EXPECT_GE(fold["accuracy"].get<double>(), 0.8);
  }
}

TEST_F(Folds, OfNumbersAreWrittenInTheirUnitAndLabelsAndWeightsCount) {
  std::string text = "x,y,price,weight\n";
  for (int i = 0; i < 120; ++i) {
    const double x = (i * 37 % 101) / 10.0;
    text += std::to_string(x) + ',' + std::to_string(i % 5) + ',' +
            std::to_string(1e6 + 2e4 * x - 1e4 * (i % 5)) + ',' + std::to_string(1 + i % 2) + '\n';
  }
  const std::string data =
      " --folds 3 --epochs 60 --batch-size 16 --hidden 16 --task numbers "
      "--label-column price --weight-column weight --data " +
      folder.write("h.csv", text);
  for (const int ranks : {1, 2}) {
    (void)run(ranks, std::to_string(ranks), data);
  }
  EXPECT_EQ(validation("1"), validation("2"));
  EXPECT_EQ(read_file(predictions("1")), read_file(predictions("2")));
  const auto rows = csv_rows(read_file(predictions("1")));
  EXPECT_EQ(rows[0],
            (std::vector<std::string>{"sample", "fold", "predicted(price)", "target(price)"}));
  std::map<std::string, std::pair<double, double>> squares;  // and weights
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const double weight = 1 + (static_cast<int>(i) - 1) % 2;
    auto& [sum, weights] = squares[rows[i][1]];
    sum += weight * std::pow(std::stod(rows[i][2]) - std::stod(rows[i][3]), 2);
    weights += weight;
  }
  for (std::size_t fold = 0; fold < 3; ++fold) {
    const auto& [sum, weights] = squares[std::to_string(fold + 1)];
    const double told = validation("1")["by_fold"][fold]["rmse"].get<double>();
    EXPECT_NEAR(std::sqrt(sum / weights), told, 1e-6 * told);
    EXPECT_GT(validation("1")["by_fold"][fold]["r2"].get<double>(), 0.7);
  }
}

TEST_F(Folds, OfANetworkThatRanksHoldTogetherOrSumsOfMPIAreTrainedOneByOne) {
  const std::string data = " --folds 3 --epochs 3 --hidden 16 --data " +
                           folder.write("c.csv", clouds_csv(100, {"a", "b", "c"}));
  (void)run(1, "one", data);
  const CommandResult split = run(4, "split", data + " --model-parallel 2");
  EXPECT_NE(split.output.find("one after another, on all ranks"), std::string::npos);
  EXPECT_EQ(validation("split"), validation("one"));
  EXPECT_EQ(read_file(predictions("split")), read_file(predictions("one")));
  const CommandResult sums = run(3, "sums", data + " --exchange allreduce");
  EXPECT_NE(sums.output.find("one after another, on all ranks"), std::string::npos);
  for (std::size_t fold = 0; fold < 3; ++fold) {
    EXPECT_NEAR(validation("sums")["by_fold"][fold]["loss"].get<double>(),
                validation("one")["by_fold"][fold]["loss"].get<double>(), 1e-3);
  }
}

TEST_F(Folds, HostileNamesStayTextInTheFile) {
  const std::string data =
      " --folds 2 --epochs 2 --hidden 8 --label-column kind --data " +
      folder.write("c.csv", clouds_csv(60, {"=1+1", "\"a,b\nc\"", "\"say \"\"x\"\"\""}));
  (void)run(1, "one", data);
  (void)run(3, "three", data);
  const std::string text = read_file(predictions("one"));
  EXPECT_TRUE(
      text.starts_with("sample,fold,class,label,p(=1+1),\"p(a,b\nc)\",\"p(say \"\"x\"\")\"\n"))
      << text.substr(0, 200);
  EXPECT_NE(text.find(",'=1+1,"), std::string::npos);
  EXPECT_EQ(text.find(",=1+1,"), std::string::npos);
  EXPECT_NE(text.find(",\"a,b\nc\","), std::string::npos);
  EXPECT_EQ(read_file(predictions("three")), text);
}

TEST_F(Folds, OfAResumedRunAreThoseItHasWritten) {
  const std::string data = " --hidden 8 --lr-schedule constant --data " +
                           folder.write("c.csv", clouds_csv(100, {"a", "b", "c"}));
  (void)run(1, "run", data + " --folds 3 --epochs 2");
  const auto found = validation("run");
  const std::string text = read_file(predictions("run"));
  // As if it had been stopped after its last epoch.
  fs::remove(folder / "run" + "/summary.json");
  const CommandResult resumed = run(2, "run", data + " --folds 3 --epochs 2");
  EXPECT_NE(resumed.output.find("resuming from "), std::string::npos) << resumed.output;
  EXPECT_EQ(count(resumed.output, "fold 1 of 3"), 0) << resumed.output;
  EXPECT_EQ(validation("run"), found);
  EXPECT_EQ(read_file(predictions("run")), text);
  // Where they are gone, or are of shorter runs, they are computed again.
  fs::remove(folder / "run" + "/summary.json");
  fs::remove(folder / "run" + "/folds.json");
  const CommandResult again = run(2, "run", data + " --folds 3 --epochs 2");
  EXPECT_EQ(count(again.output, "fold 1 of 3"), 1) << again.output;
  EXPECT_EQ(validation("run"), found);
  const CommandResult longer = run(2, "run", data + " --folds 3 --epochs 4");
  EXPECT_EQ(count(longer.output, "fold 1 of 3"), 1) << longer.output;
  EXPECT_EQ(validation("run")["by_fold"][0]["epochs"], 4);
  // Another number is another command.
  const CommandResult other =
      run_command(train + data + " --folds 4 --epochs 6 --output " + (folder / "run"));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.output.find("folds: was 3, is 4"), std::string::npos) << other.output;
}

TEST_F(Folds, ThatCannotBeAreRefused) {
  const std::string few = folder.write("f.csv", clouds_csv(12, {"a", "b", "c"}));
  const auto refused = [&](const std::string& options, const std::string& why, int ranks = 1) {
    const CommandResult result = run_command(mpirun_to_refuse(ranks) + train + options +
                                             " --output " + (folder / "refused"));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(why), std::string::npos) << result.output;
    EXPECT_EQ(count(result.output, "error: "), 1) << result.output;
  };
  refused(" --folds 1 --data " + few, "--folds 1: each fold needs others to train on");
  refused(" --folds 13 --data " + few, "has 12 samples, and each fold leaves out one at least");
  refused(" --folds -3 --data " + few, "'-3' is no number of 0 or more");
  refused(" --folds 2 --validation 0.92 --data " + few,
          "cross-validation, fold 1 of 2: --validation 0.92 leaves none of the 6 samples");
  // Rank 2 alone sees that no sample of the third fold counts.
  std::string text = "x,y,weight\n";
  for (int i = 0; i < 3; ++i) {
    text += std::to_string(i) + ',' + std::to_string(i) + ".5," + (i == 1 ? "0" : "1") + '\n';
  }
  refused(
      " --folds 3 --task numbers --label-column y --validation 0 --weight-column weight --data " +
          folder.write("w.csv", text),
      "the weight of every sample left out is 0", 3);
}

TEST_F(Folds, OfUpdatesThatAreNotFiniteDoWhatTheRunDoes) {
  const std::string data = " --folds 2 --epochs 2 --hidden 8 --lr 1e30 --optimizer sgd --data " +
                           folder.write("c.csv", clouds_csv(60, {"a", "b", "c"}));
  const CommandResult ended =
      run_command(mpirun_to_refuse(2) + train + data + " --output " + (folder / "ended"));
  EXPECT_EQ(ended.exit_code, 2) << ended.output;
  EXPECT_NE(ended.output.find("cross-validation, fold "), std::string::npos) << ended.output;
}

TEST_F(Folds, AndTheSearchForTheLengthObeyOnNonfinite) {
  // Three rows are so large that their gradients overflow.
  std::string text = clouds_csv(57, {"a", "b", "c"});
  for (const char* name : {"a", "b", "c"}) {
    text += std::string("1e38,-1e38,") + name + '\n';
  }
  const std::string data = " --hidden 8 --normalize none --batch-size 4 --data " +
                           folder.write("c.csv", text) + " --output ";
  const CommandResult ended = run_command(train_by_data + data + (folder / "ended"));
  EXPECT_EQ(ended.exit_code, 2) << ended.output;
  EXPECT_NE(ended.output.find("search for the length of training, split 1 of 5: update "),
            std::string::npos)
      << ended.output;
  const CommandResult rolled = run_command(train_by_data + " --folds 2 --on-nonfinite rollback" +
                                           data + (folder / "rolled"));
  EXPECT_NE(rolled.output.find("the update is left out"), std::string::npos) << rolled.output;
  EXPECT_EQ(rolled.output.find("search for the length of training, split"), std::string::npos)
      << rolled.output;
}

}  // namespace
}  // namespace dnn::test
