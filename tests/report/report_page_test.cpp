#include "dnn/report/report_page.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "dnn/report/run_record.hpp"
#include "dnn/report/running_report.hpp"
#include "support/expect_error.hpp"
#include "support/report_data.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using Json = nlohmann::ordered_json;
using test::expect_error;
using test::report_data;
using test::TemporaryFolder;

/// The lines of metrics.jsonl of so many epochs.
std::string metrics_of(int epochs) {
  std::string lines;
  for (int i = 1; i <= epochs; ++i) {
    lines += Json{{"epoch", i}, {"train_loss", 1.0 / i}}.dump() + "\n";
  }
  return lines;
}

TEST(ReportPage, NamesCannotLeaveTheData) {
  const std::string name = "</script><script>alert(1)</script><!-- & \"'\\ \xe2\x80\xa8 \x1b[31m";
  const std::string page = report_page({Json{{"name", name}}, Json{{"name", "\xff broken"}}});
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(page.find("<!--"), std::string::npos);
  EXPECT_EQ(page.find("\xe2\x80\xa8"), std::string::npos);
  const Json data = report_data(page);
  EXPECT_EQ(data["runs"][0]["name"], name);
  EXPECT_EQ(data["runs"][1]["name"], "\xef\xbf\xbd broken");
}

TEST(ReportPage, IsOneFileThatAsksForNothing) {
  const std::string page = report_page({});
  for (const char* mark : {"@STYLE@", "@DATA@", "@SCRIPT@", "src=", "href=", "url(", "@import",
                           "fetch(", "XMLHttpRequest", "innerHTML", "https:"}) {
    EXPECT_EQ(page.find(mark), std::string::npos) << mark;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(RunRecord, TellsOfAFinishedRun) {
  const TemporaryFolder folder;
  folder.write("summary.json",
               R"({"best_epoch": 2, "table": {"columns": [{"name": "a", "counts": [1],
                   "categories": ["1","2","3","4","5","6","7","8","9"]}]}})");
  folder.write("metrics.jsonl", metrics_of(3));
  folder.write("confusion.csv", "true\\predicted,a\na,4\n");
  std::filesystem::create_directory(folder / "checkpoints");
  folder.write("checkpoints/step-000000000001.ckpt", "1234");
  folder.write("nonfinite.jsonl", "{\"update\": 7}\n");
  folder.write("evaluation.json", R"({"set": "test", "worst": []})");
  folder.write("steps.jsonl", "{\"update\": 5, \"loss\": 0.5}\n{\"upd");
  const Json record = run_record(folder.path());
  EXPECT_EQ(record["name"], folder.path());
  EXPECT_EQ(record["summary"]["best_epoch"], 2);
  const Json& column = record["summary"]["table"]["columns"][0];
  EXPECT_EQ(column["categories"].size(), 8U);
  EXPECT_EQ(column["category_count"], 9);
  EXPECT_EQ(record["epochs"].size(), 3U);
  EXPECT_EQ(record["classes"]["samples"], 4);
  EXPECT_EQ(record["checkpoints"], (Json{{{"name", "step-000000000001.ckpt"}, {"bytes", 4}}}));
  EXPECT_EQ(record["nonfinite"][0]["update"], 7);
  EXPECT_EQ(record["evaluation"]["set"], "test");
  EXPECT_EQ(record["steps"]["update"], Json::array({5}));
  EXPECT_EQ(record["notes"].size(), 0U);
  EXPECT_EQ(write_report({folder.path()}, ""), folder / "report.html");
  EXPECT_EQ(report_data(test::read_file(folder / "report.html"))["runs"][0], record);
}

/// What folds.json, or summary.json's cross_validation, has of so many folds.
Json folds_record(int folds, int epochs) {
  Json by_fold = Json::array();
  for (int i = 0; i < folds; ++i) {
    by_fold.push_back({{"epochs", epochs}, {"loss", 0.5 + i}, {"samples", 10}});
  }
  return {{"folds", folds},
          {"mean", {{"loss", 1}}},
          {"deviation", {{"loss", 0.5}}},
          {"by_fold", by_fold},
          {"run_epochs", epochs}};
}

TEST(RunRecord, HasTheFoldsOnce) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl", metrics_of(1));
  folder.write("summary.json", Json{{"cross_validation", folds_record(3, 4)}}.dump());
  Json record = run_record(folder.path());
  EXPECT_EQ(record["folds"], folds_record(3, 4));
  EXPECT_FALSE(record["summary"].contains("cross_validation"));
  folder.write("summary.json", Json{{"cross_validation", folds_record(1200, 4)}}.dump());
  record = run_record(folder.path());
  EXPECT_EQ(record["folds"]["by_fold"].size(), 1000U);
  EXPECT_EQ(record["folds"]["folds"], 1200);
  ASSERT_EQ(record["notes"].size(), 1U);
  EXPECT_NE(record["notes"][0].get<std::string>().find("Of 1200 folds"), std::string::npos);
  folder.write("summary.json", "{}");
  EXPECT_TRUE(run_record(folder.path())["folds"].is_null());
}

TEST(RunRecord, OfARunThatIsNotFinishedFoldsAreThoseItHasComputed) {
  const TemporaryFolder folder;
  folder.write("folds.json", folds_record(3, 4).dump());
  folder.write("run.json", R"({"configuration": {"folds": 3, "epochs": 4}})");
  EXPECT_EQ(run_record(folder.path())["folds"], folds_record(3, 4));
  folder.write("run.json", R"({"configuration": {"folds": 3, "epochs": 8}})");  // again, for longer
  EXPECT_TRUE(run_record(folder.path())["folds"].is_null());
}

TEST(RunRecord, OfARunThatStillWritesCompleteLinesCount) {
  const TemporaryFolder folder;
  folder.write("run.json", R"({"program": "p"})");
  folder.write("metrics.jsonl", metrics_of(2) + "{\"epoch\": 3, \"tra");
  const Json record = run_record(folder.path());
  EXPECT_TRUE(record["summary"].is_null());
  EXPECT_EQ(record["started"]["program"], "p");
  EXPECT_EQ(record["epochs"].size(), 2U);
  EXPECT_TRUE(record["classes"].is_null());
}

TEST(RunningReport, IsWrittenAgainWhenItIsTimeTo) {
  const TemporaryFolder folder;
  folder.write("run.json", "{}");
  folder.write("metrics.jsonl", metrics_of(2));
  RunningReport seldom(folder.path(), 3600);
  seldom.update();
  EXPECT_FALSE(std::filesystem::exists(folder / "report.html"));
  RunningReport always(folder.path(), 0);
  for (const int epochs : {2, 3}) {
    folder.write("metrics.jsonl", metrics_of(epochs));
    always.update();
    const Json data = report_data(test::read_file(folder / "report.html"));
    EXPECT_EQ(data["runs"][0]["epochs"].size(), static_cast<std::size_t>(epochs));
  }
}

TEST(RunRecord, OfALongRunTheBestAndTheLastEpochStay) {
  const TemporaryFolder folder;
  folder.write("summary.json", R"({"best_epoch": 8888})");
  folder.write("metrics.jsonl", metrics_of(9000));
  const Json record = run_record(folder.path());
  EXPECT_LE(record["epochs"].size(), 2002U);
  EXPECT_EQ(record["epochs"].back()["epoch"], 9000);
  bool has_best = false;
  for (const Json& epoch : record["epochs"]) {
    has_best = has_best || epoch["epoch"] == 8888;
  }
  EXPECT_TRUE(has_best);
  EXPECT_EQ(record["notes"].size(), 1U);
}

TEST(RunRecord, NamesWhatCannotBeRead) {
  const TemporaryFolder folder;
  expect_error<InputError>([&] { (void)run_record(folder / "none"); }, {"none", "no run"});
  folder.write("metrics.jsonl", "{\"epoch\": 1}\nnot JSON\n");
  expect_error<InputError>([&] { (void)run_record(folder.path()); }, {"metrics.jsonl: line 2"});
  folder.write("metrics.jsonl", metrics_of(1));
  folder.write("summary.json", "[1]");
  expect_error<InputError>([&] { (void)run_record(folder.path()); }, {"summary.json", "damaged"});
  expect_error<InputError>([&] { (void)write_report({"a", "b"}, ""); }, {"--output"});
}

}  // namespace
}  // namespace dnn
