// What a run does when its folder cannot be written any more; see also crash_point_test.py, which
// lets every operation fail.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

struct Disk : public testing::Test {
  TemporaryFolder folder;
  std::string out = folder / "run";
  std::string command =
      train + " --hidden 16 --epochs 8 --checkpoint-every 2epochs --output " + out;

  /// The command with a fault of tests/support/faulty_files.cpp at `operation`.
  [[nodiscard]] CommandResult run_with(const std::string& operation, const std::string& fault,
                                       bool onwards) const {
    return run_command("LD_LIBRARY_PATH=" + quoted(DNN_TEST_BIN) +
                       " LD_PRELOAD=libfaulty_files.so DNN_FAULT_FOLDER=" + out +
                       " DNN_FAULT_AT='" + operation + "' DNN_FAULT=" + fault +
                       (onwards ? " DNN_FAULT_ON=all " : " ") + command);
  }
  void expect_whole(const CommandResult& result) const {
    EXPECT_EQ(result.exit_code, 0) << result.output;
    for (const char* name : {"model.dnn", "last.dnn", "summary.json", "confusion.csv"}) {
      EXPECT_TRUE(fs::exists(out + "/" + name)) << name;
    }
    EXPECT_EQ(count(read_file(out + "/metrics.jsonl"), "\n"), 8);
    EXPECT_EQ(run_command(model + " verify " + out + "/model.dnn").exit_code, 0);
  }
};

TEST_F(Disk, MetricsAndBestModelAreMadeUpForAndTheReasonIsTold) {
  const CommandResult metrics = run_with("* metrics.jsonl.tmp *", "EDQUOT", false);
  EXPECT_EQ(metrics.exit_code, 2) << metrics.output;  // still so at the end
  EXPECT_EQ(count(metrics.output, "warning: could not write the metrics of epoch 1: "), 1)
      << metrics.output;
  EXPECT_EQ(count(metrics.output, "warning: could not write the metrics"), 1) << metrics.output;
  EXPECT_NE(metrics.output.find("Disk quota exceeded (remove files"), std::string::npos);
  const CommandResult again = run_command(command);
  EXPECT_NE(again.output.find("resuming from "), std::string::npos) << again.output;
  expect_whole(again);

  fs::remove_all(out);
  const CommandResult best = run_with("rename model.dnn 8", "ENOSPC", false);
  EXPECT_EQ(count(best.output, "warning: could not write the best model of epoch 8: "), 1)
      << best.output;
  EXPECT_NE(best.output.find("No space left on device (make room"), std::string::npos);
  expect_whole(best);
}

TEST_F(Disk, AFolderThatBecomesReadOnlyDoesNotEndTheTraining) {
  const CommandResult result =
      run_with("rename checkpoints/step-000000000052.ckpt 1", "EROFS", true);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, "epoch   8/8"), 1) << result.output;
  EXPECT_EQ(count(result.output, "warning: could not write a checkpoint at update "), 3)
      << result.output;
  EXPECT_NE(result.output.find("the last good checkpoint is " + out +
                               "/checkpoints/step-000000000026.ckpt"),
            std::string::npos)
      << result.output;
  EXPECT_EQ(count(result.output, "error: "), 1) << result.output;
  EXPECT_NE(result.output.find("Read-only file system (have it mounted"), std::string::npos);
  const CommandResult again = run_command(command);
  EXPECT_NE(again.output.find("resuming from " + out + "/checkpoints/step-000000000026.ckpt"),
            std::string::npos)
      << again.output;
  expect_whole(again);
}

// All ranks write; the folder fails for one of them once its part has its name.
TEST_F(Disk, NoPartOfACheckpointStaysThatCouldNotBeFlushed) {
  const std::string run = quoted(DNN_TEST_BIN "/parallel_run") +
                          " 1 --defaults plain --hidden 8 --epochs 1 --checkpoint-every 10"
                          " --output " +
                          out;
  const CommandResult result =
      run_command(mpirun(1) + run + " : -n 1 env LD_LIBRARY_PATH=" + quoted(DNN_TEST_BIN) +
                  " LD_PRELOAD=libfaulty_files.so DNN_FAULT_FOLDER=" + out +
                  " DNN_FAULT_AT='fsync checkpoints *' DNN_FAULT=EIO " + run);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("rank 1: cannot write the folder of the file"), std::string::npos)
      << result.output;
  EXPECT_EQ(count(result.output, "warning: could not write a checkpoint at update "), 2)
      << result.output;
  EXPECT_TRUE(fs::is_empty(out + "/checkpoints"))
      << run_command("ls " + out + "/checkpoints").output;
}

TEST_F(Disk, ALostPermissionAtTheStartIsRefused) {
  const CommandResult result = run_with("open .probe.tmp 1", "EACCES", true);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, "error: "), 1) << result.output;
  EXPECT_NE(result.output.find("Permission denied (give this user"), std::string::npos);
}

TEST_F(Disk, AFolderThatIsRemovedAmidTheRunIsMadeAgain) {
  command = train + " --hidden 256,128 --epochs 60 --checkpoint-every 20 --lr-schedule constant" +
            " --output " + out;
  const CommandResult result =
      run_command(command + " & for i in $(seq 1000); do ls " + out +
                  "/checkpoints/*.ckpt >/dev/null 2>&1 && break; sleep 0.02; done; mv " + out +
                  " " + out + ".gone; wait $!");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(read_file(out + "/metrics.jsonl"), "\n"), 60) << result.output;
  for (const char* name : {"model.dnn", "last.dnn", "summary.json", "confusion.csv"}) {
    EXPECT_TRUE(fs::exists(out + "/" + name)) << name << result.output;
  }
  EXPECT_FALSE(fs::is_empty(out + "/checkpoints"));
}

// A stop that comes while the data are being read.
TEST_F(Disk, AStopWhileLoadingEndsAtOnce) {
  const std::string data = folder / "large.csv";
  ASSERT_EQ(run_command("yes '1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,0\n2,3,4,5,6,7,8,9,1' | head -c "
                        "150000000 > " +
                        data)
                .exit_code,
            0);
  for (const int ranks : {1, 2}) {
    const std::string log = folder / ("log-" + std::to_string(ranks));
    const CommandResult result =
        run_command(mpirun(ranks) + train + " --data " + data + " --output " + out + " > " + log +
                    " 2>&1 & for i in $(seq 6000); do grep -q dnn_train " + log +
                    " 2>/dev/null && break; sleep 0.02; done; start=$(date +%s%N); "
                    "kill -TERM $(pgrep -P $! | tail -1); wait $!; code=$?; "
                    "echo milliseconds $(( ($(date +%s%N) - start) / 1000000 )); cat " +
                    log + "; exit $code");
    EXPECT_EQ(result.exit_code, 75) << result.output;
    const std::size_t at = result.output.find("milliseconds ");
    ASSERT_NE(at, std::string::npos) << result.output;
    EXPECT_LT(std::stoi(result.output.substr(at + 13)), 1000 * hang_seconds) << result.output;
    EXPECT_EQ(count(result.output, "ranks:"), 0)
        << "it was not loading any more: " << result.output;
    EXPECT_FALSE(fs::exists(out));
  }
}

}  // namespace
}  // namespace dnn::test
