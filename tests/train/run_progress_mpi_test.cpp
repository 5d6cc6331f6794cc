#include "dnn/train/run_progress.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dnn/report/step_log.hpp"
#include "support/mpi_world.hpp"
#include "support/shared_folder.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_lines.hpp"

namespace dnn {
namespace {

using test::world;

/// A run whose updates take a second each and have 10 samples.
struct ProgressExample {
  explicit ProgressExample(const std::string& path) : folder(path) {
    settings.step_log = "4";
    settings.tensorboard = TensorBoard::scalars;
  }

  void update(RunProgress& progress) {
    seconds.compute += 1;
    LossSums sums;
    sums.add(world().is_root() ? 2.0 : 1.0, true, 1);
    progress.after_update(
        {.update = ++done, .epoch = 1, .sums = sums, .samples = 10, .seconds = seconds});
  }

  ProgressSettings settings;
  RunFolder folder;
  Reporter reporter{Reporter::Mode::silent};
  PhaseSeconds seconds;
  std::uint64_t done = 0;
};

TEST(RunProgress, RatesAreOfTheUpdatesThatALineIsOf) {
  const test::SharedFolder shared;
  ProgressExample run(shared.path());
  RunProgress progress({run.settings, world(), run.folder, run.reporter, {}, 1, {}});
  for (int i = 0; i < 6; ++i) {
    run.update(progress);
  }
  // Back to the checkpoint after update 4; update 7 had begun and was bad.
  run.seconds.compute += 1;
  progress.flush();
  progress.went_back(run.seconds);
  run.done = 4;
  for (int i = 0; i < 4; ++i) {
    run.update(progress);
  }
  progress.finish();
  progress.conclude({.loss = 0.5, .accuracy = 0.25}, run.done);
  world().barrier();
  std::vector<nlohmann::json> lines;
  for (const std::string& line : test::lines_of(test::read_file(run.folder.steps()))) {
    lines.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(lines.size(), 2U);
  for (const nlohmann::json& line : lines) {
    EXPECT_EQ(line["updates"], 4);
    EXPECT_EQ(line["samples_per_second"], 10.0) << line;
    EXPECT_EQ(line["seconds"]["compute"], 1.0) << line;
  }
  EXPECT_EQ(lines[1]["update"], 8);
  // One file of events, with what the best model came to and the end of the session.
  std::string events;
  for (const auto& entry : std::filesystem::directory_iterator(run.folder.tensorboard())) {
    EXPECT_EQ(events, "");
    events = test::read_file(entry.path().string());
  }
  EXPECT_NE(events.find("best/accuracy"), std::string::npos);
  EXPECT_NE(events.find("_hparams_/session_end_info"), std::string::npos);
}

TEST(RunProgress, AFileThatCannotBeWrittenEndsNothing) {
  const test::SharedFolder shared;
  ProgressExample run(shared.path());
  run.settings.openmetrics = shared.path() + "/none/run.prom";
  if (world().is_root()) {
    std::ofstream(run.folder.tensorboard()) << "a file in the place of the folder";
  }
  world().barrier();
  RunProgress progress({run.settings, world(), run.folder, run.reporter, {}, 1, {}});
  for (int i = 0; i < 4; ++i) {
    run.update(progress);
  }
  progress.conclude({.loss = 0.5, .accuracy = 0.25}, run.done);
  progress.finish();
  world().barrier();
  EXPECT_EQ(test::lines_of(test::read_file(run.folder.steps())).size(), 1U);
}

}  // namespace
}  // namespace dnn
