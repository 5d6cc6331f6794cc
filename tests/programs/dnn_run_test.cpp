// launch/dnn_run: what it starts again, and what it does not.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

const std::string dnn_run = std::string(DNN_SOURCE) + "/launch/dnn_run ";
const std::string job = std::string(DNN_MPIEXEC) + " -n 2 " + DNN_BIN + "/dnn_train";

/// Waits for the first checkpoint of the folder, in a shell.
std::string wait_for_checkpoint(const std::string& out) {
  return "for i in $(seq 1000); do ls " + out +
         "/checkpoints/*.ckpt >/dev/null 2>&1 && break; sleep 0.02; done; ";
}

std::string sha256_last(const std::string& run) {
  return nlohmann::json::parse(read_file(run + "/summary.json"))["sha256_last"];
}

TEST(DnnRun, StartsAgainAfterACrashAndAfterAPreemption) {
  const TemporaryFolder folder;
  const std::string options =
      " --quiet --hidden 128,64 --epochs 600 --checkpoint-every 50 --overwrite --output ";
  const std::string out = folder / "run";
  ASSERT_EQ(run_command(job + options + (folder / "undisturbed")).exit_code, 0);
  for (const char* signal : {"KILL", "TERM"}) {
    const CommandResult result = run_command(
        dnn_run + "--pause 0 " + job + options + out + " & " + wait_for_checkpoint(out) + "kill -" +
        signal + " $(pgrep -P $(pgrep -P $! -f mpi) | head -1); wait $!");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(count(result.output, "dnn_run: exit code "), 1) << result.output;
    EXPECT_EQ(sha256_last(out), sha256_last(folder / "undisturbed"));
    std::filesystem::remove_all(out);
  }
}

TEST(DnnRun, StopsWhenAskedAndTheSameCommandGoesOn) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const std::string command = dnn_run + job +
                              " --quiet --epochs 1000000 --lr-schedule constant "
                              "--checkpoint-every 50 --output " +
                              out;
  for (const std::string ask : {"kill -TERM $!", "kill -USR1 $!"}) {
    const CommandResult result =
        run_command(command + " & sleep 0.5; " + wait_for_checkpoint(out) + ask + "; wait $!");
    EXPECT_EQ(result.exit_code, 75) << result.output;
    EXPECT_LT(result.seconds, 30);
    EXPECT_EQ(count(result.output, "dnn_run: stopped by SIG"), 1) << result.output;
  }
  const CommandResult file = run_command(command + " & sleep 1; touch " + out + "/stop; wait $!");
  EXPECT_EQ(file.exit_code, 75) << file.output;
}

TEST(DnnRun, GivesUpOnWrongInput) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command(dnn_run + job + " --data /no/such/file --output " + (folder / "run"));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
  EXPECT_EQ(run_command(dnn_run + job).exit_code, 2);  // no --output
  EXPECT_EQ(run_command(dnn_run + "/no/such/program --output x").exit_code, 127);
}

TEST(DnnRun, GivesUpAfterTooManyRestartsWithoutProgress) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(
      dnn_run + "--restarts 3 --pause 0 sh -c 'echo started; exit 9' --output " + (folder / "run"));
  EXPECT_EQ(result.exit_code, 9) << result.output;
  EXPECT_EQ(count(result.output, "started"), 4) << result.output;
  EXPECT_EQ(count(result.output, "given up"), 1) << result.output;
}

}  // namespace
}  // namespace dnn::test
