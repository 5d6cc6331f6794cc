#include "dnn/run/finished_run.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::TemporaryFolder;

const std::string sha_of_data(64, 'a');
const std::string sha_of_others(64, 'b');

/// A run on 300 samples of a file, without test data.
struct FinishedRun : public testing::Test {
  TemporaryFolder folder;
  RunFolder run{folder / "run"};
  Config config;
  DataIdentity data{.sha256 = sha_of_data, .samples = 300};
  bool stopped_early = false;

  FinishedRun() {
    config.data = folder.write("a.csv", "x,label\n1,2\n");
    std::filesystem::create_directory(run.path());
    data.files = DataFiles::of(config);
    record();
  }
  void record() const {
    const nlohmann::ordered_json summary = {{"configuration", to_json(config)},
                                            {"data", to_json(data)},
                                            {"stopped_early", stopped_early}};
    folder.write("run/summary.json", summary.dump());
  }
  [[nodiscard]] bool must_read() const {
    return must_read_data(run, config, DataFiles::of(config));
  }
};

TEST_F(FinishedRun, ReadsNoDataWhereTheFilesAreTheSameOrGone) {
  EXPECT_FALSE(data.files.train.empty());
  EXPECT_TRUE(data.files.test.empty());
  EXPECT_FALSE(must_read());
  std::filesystem::remove(config.data);
  EXPECT_FALSE(must_read());
  config.dry_run = true;
  EXPECT_TRUE(must_read());
}

TEST_F(FinishedRun, ReadsDataThatAreWrittenAgainOrNamedOtherwise) {
  folder.write("a.csv", "x,label\n1,2\n3,4\n");
  EXPECT_TRUE(must_read());
  data.files = DataFiles::of(config);
  record();
  EXPECT_FALSE(must_read());
  const Config same = config;
  config.data = folder / "no-such.csv";
  EXPECT_TRUE(must_read());
  config = same;
  config.test_data = config.data;
  EXPECT_TRUE(must_read());
  config = same;
  config.label_column = "x";
  EXPECT_TRUE(must_read());
  config = same;
  config.weight_column = "x";
  EXPECT_TRUE(must_read());
}

// An older version's record, or a pipe's.
TEST_F(FinishedRun, WhoseFilesAreNotKnownGoesByTheOptions) {
  data.files = {};
  record();
  EXPECT_FALSE(must_read());
  folder.write("run/summary.json", nlohmann::json{{"configuration", to_json(config)}}.dump());
  EXPECT_FALSE(must_read());
  check_finished_data(run, config, data);
  config.data = folder / "b.csv";
  EXPECT_TRUE(must_read());
  expect_error<InputError>([&] { check_finished_data(run, config, data); }, {"b.csv"});
}

TEST_F(FinishedRun, TakesTheSameDataElsewhereAndRefusesOthers) {
  config.data = folder / "moved.csv";
  config.label_column = "label";
  check_finished_data(run, config, data);
  DataIdentity other{.sha256 = sha_of_others, .samples = 1310};
  expect_error<InputError>([&] { check_finished_data(run, config, other); },
                           {"run is finished", "other data", "  data: was", "a.csv", "moved.csv",
                            "label-column: was \"\", is \"label\"",
                            "training data: 1,310 samples, were 300", "--output", "--overwrite"});
  other.samples = data.samples;
  expect_error<InputError>([&] { check_finished_data(run, config, other); },
                           {"training data: other contents"});
  other = data;
  other.test_sha256 = sha_of_others;
  other.test_samples = 80;
  expect_error<InputError>([&] { check_finished_data(run, config, other); },
                           {"test data: 80 samples, were 0"});
}

TEST_F(FinishedRun, SaysWhatCanBeDoneWithIt) {
  const auto says = [this](const char* part) {
    record();
    return describe_finished(run).find(part) != std::string::npos;
  };
  EXPECT_TRUE(says("cannot be extended"));  // cosine
  EXPECT_FALSE(says("more --epochs"));
  config.lr_schedule = ScheduleKind::constant;
  EXPECT_TRUE(says("To train further, give more --epochs; to start again, add --overwrite"));
  config.early_stop = 12;
  config.chosen = {{"epochs", "90", "at most"}};
  EXPECT_TRUE(says("--epochs, with --lr-schedule constant --early-stop 12 --average-weights 0"));
  stopped_early = true;
  EXPECT_TRUE(says("the held-out loss no longer got better, and more --epochs change nothing"));
}

}  // namespace
}  // namespace dnn
