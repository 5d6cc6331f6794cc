// Sparse LIBSVM data, as a user trains on them.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/sparse_file.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

using nlohmann::json;

struct SparseRuns : public testing::Test {
  TemporaryFolder folder;
  std::string data = folder.write("train.svm", sparse_text());

  [[nodiscard]] CommandResult run(const std::string& before, const std::string& name,
                                  const std::string& options) const {
    return run_command(before + train + " --data " + data +
                       " --hidden 40,20 --batch-size 48 --logical-shards 8 --lr-schedule constant "
                       "--clip-norm 1 " +
                       options + " --output " + (folder / name));
  }
  [[nodiscard]] json summary(const std::string& name) const {
    return json::parse(read_file(folder / name + "/summary.json"));
  }
};

TEST_F(SparseRuns, GiveOneModelAtAnyNumberOfRanks) {
  const std::string options = "--epochs 6 --early-stop 2 --dropout 0.1 --weight-decay 0.01";
  const CommandResult one = run("", "one", options);
  EXPECT_EQ(one.exit_code, 0) << one.output;
  EXPECT_NE(one.output.find("sparse:   "), std::string::npos) << one.output;
  EXPECT_NE(one.output.find(" of 640 features a sample"), std::string::npos) << one.output;
  EXPECT_EQ(summary("one")["sparse_rows"], true);
  const std::vector<std::pair<std::string, std::string>> others = {
      {mpirun(3), ""},
      {mpirun(8), "--exchange tree"},
      {mpirun(2), "--exchange overlap --bucket-mib 0.01"},
      {mpirun(4), "--model-parallel 2"},
      {"DNN_MAX_ISA=avx2 ", "--threads 3"},
  };
  for (const auto& [before, added] : others) {
    const CommandResult other = run(before, "other", options + " --overwrite " + added);
    EXPECT_EQ(other.exit_code, 0) << other.output;
    for (const char* what : {"sha256_best", "sha256_last", "evaluation_of_best", "epochs_run"}) {
      EXPECT_EQ(summary("other")[what], summary("one")[what]) << before << added;
    }
  }
}

TEST_F(SparseRuns, ReplayIsWhatTheRunDid) {
  EXPECT_EQ(run(mpirun(3), "run", "--epochs 2 --checkpoint-every 1 --keep 100").exit_code, 0);
  json first;
  for (const int ranks : {1, 2, 5}) {
    const CommandResult result = run_command(mpirun(ranks) + train + " --replay 4 --from " +
                                             (folder / "run") + " --output " + (folder / "report"));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const json report = json::parse(read_file(folder / "report" + "/replay-4.json"));
    first = first.is_null() ? report : first;
    EXPECT_GT(report["layers"][0]["norm_dW"], 0);
    for (const char* what : {"loss", "accuracy", "layers", "sha256"}) {
      EXPECT_EQ(report[what], first[what]) << what << ", " << ranks;
    }
  }
}

// The same samples as a CSV file, which are computed with as dense rows. Without normalization, in
// which numbers of a CSV file are rounded otherwise.
TEST_F(SparseRuns, PredictionsAreThoseOfDenseRows) {
  ASSERT_EQ(run("", "run", "--epochs 2 --normalize none").exit_code, 0);
  std::istringstream lines(sparse_text());
  std::string csv;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string label;
    words >> label;
    std::vector<std::string> row(640, "0");
    for (std::string word; words >> word;) {
      const std::size_t colon = word.find(':');
      row[std::stoul(word.substr(0, colon)) - 1] = word.substr(colon + 1);
    }
    for (const std::string& value : row) {
      csv += value + ',';
    }
    csv += label + '\n';
  }
  const auto predictions = [&](const std::string& before, const std::string& file) {
    const std::string out = folder / "predictions.csv";
    const CommandResult result =
        run_command(before + predict + " --model " + (folder / "run") + "/model.dnn --data " +
                    file + " --overwrite --output " + out);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return read_file(out);
  };
  const std::string one = predictions("", data);
  EXPECT_EQ(predictions(mpirun(3), data), one);
  EXPECT_EQ(predictions(mpirun(2), folder.write("train.csv", csv)), one);
}

}  // namespace
}  // namespace dnn::test
