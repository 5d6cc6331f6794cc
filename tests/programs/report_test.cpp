// The report of runs: the same figures at any number of ranks, alone and compared.

#include <gtest/gtest.h>

#include <filesystem>

#include "support/programs.hpp"
#include "support/report_data.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// A run's record without what differs from run to run: times, ranks, where it is.
OrderedJson figures_of(OrderedJson run) {
  for (OrderedJson& epoch : run["epochs"]) {
    for (const char* key : {"samples_per_second", "seconds", "evaluation_seconds"}) {
      epoch.erase(key);
    }
  }
  OrderedJson summary;
  for (const char* key : {"best_epoch", "evaluation_of_best", "evaluated_on", "table", "network",
                          "training_samples", "sha256_best"}) {
    summary[key] = run["summary"].at(key);
  }
  return {{"epochs", run["epochs"]}, {"classes", run["classes"]}, {"summary", summary}};
}

TEST(Report, HasTheSameFiguresAtAnyNumberOfRanks) {
  const TemporaryFolder folder;
  const std::string options = " --epochs 4 --hidden 16 --output " + folder.path();
  for (const int ranks : {1, 3}) {
    const CommandResult result =
        run_command(mpirun(ranks) + train + options + "/" + std::to_string(ranks));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(count(result.output, "report: "), 1) << result.output;
  }
  const OrderedJson one = report_data(read_file(folder / "1/report.html"))["runs"][0];
  const OrderedJson three = report_data(read_file(folder / "3/report.html"))["runs"][0];
  EXPECT_EQ(figures_of(one), figures_of(three));
  EXPECT_EQ(one["epochs"].size(), 4U);
  EXPECT_EQ(one["classes"]["names"].size(), 10U);
  EXPECT_EQ(one["classes"]["samples"], 180);
  EXPECT_EQ(three["summary"]["seconds_by_rank"].size(), 3U);

  // The same page again from the files alone, and of both runs.
  std::filesystem::remove(folder / "1/report.html");
  CommandResult result = run_command(model + " report " + (folder / "1"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(report_data(read_file(folder / "1/report.html"))["runs"][0], one);
  result = run_command(model + " report " + (folder / "1 ") + (folder / "3") + " --output " +
                       (folder / "both.html"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(report_data(read_file(folder / "both.html"))["runs"], OrderedJson({one, three}));
  result = run_command(model + " report " + (folder / "1 ") + (folder / "3"));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_EQ(count(result.output, "--output FILE"), 1) << result.output;
}

TEST(Report, OneThatCannotBeWrittenDoesNotEndARun) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "run/report.html/in the way");
  const CommandResult result =
      run_command(train + " --overwrite --epochs 1 --hidden 4 --output " + (folder / "run"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(result.output, "could not write the report"), 1) << result.output;
  EXPECT_TRUE(std::filesystem::exists(folder / "run/summary.json"));
}

}  // namespace
}  // namespace dnn::test
