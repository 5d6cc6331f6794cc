#include "dnn/report/step_log.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::read_file;
using test::TemporaryFolder;

StepRecord record_at(std::uint64_t update) {
  StepRecord record;
  record.update = update;
  record.epoch = 2;
  record.updates = 5;
  record.loss = 0.25;
  record.learning_rate = 0.001;
  record.seconds = {{"load", 0.5}, {"compute", 1.5}};
  return record;
}

TEST(StepRecord, LeavesOutWhatIsNotKnown) {
  const nlohmann::ordered_json line = record_at(10).to_json();
  EXPECT_EQ(line.dump(), R"({"update":10,"epoch":2,"updates":5,"loss":0.25,"learning_rate":0.001,)"
                         R"("seconds":{"load":0.5,"compute":1.5},"time":0.0})");
  StepRecord whole = record_at(10);
  whole.skipped = 1;
  whole.gradient_norm = 2;
  whole.samples_per_second = 3;
  for (const char* key : {"skipped", "gradient_norm", "samples_per_second"}) {
    EXPECT_TRUE(whole.to_json().contains(key)) << key;
  }
}

TEST(StepLog, IsCutBackToWhereARunResumes) {
  const TemporaryFolder folder;
  const std::string path = folder / "steps.jsonl";
  StepLog log(path);
  for (std::uint64_t update = 10; update <= 40; update += 10) {
    log.add(record_at(update));
  }
  log.flush();
  const std::string all = read_file(path);
  cut_step_log(path, 40);
  EXPECT_EQ(read_file(path), all);
  folder.write("steps.jsonl", all + R"({"update":50,"ep)");  // killed while it wrote
  cut_step_log(path, 60);
  EXPECT_EQ(read_file(path), all);
  cut_step_log(path, 29);
  EXPECT_EQ(read_file(path), all.substr(0, all.find("{\"update\":30")));
  cut_step_log(path, 0);
  EXPECT_EQ(read_file(path), "");
  cut_step_log(folder / "none", 5);
}

TEST(StepLog, WritesAnEpochsLinesWithIt) {
  const TemporaryFolder folder;
  StepLog log(folder / "steps.jsonl");
  log.add(record_at(1));
  log.add(EpochMetrics{}, 1);
  EXPECT_NE(read_file(folder / "steps.jsonl"), "");
}

}  // namespace
}  // namespace dnn
