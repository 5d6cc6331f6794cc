// The report of runs: the same figures at any number of ranks, alone and compared.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

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
  return {{"epochs", run["epochs"]},
          {"classes", run["classes"]},
          {"evaluation", run["evaluation"]},
          {"summary", summary}};
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
  EXPECT_EQ(one["evaluation"]["curves"].size(), 10U);
  EXPECT_EQ(one["evaluation"]["importance"]["columns"].size(), 61U);  // three are constant
  EXPECT_EQ(one["evaluation"]["importance"]["samples"], 180);
  for (const char* of_ranks : {"seconds_by_rank", "host_by_rank", "peak_memory_by_rank"}) {
    EXPECT_EQ(three["summary"][of_ranks].size(), 3U) << of_ranks;
  }

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

/// Rows of a table whose targets follow from its first column, and from nothing else.
std::string told_by_one_column() {
  std::string text = "tells,colour,noise,y,a,b,p,q\n";
  for (int i = 0; i < 600; ++i) {
    const int x = i * 37 % 101;
    text += std::to_string(x) + (i * 53 % 7 < 3 ? ",red," : ",blue,") +
            std::to_string(i * 29 % 13) + ',' + std::to_string(2 * x) + ',' +
            std::to_string(x > 50 ? 1 : 0) + ',' + std::to_string(x % 20 > 9 ? 1 : 0) + ',' +
            std::to_string(x / 100.0) + ',' + std::to_string(1 - x / 100.0) + '\n';
  }
  return text;
}

TEST(Report, PlotsAndImportanceAreTheSameAtAnyNumberOfRanksForEveryTask) {
  const TemporaryFolder folder;
  folder.write("t.csv", told_by_one_column());
  const std::vector<std::pair<std::string, std::string>> tasks = {
      {"numbers", "--label-column y --columns ignore:a,b,p,q"},
      {"labels", "--label-column a,b --columns ignore:y,p,q"},
      {"classes", "--label-column a --columns ignore:y,b,p,q"},
      {"distribution", "--label-column p,q --columns ignore:y,a,b"}};
  for (const auto& [task, options] : tasks) {
    std::vector<OrderedJson> found;
    for (const char* ranks : {"1", "3", "2 --model-parallel 2"}) {
      const std::string run = folder / (task + std::to_string(found.size()));
      const CommandResult result =
          run_command(mpirun(ranks[0] - '0') + train + " --quiet --data " + (folder / "t.csv") +
                      " --task " + task + ' ' + options + " --validation 0.4 --epochs 5 --output " +
                      run + std::string(ranks).substr(1));
      ASSERT_EQ(result.exit_code, 0) << result.output;
      found.push_back(OrderedJson::parse(read_file(run + "/evaluation.json")));
    }
    EXPECT_EQ(found[0], found[1]) << task;
    EXPECT_EQ(found[0], found[2]) << task;
    EXPECT_EQ(found[0]["set"], "validation");
    EXPECT_EQ(found[0]["samples"], 240);
    EXPECT_LE(found[0]["worst"].size(), 50U);
    const OrderedJson& columns = found[0]["importance"]["columns"];
    ASSERT_EQ(columns.size(), 3U) << task;
    EXPECT_EQ(columns[1]["name"], "colour");  // as a whole, though it is several inputs
    const double told = columns[0]["loss"].get<double>();
    EXPECT_GT(told, 0.05) << task;
    for (const std::size_t other : {1U, 2U}) {
      EXPECT_LT(std::abs(columns[other]["loss"].get<double>()), told / 3) << task << ' ' << other;
    }
  }
}

TEST(Report, ImportanceIsLeftOutWhereNobodyWantsIt) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(train + " --epochs 1 --hidden 4 --importance off" +
                                           " --output " + (folder / "run"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(result.output, "columns that count most"), 0) << result.output;
  const OrderedJson evaluation = OrderedJson::parse(read_file(folder / "run/evaluation.json"));
  EXPECT_NE(evaluation["importance"]["left_out"].get<std::string>().find("--importance off"),
            std::string::npos);
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
