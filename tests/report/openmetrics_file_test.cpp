#include "dnn/report/openmetrics_file.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::read_file;
using test::TemporaryFolder;

TEST(OpenMetrics, LabelsAreEscaped) {
  EXPECT_EQ(escaped_label("runs/a"), "runs/a");
  EXPECT_EQ(escaped_label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
  EXPECT_EQ(escaped_label("\xff!"), "\xef\xbf\xbd!");  // no UTF-8
}

TEST(OpenMetrics, IsReplacedAsAWhole) {
  const TemporaryFolder folder;
  const std::string path = folder / "run.prom";
  OpenMetricsFile file(path, {"x\"y", 20, 3});
  file.flush();
  EXPECT_NE(read_file(path).find("dnn_train_ranks{run=\"x\\\"y\"} 3\n"), std::string::npos);
  StepRecord record;
  record.update = 50;
  record.loss = 0.5;
  record.samples = 6400;
  record.total_seconds = {{"load", 1.25}};
  file.add(record);
  file.add(record);
  file.flush();
  const std::string text = read_file(path);
  for (const char* line :
       {"dnn_train_updates_done{run=\"x\\\"y\"} 50\n", "dnn_train_loss{run=\"x\\\"y\"} 0.5\n",
        "dnn_train_samples_total{run=\"x\\\"y\"} 12800\n",
        "dnn_train_phase_seconds_total{run=\"x\\\"y\",phase=\"load\"} 1.25\n",
        "dnn_train_gradient_norm{run=\"x\\\"y\"} NaN\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in " << text;
  }
  EXPECT_TRUE(text.ends_with("# EOF\n"));
  OpenMetricsFile nowhere(folder / "no/run.prom", {});
  EXPECT_THROW(nowhere.flush(), FileError);
}

TEST(OpenMetrics, ARunThatResumesBeginsWhereItWas) {
  const TemporaryFolder folder;
  const std::string path = folder / "run.prom";
  OpenMetricsFile file(path, {"run", 20, 3, 7, 91});
  const auto expect_done = [&](const std::string& epochs, const std::string& updates) {
    file.flush();
    const std::string text = read_file(path);
    EXPECT_NE(text.find("epochs_done{run=\"run\"} " + epochs + "\n"), std::string::npos) << text;
    EXPECT_NE(text.find("updates_done{run=\"run\"} " + updates + "\n"), std::string::npos) << text;
  };
  expect_done("7", "91");
  StepRecord record;
  record.update = 100;
  record.epoch = 8;
  file.add(record);
  expect_done("7", "100");
  EpochMetrics epoch;
  epoch.epoch = 8;
  file.add(epoch, 104);
  expect_done("8", "104");
  record.update = 80;  // it went back to a checkpoint
  record.epoch = 7;
  file.add(record);
  expect_done("6", "80");
}

TEST(OpenMetrics, OnlyAFileOfItsOwnIsReplaced) {
  const TemporaryFolder folder;
  const std::string path = folder / "run.prom";
  EXPECT_NO_THROW(OpenMetricsFile::check(path));
  EXPECT_NO_THROW(OpenMetricsFile::check(folder / "none/run.prom"));
  EXPECT_NO_THROW(OpenMetricsFile::check(folder.write("empty.prom", "")));
  OpenMetricsFile(path, {"run", 20, 3}).flush();
  EXPECT_NO_THROW(OpenMetricsFile::check(path));
  for (const char* other : {"a,b,label\n1,2,x\n", "# TYPE", "# TYPE node_cpu_seconds counter\n"}) {
    test::expect_error<InputError>([&] { OpenMetricsFile::check(folder.write("other", other)); },
                                   {"--openmetrics", "/other", "not overwritten"});
  }
  EXPECT_THROW(OpenMetricsFile::check(folder.path()), InputError);
}

}  // namespace
}  // namespace dnn
