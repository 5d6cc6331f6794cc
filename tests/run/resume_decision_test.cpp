#include "dnn/run/resume_decision.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/core/error.hpp"
#include "dnn/model/container.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::read_file;
using test::TemporaryFolder;

const std::string sha(64, 'a');

struct StartedRun : public testing::Test {
  TemporaryFolder folder;
  Config config;
  RunFolder run{folder / "run"};
  CheckpointFolder checkpoints{run.checkpoints()};

  StartedRun() {
    config.output = run.path();
    config.lr_schedule = ScheduleKind::constant;
    checkpoints.create();
  }
  std::string save(std::uint64_t step) const {
    Checkpoint c;
    c.configuration = to_json(config).dump();
    c.data_sha256 = sha;
    c.widths = {1, 1};
    c.steps_per_epoch = 10;
    c.step = step;
    c.updates = step;
    c.optimizer_steps = step;
    c.parameters.resize(8);
    save_checkpoint(checkpoints.file_for(step), c);
    return checkpoints.file_for(step);
  }
  void finish(std::size_t epochs) const {
    const nlohmann::json summary = {{"configuration", to_json(config)},
                                    {"epochs_run", epochs},
                                    {"stopped_early", epochs < config.epochs}};
    folder.write("run/summary.json", summary.dump());
  }
};

TEST_F(StartedRun, GoesOnFromTheNewest) {
  save(3);
  const std::string newest = save(12 - 5);
  const ResumeDecision start = ResumeDecision::find(config);
  EXPECT_FALSE(start.finished);
  EXPECT_EQ(start.candidates.size(), 2U);
  const ResumedFrom from = read_candidates(start, config, {sha, {}});
  EXPECT_EQ(from.path, newest);
  EXPECT_EQ(from.checkpoint.step, 7U);
  EXPECT_TRUE(from.damaged.empty());
}

TEST_F(StartedRun, FallsBackOverDamagedOnes) {
  const std::string good = save(3);
  const std::string cut = save(5);
  const std::string flipped = save(7);
  std::filesystem::resize_file(cut, 90);
  std::string bytes = read_file(flipped);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  folder.write("run/checkpoints/" + std::filesystem::path(flipped).filename().string(), bytes);
  const ResumedFrom from = read_candidates(ResumeDecision::find(config), config, {sha, {}});
  EXPECT_EQ(from.path, good);
  ASSERT_EQ(from.damaged.size(), 2U);
  EXPECT_NE(from.damaged[0].path.find(flipped), std::string::npos);
  EXPECT_NE(from.damaged[0].reason.find("checksum"), std::string::npos);
  EXPECT_NE(from.damaged[1].path.find(cut), std::string::npos);
  EXPECT_NE(from.damaged[1].reason.find("truncated"), std::string::npos);

  folder.write("run/metrics.jsonl", "{\"epoch\": 1}\n{\"epoch\": 2}\n");
  folder.write("run/model.dnn.tmp.77", "half");
  rewind_folder(run, from);
  EXPECT_EQ(checkpoints.newest_first(), std::vector<std::string>{good});
  EXPECT_TRUE(std::filesystem::exists(flipped + ".damaged"));
  EXPECT_EQ(read_file(run.metrics()), "");
  EXPECT_FALSE(std::filesystem::exists(run.best_model() + ".tmp.77"));
}

TEST_F(StartedRun, OneOfANewerVersionIsNotDamaged) {
  save(3);
  const std::string newest = save(5);
  (void)write_container(newest, Container::checkpoint, "{}", {}, 9);
  expect_error<NewerVersionError>(
      [&] {
        (void)read_candidates(ResumeDecision::find(config), config, {sha, {}});
      },
      {newest.c_str(), "version 9", "a newer one"});
  EXPECT_TRUE(std::filesystem::exists(newest));
}

TEST_F(StartedRun, NoneThatIsWholeIsNeverStartedAnew) {
  std::filesystem::resize_file(save(5), 90);
  expect_error<InputError>(
      [&] {
        (void)read_candidates(ResumeDecision::find(config), config, {sha, {}});
      },
      {"none of the checkpoints", "truncated", "--overwrite"});
  std::filesystem::remove(checkpoints.file_for(5));
  folder.write("run/model.dnn", "");
  expect_error<InputError>([&] { (void)ResumeDecision::find(config); },
                           {"--output", "holds a run without a checkpoint", "--overwrite"});
}

// What the same command may begin again, since it has saved nothing that it could go on from.
TEST_F(StartedRun, OneBeforeItsFirstCheckpointBeginsAgain) {
  record_start(run, config, {}, {});
  EXPECT_FALSE(ResumeDecision::find(config).begins_again);  // there is nothing in it yet
  folder.write("run/model.dnn", "");
  folder.write("run/model.dnn.tmp.7", "");
  folder.write("run/.probe.tmp.7", "");
  const ResumeDecision start = ResumeDecision::find(config);
  EXPECT_TRUE(start.begins_again);
  EXPECT_TRUE(start.candidates.empty());
  Config other = config;
  other.seed = 5;
  expect_error<InputError>([&] { (void)ResumeDecision::find(other); },
                           {"seed: was 1, is 5", "--overwrite"});
  run.clear();
  EXPECT_TRUE(std::filesystem::is_empty(run.path()));

  config.checkpoint_every = "off";  // its best model may be all that is left of it
  record_start(run, config, {}, {});
  folder.write("run/model.dnn", "");
  expect_error<InputError>([&] { (void)ResumeDecision::find(config); },
                           {"holds a run without a checkpoint"});
  finish(config.epochs);
  EXPECT_TRUE(ResumeDecision::find(config).finished);  // though it has no checkpoint
}

TEST_F(StartedRun, OneThatWentOnFromAnotherRunBeginsAgainFromThere) {
  const std::string origin = save(3);
  Config other = config;
  other.output = folder / "new";
  other.resume = origin;
  const RunFolder run_of_other(other.output);
  run_of_other.prepare(1);
  record_start(run_of_other, other, {}, {});
  folder.write("new/metrics.jsonl", "");
  const ResumeDecision start = ResumeDecision::find(other);
  EXPECT_TRUE(start.begins_again);
  EXPECT_EQ(start.candidates, std::vector<std::string>{origin});
}

TEST_F(StartedRun, NeverIsRefusedAndOverwriteStartsAnew) {
  save(5);
  config.resume = "never";
  expect_error<InputError>([&] { (void)ResumeDecision::find(config); },
                           {"--output", "--overwrite"});
  config.overwrite = true;
  EXPECT_TRUE(ResumeDecision::find(config).candidates.empty());
  config.resume = "auto";
  EXPECT_TRUE(ResumeDecision::find(config).candidates.empty());
  config.resume = run.path();
  expect_error<InputError>([&] { (void)ResumeDecision::find(config); },
                           {"--overwrite would remove"});
}

// A script starts the job again with the options of its first start, which has acted on them.
TEST_F(StartedRun, OneOfTheSameJobGoesOnWhateverItsFirstStartWasTold) {
  const std::string older = save(3);
  const std::string newest = save(7);
  config.job = "night";
  for (const auto& [overwrite, resume] :
       {std::pair(true, std::string("auto")), std::pair(false, std::string("never")),
        std::pair(false, older)}) {
    config.overwrite = overwrite;
    config.resume = resume;
    std::filesystem::remove(run.started());
    std::filesystem::remove(run.summary());
    if (resume == "never") {
      EXPECT_THROW((void)ResumeDecision::find(config), InputError);
    } else {
      EXPECT_NE(ResumeDecision::find(config).candidates, (std::vector{newest, older}));
    }
    Config other = config;
    other.job = "another night";
    record_start(run, other, {}, {});
    if (resume != "never") {
      EXPECT_NE(ResumeDecision::find(config).candidates, (std::vector{newest, older}));
    }
    record_start(run, config, {}, {});
    EXPECT_EQ(ResumeDecision::find(config).candidates, (std::vector{newest, older})) << resume;
    // It is finished, and not wiped.
    std::filesystem::remove(run.started());
    finish(config.epochs);
    EXPECT_TRUE(ResumeDecision::find(config).finished) << resume;
  }
}

// A first start from another run's checkpoint that crashed before its own first one.
TEST_F(StartedRun, OneOfTheSameJobBeginsAgainFromTheCheckpointNamed) {
  const std::string other = save(7);
  config.output = folder / "second";
  config.resume = other;
  config.job = "night";
  const RunFolder second(config.output);
  std::filesystem::create_directory(second.path());
  record_start(second, config, {}, {});
  folder.write("second/model.dnn", "");
  EXPECT_EQ(ResumeDecision::find(config).candidates, std::vector{other});
}

TEST_F(StartedRun, OddRecordsAreNoReasonToFail) {
  save(3);
  for (const char* text :
       {"", "[]", "{\"configuration\": 3}", "{\"configuration\": {}, \"epochs_run\": \"x\"}",
        "{\"configuration\": {\"job\": 7, \"checkpoint-every\": 1}}"}) {
    folder.write("run/summary.json", text);
    folder.write("run/run.json", text);
    config.job = "night";
    EXPECT_FALSE(ResumeDecision::find(config).finished) << text;
  }
}

TEST_F(StartedRun, AFinishedOneSaysSoUnlessMoreIsAskedFor) {
  save(5);
  finish(config.epochs);
  EXPECT_TRUE(ResumeDecision::find(config).finished);
  config.epochs += 5;
  EXPECT_FALSE(ResumeDecision::find(config).finished);
  config.epochs -= 5;
  config.lr = 0.5;
  expect_error<InputError>([&] { (void)ResumeDecision::find(config); },
                           {"lr: was 0.001, is 0.5", "--overwrite"});
  config.lr.reset();
  finish(config.epochs - 1);  // stopped early
  config.epochs += 5;
  EXPECT_TRUE(ResumeDecision::find(config).finished);
}

TEST_F(StartedRun, OtherDataAreRefused) {
  save(5);
  expect_error<InputError>(
      [&] {
        (void)read_candidates(ResumeDecision::find(config), config, {std::string(64, 'b'), {}});
      },
      {"training data", config.data.c_str(), ".ckpt"});
}

// What the data decide differs where they do: that is no change that anybody has made.
TEST_F(StartedRun, OtherDataAreNamedRatherThanWhatFollowsFromThem) {
  config.defaults = Defaults::automatic;
  config.given = {"lr-schedule"};
  config.chosen = {{"weight-decay", "0.1", "200 samples for each feature"}};
  config.weight_decay = 0.1;
  config.resolved = true;
  save(5);
  record_start(run, config, {}, {.sha256 = sha, .samples = 300});
  config.weight_decay = 0.68;
  const DataIdentity longer{.sha256 = std::string(64, 'b'), .samples = 1310};
  expect_error<InputError>(
      [&] { (void)read_candidates(ResumeDecision::find(config), config, longer); },
      {"training data of", ".ckpt: 1,310 samples, were 300; undo the change"});
  expect_error<InputError>(  // another version's rules
      [&] { (void)read_candidates(ResumeDecision::find(config), config, {.sha256 = sha}); },
      {"other settings", "weight-decay: was 0.1, is 0.68"});
  config.seed = 9;  // also changes what the data are scaled by
  expect_error<InputError>(
      [&] { (void)read_candidates(ResumeDecision::find(config), config, longer); },
      {"with these:\n  seed: was 1, is 9\nundo"});
}

TEST_F(StartedRun, APathStartsFromThereOrGoesBack) {
  const std::string early = save(3);
  save(7);
  Config other = config;
  other.output = folder / "new";
  other.resume = run.path();
  EXPECT_EQ(ResumeDecision::find(other).candidates.size(), 2U);
  EXPECT_EQ(ResumeDecision::find(other).folder.path(), folder / "new");
  other.resume = early;
  EXPECT_EQ(ResumeDecision::find(other).candidates, std::vector<std::string>{early});

  for (const std::string& path : {run.path(), run.path() + "/", run.checkpoints(), early}) {
    other.output.clear();
    other.resume = path;
    EXPECT_EQ(ResumeDecision::find(other).folder.path(), run.path()) << path;
  }
  config.resume = early;
  finish(config.epochs);
  const ResumeDecision back = ResumeDecision::find(config);
  EXPECT_FALSE(back.finished);
  const ResumedFrom from = read_candidates(back, config, {sha, {}});
  rewind_folder(run, from);
  EXPECT_EQ(checkpoints.newest_first(), std::vector<std::string>{early});
  EXPECT_FALSE(std::filesystem::exists(run.summary()));

  config.resume = folder / "nothing";
  expect_error<InputError>([&] { (void)ResumeDecision::find(config); }, {"--resume", "nothing"});
}

// A checkpoint knows where it was written.
TEST(EnvironmentWarning, NamesWhatDiffers) {
  Checkpoint checkpoint;
  checkpoint.environment = R"({"cpu":"one","compiler":"GCC 12"})";
  const Environment same = Environment::parse(checkpoint.environment);
  EXPECT_EQ(environment_warning("a.ckpt", checkpoint, same), "");
  const Environment other = Environment::parse(R"({"cpu":"two","compiler":"GCC 12"})");
  const std::string warning = environment_warning("a.ckpt", checkpoint, other);
  for (const char* part : {"a.ckpt", "one", "two"}) {
    EXPECT_NE(warning.find(part), std::string::npos) << part << " in " << warning;
  }
  EXPECT_EQ(warning.find("GCC"), std::string::npos) << warning;
}

}  // namespace
}  // namespace dnn
