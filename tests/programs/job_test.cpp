// A job of several ranks of which one fails.

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_lines.hpp"

namespace dnn::test {
namespace {

/// Whether a line of `text` holds all of `parts`.
bool has_line_with(const std::string& text, const std::vector<std::string>& parts) {
  return any_has_all(lines_of(text), parts);
}

/// Goes before the command of a job: ranks inherit it, so that they are known among others' ranks.
const std::string mark = "DNN_TEST_JOB=" + std::to_string(::getpid());

/// The ranks of this process's jobs that live.
std::string ranks_left() {
  return run_command(
             "for p in $(pgrep -x -r R,S,D,T failing_rank); do tr '\\0' '\\n' "
             "2>/dev/null </proc/$p/environ | grep -qx " +
             mark + " && echo $p; done")
      .output;
}

/// Three ranks, of which one fails in the way given.
CommandResult job_with(int failing, const std::string& how) {
  const CommandResult result = run_command(mark + " " + mpirun(3) + failing_rank + " " +
                                           std::to_string(failing) + " " + how);
  EXPECT_EQ(ranks_left(), "") << "a rank is left";
  return result;
}

TEST(Job, ARankThatThrowsEndsItAtOnceWithOneMessage) {
  for (const int failing : {0, 2}) {
    const CommandResult result = job_with(failing, "throw");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_LT(result.seconds, hang_seconds);
    EXPECT_EQ(count(result.output, "the disk is on fire"), 1) << result.output;
    EXPECT_NE(result.output.find("error on rank " + std::to_string(failing) + " of 3 (host "),
              std::string::npos)
        << result.output;
  }
}

TEST(Job, ARankThatExitsEarlyEndsIt) {
  const CommandResult result = job_with(1, "exit");
  EXPECT_NE(result.exit_code, 0);
  EXPECT_LT(result.seconds, hang_seconds);
}

TEST(Job, ARankInAnotherCollectiveEndsItWithinSeconds) {
  for (const int failing : {0, 2}) {
    const CommandResult result = job_with(failing, "other");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_LT(result.seconds, hang_seconds);
    EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
    for (int rank = 0; rank < 3; ++rank) {
      const std::string place = rank == failing ? "MPI_Allreduce" : "MPI_Barrier";
      EXPECT_TRUE(has_line_with(result.output, {"rank " + std::to_string(rank) + " (host ", place}))
          << result.output;
    }
  }
}

// The watchdog's time is 3 seconds here.
TEST(Job, AStuckRankEndsItAndIsNamed) {
  for (const auto& [how, failing] : {std::pair("stop", 0), std::pair("sleep", 2)}) {
    const CommandResult result = job_with(failing, how);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE(result.exit_code, 2);
    EXPECT_GE(result.seconds, 3);
    EXPECT_LT(result.seconds, hang_seconds);
    EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
    EXPECT_EQ(count(result.output, "is stuck"), 1) << result.output;
    EXPECT_TRUE(
        has_line_with(result.output, {"rank " + std::to_string(failing) + " (host ", ", process ",
                                      std::string(failing == 0 ? ", stopped by a signal" : "") +
                                          ") is stuck: fetching a batch of samples, update 17"}))
        << result.output;
  }
}

// Where no watchdog is: others wait inside MPI. Now and then Open MPI's mpirun does not end after
// its ranks have; dnn_run ends it.
TEST(Job, ARankThatIsStuckWhileMpiStartsOrEndsEndsIt) {
  const std::string launcher = quoted(DNN_SOURCE "/launch/dnn_run") + " --restarts 0 --grace 10 ";
  for (const std::string when : {"start", "end"}) {
    const CommandResult result =
        run_command(mark + " DNN_LAUNCH_TIMEOUT=3 " + launcher + mpirun(3) + failing_rank + " 1 " +
                    when + " --output none");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_LT(result.seconds, hang_seconds);
    EXPECT_NE(result.output.find("DNN_LAUNCH_TIMEOUT"), std::string::npos) << result.output;
    EXPECT_EQ(ranks_left(), "") << "a rank is left";
  }
}

TEST(Job, ARankThatWorksForLongIsNotStuck) {
  const CommandResult result = job_with(1, "work");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_GE(result.seconds, 9);
}

// As a scheduler does with a job that makes room for another one.
TEST(Job, ASuspendedJobGoesOnAfterLongerThanTheTimeout) {
  const CommandResult result = run_command(mpirun(2) + failing_rank +
                                           " 1 work & job=$!; sleep 2; "
                                           "pkill -STOP -P $job -x failing_rank || exit 99; "
                                           "sleep 6; pkill -CONT -P $job || exit 98; wait $job");
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST(Job, ADivergedModelIsToldOnce) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command(mpirun(3) + train + " --optimizer sgd --lr 1e30 --output " + (folder / "r"));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_EQ(count(result.output, "training diverged"), 1) << result.output;
  EXPECT_NE(result.output.find("learning rate"), std::string::npos);
}

}  // namespace
}  // namespace dnn::test
