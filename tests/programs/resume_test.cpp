// Runs that are stopped, killed or damaged, and then the same command again.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <thread>

#include "dnn/run/run_lock.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> checkpoints_of(const std::string& run) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator entry(run + "/checkpoints", error), end; entry != end; ++entry) {
    if (entry->path().extension() == ".ckpt") {
      paths.push_back(entry->path().string());
    }
  }
  std::sort(paths.rbegin(), paths.rend());
  return paths;
}

/// A run of some seconds, stopped soon after its first checkpoint.
struct Resume : public testing::Test {
  static constexpr int epochs = 150;
  TemporaryFolder folder;
  std::string out = folder / "run";
  std::string options = " --hidden 256,128 --dropout 0.2 --checkpoint-every 50 --epochs 150";

  [[nodiscard]] std::string command(int ranks, const std::string& run) const {
    return mpirun(ranks) + train + options + " --output " + run;
  }
  /// Does `action` once there is a checkpoint; in it, $! is mpirun, $rank one of its ranks.
  [[nodiscard]] CommandResult start_and(int ranks, const std::string& action) const {
    return run_command(command(ranks, out) + " & for i in $(seq 6000); do ls " + out +
                       "/checkpoints/*.ckpt >/dev/null 2>&1 && break; sleep 0.02; done; "
                       "rank=$(pgrep -P $! | tail -1); " +
                       action + "; wait $!");
  }
  /// The same command again ends as one that nobody disturbed.
  CommandResult expect_same_end(int ranks) const {
    const CommandResult resumed = run_command(command(ranks, out));
    EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
    EXPECT_NE(resumed.output.find("resuming from " + out + "/checkpoints/step-"), std::string::npos)
        << resumed.output;
    const std::string undisturbed = folder / "undisturbed" + std::to_string(ranks);
    if (!fs::exists(undisturbed)) {
      EXPECT_EQ(run_command(command(ranks, undisturbed)).exit_code, 0);
    }
    EXPECT_EQ(summary_of(out)["sha256_last"], summary_of(undisturbed)["sha256_last"]);
    EXPECT_EQ(summary_of(out)["sha256_best"], summary_of(undisturbed)["sha256_best"]);
    EXPECT_EQ(count(read_file(out + "/metrics.jsonl"), "\n"), epochs);
    EXPECT_LE(checkpoints_of(out).size(), 3U);
    EXPECT_FALSE(fs::exists(out + "/.lock"));
    return resumed;
  }
};

TEST_F(Resume, AfterASignalToOneRank) {
  int ranks = 1;
  for (const char* signal : {"TERM", "USR1", "USR2"}) {
    const CommandResult stopped = start_and(ranks, std::string("kill -") + signal + " $rank");
    EXPECT_EQ(stopped.exit_code, 75) << stopped.output;
    EXPECT_EQ(count(stopped.output, std::string("stopped by SIG") + signal), 1) << stopped.output;
    EXPECT_NE(stopped.output.find(checkpoints_of(out).at(0)), std::string::npos);
    EXPECT_FALSE(fs::exists(out + "/summary.json"));
    EXPECT_FALSE(fs::exists(out + "/.lock"));
    expect_same_end(ranks);
    fs::remove_all(out);
    ++ranks;
  }
}

TEST_F(Resume, AfterTheFileStop) {
  const CommandResult stopped = start_and(2, "touch " + out + "/stop");
  EXPECT_EQ(stopped.exit_code, 75) << stopped.output;
  EXPECT_NE(stopped.output.find("stopped by the file " + out + "/stop"), std::string::npos);
  expect_same_end(2);  // the file, which is still there, is one of before
}

TEST_F(Resume, AFileStopOfAClockThatWasAheadStopsOnce) {
  EXPECT_EQ(start_and(2, "touch -d '+1 hour' " + out + "/stop").exit_code, 75);
  expect_same_end(2);
}

// The same command twice at once: the second job finds no run, waits for the folder, and then finds
// the run finished.
TEST_F(Resume, ARunThatAnotherJobFinishesMeanwhileIsReported) {
  options = " --hidden 16 --epochs 2";
  const std::string done = folder / "done";
  ASSERT_EQ(run_command(command(1, done)).exit_code, 0);
  fs::create_directory(out);
  std::optional<RunLock> lock = RunLock::take(out, std::chrono::seconds(0));
  const std::string said = folder / "said";
  std::future<CommandResult> second =
      std::async(std::launch::async, [&] { return run_command(command(2, out) + " >" + said); });
  const auto is_planned = [&said] { return read_file(said).find("ranks:") != std::string::npos; };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!is_planned() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(is_planned());
  fs::copy(done, out, fs::copy_options::recursive);
  lock.reset();
  const CommandResult result = second.get();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(read_file(said), "the run in " + out + " is finished"), 1) << read_file(said);
  EXPECT_FALSE(fs::exists(out + "/.lock"));
  for (const char* name : {"/summary.json", "/metrics.jsonl", "/run.log", "/model.dnn"}) {
    EXPECT_EQ(read_file(out + name), read_file(done + name)) << name;
  }
}

TEST_F(Resume, AfterTheTimeLimit) {
  options = " --hidden 256,128 --checkpoint-every off --epochs 1000000 --lr-schedule constant";
  const CommandResult limited = run_command(command(2, out) + " --time-limit 00:00:02");
  EXPECT_EQ(limited.exit_code, 75) << limited.output;
  EXPECT_LT(limited.seconds, hang_seconds);
  EXPECT_NE(limited.output.find("stopped by the time limit"), std::string::npos);
  ASSERT_EQ(checkpoints_of(out).size(), 1U);
  // The metrics tell at once how far the run was.
  const std::string digits = fs::path(checkpoints_of(out)[0]).stem().string().substr(5);
  const std::string metrics = folder / "run.prom";
  const CommandResult resumed = run_command(
      command(2, out) + " --openmetrics " + metrics + " & for i in $(seq 6000); do cat " + metrics +
      " 2>/dev/null && break; sleep 0.02; done; kill -TERM $(pgrep -P $! | tail -1); "
      "wait $!");
  EXPECT_EQ(resumed.exit_code, 75) << resumed.output;
  const std::string line = "dnn_train_updates_done{run=\"" + out + "\"} ";
  const std::size_t at = resumed.output.find(line);
  ASSERT_NE(at, std::string::npos) << resumed.output;
  EXPECT_GE(std::stoull(resumed.output.substr(at + line.size())), std::stoull(digits));
}

TEST_F(Resume, AfterAKillAndADamagedCheckpoint) {
  const CommandResult killed =
      start_and(2, "while [ $(ls " + out +
                       "/checkpoints/*.ckpt | wc -l) -lt 2 ]; do sleep 0.02; done; "
                       "kill -KILL $rank");
  EXPECT_NE(killed.exit_code, 0);
  EXPECT_NE(killed.exit_code, 75);
  const auto paths = checkpoints_of(out);
  ASSERT_GE(paths.size(), 2U);
  fs::resize_file(paths[0], fs::file_size(paths[0]) / 2);
  const CommandResult resumed = expect_same_end(2);
  EXPECT_NE(
      resumed.output.find("warning: skipped a damaged checkpoint: " + paths[0] + ": truncated"),
      std::string::npos)
      << resumed.output;
}

TEST_F(Resume, AtAnotherNumberOfRanks) {
  EXPECT_EQ(start_and(3, "kill -TERM $rank").exit_code, 75);
  const CommandResult resumed = run_command(command(1, out));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_EQ(summary_of(out)["epochs_run"], epochs);
  EXPECT_EQ(summary_of(out)["ranks"], 1);
}

TEST_F(Resume, AChangedConfigurationIsRefusedAndNothingIsTouched) {
  EXPECT_EQ(start_and(1, "kill -TERM $rank").exit_code, 75);
  const std::string newest = checkpoints_of(out).at(0);
  const std::string before = read_file(newest);
  options = " --hidden 256,128 --dropout 0.3 --seed 7 --epochs 150";
  const CommandResult refused = run_command(command(3, out));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(count(refused.output, "error:"), 1) << refused.output;
  EXPECT_NE(refused.output.find("dropout: was 0.2, is 0.3"), std::string::npos);
  EXPECT_NE(refused.output.find("seed: was 1, is 7"), std::string::npos);
  EXPECT_EQ(refused.output.find("checkpoint-every:"), std::string::npos);
  EXPECT_EQ(read_file(newest), before);
  EXPECT_FALSE(fs::exists(out + "/.lock"));
  options = " --hidden 8 --epochs 2 --overwrite";
  EXPECT_EQ(run_command(command(1, out)).exit_code, 0);
  EXPECT_EQ(summary_of(out)["checkpoints"]["resumed_from"], "");
  EXPECT_FALSE(fs::exists(newest));
}

TEST_F(Resume, AFinishedRunSaysSo) {
  options = " --hidden 8 --epochs 3 --lr-schedule constant";
  ASSERT_EQ(run_command(command(2, out)).exit_code, 0);
  const auto written = fs::last_write_time(out + "/summary.json");
  const CommandResult again = run_command(command(3, out));
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_EQ(count(again.output, "is finished"), 1) << again.output;
  EXPECT_EQ(fs::last_write_time(out + "/summary.json"), written);

  options = " --hidden 8 --epochs 6 --lr-schedule constant";
  EXPECT_EQ(run_command(command(2, out)).exit_code, 0);
  EXPECT_EQ(count(read_file(out + "/metrics.jsonl"), "\n"), 6);
  const std::string other = folder / "other";
  EXPECT_EQ(run_command(command(2, other)).exit_code, 0);
  EXPECT_EQ(summary_of(out)["sha256_last"], summary_of(other)["sha256_last"]);
}

// The same command is done, be its data gone; other data or labels are no repetition.
TEST_F(Resume, AFinishedRunOnOtherDataIsRefused) {
  const std::string rows = "x,colour,class\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n5,red,b\n";
  const std::string table = folder.write("a.csv", rows);
  const std::string moved = folder.write("moved.csv", rows);
  const std::string other = folder.write("b.csv", rows + "6,blue,a\n");
  const auto repeat = [&](int ranks, const std::string& data) {
    return run_command(mpirun(ranks) + train + " --output " + out +
                       " --epochs 2 --hidden 4 --quiet --data " + data);
  };
  ASSERT_EQ(repeat(1, table).exit_code, 0);
  EXPECT_EQ(repeat(2, moved).output, "");
  EXPECT_EQ(repeat(1, moved + " --dry-run").exit_code, 0);
  for (const std::string& data :
       {other, table + " --test-data " + other, table + " --label-column colour",
        table + " --weight-column x", folder / "none.csv"}) {
    const CommandResult refused = repeat(2, data);
    EXPECT_EQ(refused.exit_code, 2) << data << refused.output;
    EXPECT_EQ(count(refused.output, "error:"), 1) << refused.output;
  }
  EXPECT_EQ(repeat(1, table).output, "");
  fs::remove(table);
  EXPECT_EQ(repeat(2, table).exit_code, 0);
  EXPECT_EQ(repeat(1, table + " --dry-run").exit_code, 2);
}

// Without a validation set the best model is the last one, which was another one when the
// checkpoint was written.
TEST_F(Resume, AtTheEndOfAnEpochThatIsNowTheLastHasItsModel) {
  const std::string both =
      " --hidden 8 --validation 0 --lr-schedule constant --checkpoint-every 1epochs --epochs ";
  const std::string other = folder / "other";
  options = both + "2";
  ASSERT_EQ(run_command(command(1, other)).exit_code, 0);
  options = both + "3";
  ASSERT_EQ(run_command(command(1, out)).exit_code, 0);
  options = both + "2 --resume " + checkpoints_of(out).at(1);
  for (const int ranks : {1, 2}) {
    const CommandResult resumed = run_command(command(ranks, out));
    EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
    for (const char* key : {"sha256_last", "sha256_best", "evaluation_of_best"}) {
      EXPECT_EQ(summary_of(out)[key], summary_of(other)[key]) << resumed.output;
    }
    EXPECT_EQ(run_command(model + " hash " + out + "/model.dnn").output.substr(0, 64),
              summary_of(other)["sha256_best"]);
    fs::remove(out + "/summary.json");
  }
}

TEST_F(Resume, OneRunAtATimeOwnsAFolder) {
  options = " --epochs 1000000 --lr-schedule constant --checkpoint-every 50 --quiet";
  const CommandResult result =
      start_and(1, train + options + " --output " + out + "; echo second $?; kill -TERM $rank");
  EXPECT_EQ(result.exit_code, 75) << result.output;
  EXPECT_NE(result.output.find("second 2"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("is in use by another run (host "), std::string::npos);
}

TEST_F(Resume, ASecondSignalEndsAtOnce) {
  // The first one waits for a rank that is stopped, so that only the second can end the job.
  const CommandResult result =
      start_and(2,
                "other=$(pgrep -P $! | head -1); kill -STOP $other; kill -TERM $rank; sleep 1; "
                "kill -TERM $rank; sleep 0.5; kill -0 $rank 2>/dev/null && echo still there; "
                "kill -CONT $other");
  EXPECT_EQ(count(result.output, "still there"), 0) << result.output;
  EXPECT_NE(result.exit_code, 0);
  EXPECT_LT(result.seconds, hang_seconds);
  expect_same_end(2);
}

}  // namespace
}  // namespace dnn::test
