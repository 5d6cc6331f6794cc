// Labels with a threshold each, and distributions, as a user meets them.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
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

using Cells = std::vector<std::vector<std::string>>;

/// A number in [0, 1) that follows from `i` and `which`.
double noise(int i, int which) {
  std::uint64_t bits = (static_cast<std::uint64_t>(i) << 20 | static_cast<unsigned>(which)) + 1;
  for (int round = 0; round < 3; ++round) {
    bits *= 0x9e3779b97f4a7c15U;
    bits ^= bits >> 29;
  }
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

/// A common label that x tells, and a rare one that y makes likely, but never more likely than not.
std::string photos_csv(int rows) {
  std::string text = "x,y,round,dark\n";
  for (int i = 0; i < rows; ++i) {
    const double x = noise(i, 0);
    const double y = noise(i, 1);
    const bool dark = y > 0.8 && noise(i, 2) < 0.4;
    text += std::to_string(x) + ',' + std::to_string(y) + ',' + (x > 0.4 ? "1," : "0,") +
            (dark ? "1\n" : "0\n");
  }
  return text;
}

struct Distribution : public testing::Test {
  TemporaryFolder folder;

  static CommandResult succeed(const std::string& command) {
    CommandResult result = run_command(command);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result;
  }
};

struct LabelThreshold : public Distribution {
  std::string photos = folder.write("photos.csv", photos_csv(1000));
  std::string what = " --task labels --label-column round,dark --hidden 16 --data " + photos;
};

TEST_F(LabelThreshold, HaveThresholdsThatSuitHeldOutSamples) {
  const std::string options = what + " --epochs 20 --batch-size 16 --lr 0.01 --validation 0.3";
  for (const int ranks : {1, 3}) {
    (void)succeed(mpirun(ranks) + train + options + " --output " +
                  (folder / std::to_string(ranks)));
  }
  (void)succeed(train + options + " --label-thresholds half --output " + (folder / "half"));
  const auto one = summary_of(folder / "1");
  const auto half = summary_of(folder / "half");
  EXPECT_EQ(summary_of(folder / "3")["label_thresholds"], one["label_thresholds"]);
  EXPECT_EQ(summary_of(folder / "3")["evaluation_of_best"], one["evaluation_of_best"]);
  EXPECT_EQ(half["sha256_best"], one["sha256_best"]);
  EXPECT_FALSE(half.contains("label_thresholds"));
  const double dark = one["label_thresholds"]["dark"].get<double>();
  EXPECT_LT(dark, 0.5);
  EXPECT_GT(dark, 0.02);
  EXPECT_EQ(one["evaluated_on"], "validation");
  EXPECT_GT(one["evaluation_of_best"]["f1_macro"].get<double>(),
            half["evaluation_of_best"]["f1_macro"].get<double>() + 0.05);
  EXPECT_EQ(one["evaluation_of_best"]["loss"], half["evaluation_of_best"]["loss"]);

  for (const char* file : {"/model.dnn", "/last.dnn"}) {
    const CommandResult info = succeed(model + " info " + (folder / "1") + file);
    EXPECT_NE(info.output.find("thresholds:  round 0."), std::string::npos) << info.output;
  }
  EXPECT_EQ(count(succeed(model + " info " + (folder / "half/model.dnn")).output, "thresholds:  "),
            0);

  const CommandResult told = succeed(mpirun(2) + predict + " --model " + (folder / "1/model.dnn") +
                                     " --data " + photos + " --output " + (folder / "p.csv"));
  const Cells rows = csv_rows(read_file(folder / "p.csv"));
  std::array<double, 3> sums{};  // given and right, given, right
  for (std::size_t i = 1; i < rows.size(); ++i) {
    std::string given;
    for (std::size_t k = 0; k < 2; ++k) {
      const double threshold = one["label_thresholds"][k == 0 ? "round" : "dark"].get<double>();
      const bool is_given = std::stod(rows[i][2 + k]) >= threshold;
      const bool is_right = rows[i][4 + k] == "1";
      given += is_given ? std::string(given.empty() ? "" : ";") + (k == 0 ? "round" : "dark") : "";
      sums[0] += is_given && is_right ? 1 : 0;
      sums[1] += is_given ? 1 : 0;
      sums[2] += is_right ? 1 : 0;
    }
    ASSERT_EQ(rows[i][1], given) << i;
  }
  char f1[40];
  std::snprintf(f1, sizeof(f1), "f1_micro %.6g", 2 * sums[0] / (sums[1] + sums[2]));
  EXPECT_NE(told.output.find(f1), std::string::npos) << f1 << '\n' << told.output;
}

TEST_F(LabelThreshold, HaveThresholdsFromTheSplitsWhereAllSamplesAreTrainedOn) {
  for (const int ranks : {1, 2}) {
    (void)succeed(mpirun(ranks) + train_by_data + what + " --output " +
                  (folder / std::to_string(ranks)));
  }
  const auto one = summary_of(folder / "1");
  EXPECT_TRUE(one.contains("repeated_splits"));
  EXPECT_LT(one["label_thresholds"]["dark"].get<double>(), 0.5);
  EXPECT_EQ(summary_of(folder / "2")["label_thresholds"], one["label_thresholds"]);
  const CommandResult info = succeed(model + " info " + (folder / "1/model.dnn"));
  EXPECT_NE(info.output.find("thresholds:  round 0."), std::string::npos) << info.output;
}

TEST_F(LabelThreshold, OfAnEnsembleAreGivenByTheMeanOfItsThresholds) {
  const std::string options = what + " --epochs 20 --batch-size 16 --lr 0.01 --validation 0.3";
  std::string models;
  double dark = 0;
  for (const std::string seed : {"1", "2"}) {
    (void)succeed(train + options + " --seed " + seed + " --output " + (folder / seed));
    models += " " + (folder / seed) + "/model.dnn";
    dark += summary_of(folder / seed)["label_thresholds"]["dark"].get<double>() / 2;
  }
  (void)succeed(mpirun(2) + predict + " --logit-ensemble" + models + " --data " + photos +
                " --output " + (folder / "p.csv"));
  const Cells rows = csv_rows(read_file(folder / "p.csv"));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i][1].find("dark") != std::string::npos, std::stod(rows[i][3]) >= dark) << i;
  }
}

/// The same labels as photos_csv(), in one column of lists.
std::string lists_csv(int rows, const std::string& separator) {
  const Cells photos = csv_rows(photos_csv(rows));
  std::string text = "x,y,tags\n";
  for (std::size_t i = 1; i < photos.size(); ++i) {
    const bool round = photos[i][2] == "1";
    const bool dark = photos[i][3] == "1";
    text += photos[i][0] + ',' + photos[i][1] + ',' + (dark ? "dark" : "") +
            (round && dark ? separator : "") + (round ? "round" : "") + '\n';
  }
  return text;
}

TEST_F(LabelThreshold, ComesWithLabelsThatShareACellAsWell) {
  const std::string options =
      " --epochs 20 --batch-size 16 --lr 0.01 --hidden 16 --task labels --validation 0.3";
  std::string in_order = "x,y,dark,round\n";  // as names are sorted
  for (const auto& row : csv_rows(photos_csv(1000))) {
    in_order += row[0] == "x" ? "" : row[0] + ',' + row[1] + ',' + row[3] + ',' + row[2] + '\n';
  }
  (void)succeed(train + options + " --label-column dark,round --data " +
                folder.write("columns.csv", in_order) + " --output " + (folder / "columns"));
  const auto columns = summary_of(folder / "columns");
  std::string data;
  for (const auto& [separator, given] :
       {std::pair<std::string, std::string>{";", ""}, {" | ", ""}, {"+", " --label-separator +"}}) {
    data = folder.write("lists.csv", lists_csv(1000, separator));
    (void)succeed(mpirun(2) + train + options + given + " --overwrite --label-column tags --data " +
                  data + " --output " + (folder / "lists"));
    EXPECT_EQ(summary_of(folder / "lists")["evaluation_of_best"], columns["evaluation_of_best"])
        << separator;
  }
  EXPECT_EQ(summary_of(folder / "lists")["label_thresholds"].size(), 2U);
  // Labels to compare with are read as in training; a row, and all rows, may have none.
  const std::string head = folder.write("head.csv", "x,y,tags\n0.9,0.1,round\n0.1,0.1,\n");
  const std::string none = folder.write("none.csv", "x,y,tags\n0.9,0.1,\n0.1,0.1,\n");
  for (const std::string& asked : {head, none}) {
    const CommandResult told =
        succeed(predict + " --overwrite --model " + (folder / "lists/model.dnn") + " --data " +
                asked + " --output " + (folder / "p.csv"));
    EXPECT_NE(told.output.find("f1_micro"), std::string::npos) << told.output;
    const Cells rows = csv_rows(read_file(folder / "p.csv"));
    EXPECT_EQ(rows[0], (std::vector<std::string>{"sample", "labels", "p(dark)", "p(round)",
                                                 "target(dark)", "target(round)"}));
    EXPECT_EQ(rows[1][5], asked == head ? "1" : "0");
    EXPECT_EQ(rows[2][5], "0");
  }
  const std::string other = folder.write("other.csv", "x,y,tags\n0.9,0.1,round+bright\n");
  const CommandResult unknown =
      run_command(predict + " --overwrite --model " + (folder / "lists/model.dnn") + " --data " +
                  other + " --output " + (folder / "p.csv"));
  EXPECT_EQ(unknown.exit_code, 0);
  EXPECT_NE(unknown.output.find("1 of 1 labels is unknown to the model (the first is 'bright')"),
            std::string::npos)
      << unknown.output;
  EXPECT_EQ(csv_rows(read_file(folder / "p.csv"))[0],
            (std::vector<std::string>{"sample", "labels", "p(dark)", "p(round)"}));
  const std::string blank = folder.write("blank.csv", "x,y,tags\n0.9,0.1,;\n0.1,0.1,;\n");
  const CommandResult empty = run_command(train + options + " --label-column tags --data " + blank +
                                          " --output " + (folder / "empty"));
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_NE(empty.output.find("column 'tags': no row has a label"), std::string::npos)
      << empty.output;
  EXPECT_NE(run_command(train + " --label-separator ';'").output.find("needs --task labels"),
            std::string::npos);
}

/// How likely each of three classes is: p and q at x, the rest for the third.
std::string shares_csv(int rows, bool with_shares = true) {
  std::string text = with_shares ? "x,a,b,c\n" : "x\n";
  for (int i = 0; i < rows; ++i) {
    const double x = noise(i, 0);
    const double a = x * x;
    const double b = (1 - a) * x;
    text += std::to_string(x);
    char shares[80] = "";
    std::snprintf(shares, sizeof(shares), ",%.9f,%.9f,%.9f", a, b, 1 - a - b);
    text += (with_shares ? shares : std::string()) + '\n';
  }
  return text;
}

TEST_F(Distribution, OverClassesIsLearnt) {
  const std::string data = folder.write("shares.csv", shares_csv(400));
  const std::string options =
      " --task distribution --label-column a,b,c --hidden 16 --epochs 60 "
      "--batch-size 16 --lr 0.01 --data " +
      data;
  for (const int ranks : {1, 2}) {
    (void)succeed(mpirun(ranks) + train + options + " --output " +
                  (folder / std::to_string(ranks)));
  }
  const auto one = summary_of(folder / "1");
  EXPECT_EQ(one["task"], "distribution");
  EXPECT_EQ(summary_of(folder / "2")["sha256_last"], one["sha256_last"]);
  EXPECT_EQ(summary_of(folder / "2")["evaluation_of_best"], one["evaluation_of_best"]);
  EXPECT_GT(one["evaluation_of_best"]["accuracy"].get<double>(), 0.85);
  for (const bool with_shares : {true, false}) {
    const std::string asked = folder.write("asked.csv", shares_csv(50, with_shares));
    const CommandResult told =
        succeed(mpirun(2) + predict + " --overwrite --model " + (folder / "1/model.dnn") +
                " --data " + asked + " --output " + (folder / "p.csv"));
    EXPECT_EQ(count(told.output, "accuracy "), with_shares ? 1 : 0) << told.output;
    const Cells rows = csv_rows(read_file(folder / "p.csv"));
    ASSERT_EQ(rows.size(), 51U);
    const std::size_t first = with_shares ? 3 : 2;
    EXPECT_EQ(rows[0][first], "p(a)");
    const Cells shares = csv_rows(shares_csv(50));
    for (std::size_t i = 1; i < rows.size(); ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        sum += std::stod(rows[i][first + k]);
        EXPECT_NEAR(std::stod(rows[i][first + k]), std::stod(shares[i][1 + k]), 0.1) << i;
      }
      EXPECT_NEAR(sum, 1, 1e-5) << i;
    }
  }
}

TEST_F(Distribution, ThatIsNoneIsRefused) {
  const std::string good = shares_csv(20);
  const std::string options = train + " --task distribution --label-column a,b,c --data ";
  for (const auto& [row, why] :
       {std::pair("0.5,0.3,0.3,0.3\n", "sample 21: its targets add up to 0.9, but to 1"),
        std::pair("0.5,-0.1,0.6,0.5\n", "sample 21: the target 'a' is -0.1, negative"),
        std::pair("0.5,0.5,0.5,x\n", "'x'")}) {
    const CommandResult result = run_command(options + folder.write("bad.csv", good + row) +
                                             " --output " + (folder / "bad"));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(why), std::string::npos) << result.output;
  }
}

// Folds choose their thresholds on their own held-out samples, never on those left out: the labels
// that the file gives have the F1 that the summary tells.
TEST_F(LabelThreshold, OfFoldsAreThoseThatTheFiguresAreOf) {
  const std::string out = folder / "folds";
  succeed(mpirun(2) + train + what + " --folds 3 --validation 0.2 --epochs 20 --output " + out);
  const Cells rows = csv_rows(read_file(out + "/out-of-fold.csv"));
  ASSERT_EQ(rows.front(), (std::vector<std::string>{"sample", "fold", "labels", "p(round)",
                                                    "p(dark)", "target(round)", "target(dark)"}));
  const auto by_fold = summary_of(out)["cross_validation"]["by_fold"];
  for (int fold = 1; fold <= 3; ++fold) {
    int both = 0;
    int either = 0;  // given, and there: counted twice where both
    for (std::size_t i = 1; i < rows.size(); ++i) {
      if (rows[i][1] != std::to_string(fold)) {
        continue;
      }
      for (const std::size_t label : {std::size_t{0}, std::size_t{1}}) {
        const bool given = rows[i][2].find(label == 0 ? "round" : "dark") != std::string::npos;
        const bool there = rows[i][5 + label] == "1";
        both += given && there ? 1 : 0;
        either += (given ? 1 : 0) + (there ? 1 : 0);
      }
    }
    EXPECT_NEAR(by_fold[static_cast<std::size_t>(fold - 1)]["f1_micro"].get<double>(),
                2.0 * both / either, 1e-12)
        << fold;
  }
}

TEST_F(LabelThreshold, AMissingValueAmongZerosAndOnesIsNoLabel) {
  const std::string data = folder.write("na.csv", "x,flag\n1,0\n2,1\n3,NA\n4,1\n");
  const CommandResult result = run_command(train + " --task labels --label-column flag --data " +
                                           data + " --output " + (folder / "na"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("line 4: the label is missing (1 of 4 rows have none)"),
            std::string::npos)
      << result.output;
}

// The samples that are judged may be stored otherwise than those of training.
TEST_F(Distribution, DenseDataHaveASparseTestSet) {
  std::string csv;
  std::string sparse;
  for (int i = 0; i < 100; ++i) {
    const double x = noise(i, 0);
    csv += std::to_string(x) + ',' + std::to_string(noise(i, 1)) + (x > 0.5 ? ",1\n" : ",0\n");
    sparse += (x > 0.5 ? "1 1:" : "0 1:") + std::to_string(x) + '\n';
  }
  ASSERT_EQ(run_command("cd " + folder.path() +
                        " && /usr/bin/python3 -c \"import numpy; t = "
                        "numpy.loadtxt('" +
                        folder.write("t.csv", csv) +
                        "', delimiter=','); "
                        "numpy.save('x.npy', t[:, :2]); numpy.save('y.npy', "
                        "t[:, 2].astype(int))\"")
                .exit_code,
            0);
  const CommandResult result =
      succeed(train + " --data " + (folder / "x.npy") + "," + (folder / "y.npy") + " --test-data " +
              folder.write("t.svm", sparse) + " --epochs 2 --output " + (folder / "run"));
  EXPECT_NE(result.output.find("test accuracy"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace dnn::test
