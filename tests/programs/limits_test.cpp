// What limits of the system, batch systems and shared terminals do to a run.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <string>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

struct Limits : public testing::Test {
  TemporaryFolder folder;
  std::string out = folder / "run";

  /// Before a program: it may start so many threads in its life, see faulty_files.cpp.
  [[nodiscard]] static std::string with_threads(int threads) {
    return "LD_LIBRARY_PATH=" + quoted(DNN_TEST_BIN) +
           " LD_PRELOAD=libfaulty_files.so DNN_FAULT_THREADS=" + std::to_string(threads) + " ";
  }
  /// A run that trains until it is stopped, however long others keep this machine busy.
  std::string endless =
      train + " --hidden 64 --epochs 1000000 --lr-schedule constant --output " + out;
  /// Waits in a command until another command succeeds, for as long as nothing hangs.
  [[nodiscard]] static std::string wait_for(const std::string& condition) {
    return "for i in $(seq " + std::to_string(static_cast<int>(hang_seconds / 2 / 0.02)) +
           "); do " + condition + " >/dev/null 2>&1 && break; sleep 0.02; done; ";
  }
  [[nodiscard]] std::string wait_for_metrics() const {
    return wait_for("test -s " + out + "/metrics.jsonl");
  }
};

TEST_F(Limits, TooFewThreadsAreToldWithWhatToChange) {
  const std::string command = train + " --hidden 8 --epochs 2 --threads 200 --output " + out;
  const CommandResult few = run_command(with_threads(100) + command);
  EXPECT_EQ(few.exit_code, 2) << few.output;
  EXPECT_EQ(count(few.output, "error: 200 threads to compute with (--threads"), 1) << few.output;
  EXPECT_EQ(count(few.output, "ulimit -u; pids.max"), 1) << few.output;
  EXPECT_EQ(count(few.output, "libgomp"), 0) << few.output;
  // Not even those that watch over a start.
  for (const int threads : {0, 1}) {
    const CommandResult none = run_command(with_threads(threads) + command);
    EXPECT_EQ(none.exit_code, 1) << none.output;
    EXPECT_EQ(count(none.output, "dnn_train: error: cannot start a thread: "), 1) << none.output;
    EXPECT_EQ(count(none.output, "ulimit -u; pids.max"), 1) << none.output;
    EXPECT_EQ(count(none.output, "terminate"), 0) << none.output;
  }
}

#ifndef __SANITIZE_ADDRESS__  // which takes 14 TiB of address space for itself
// A host, or a control group, with less memory than the others.
TEST_F(Limits, ARankThatMayUseLessMemoryThanItsPeersEndsTheJobInOrder) {
  const CommandResult result = run_command(
      "timeout 100 env " + mpirun_to_refuse(2) + "sh -c " +
      quoted("test \"${OMPI_COMM_WORLD_RANK:-$PMI_RANK}\" = 0 || ulimit -v 3000000; exec " + train +
             " --hidden 14000,14000 --output " + out));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, "error: "), 1) << result.output;
  EXPECT_EQ(count(result.output, "parameters need "), 1) << result.output;
  EXPECT_FALSE(fs::exists(out));
}
#endif

TEST_F(Limits, ALimitOnFileSizesIsAsAFullDisk) {
  const CommandResult result =
      run_command("ulimit -f 18000; " + train +
                  " --hidden 1500,1500 --epochs 1 --checkpoint-every 1epochs --output " + out);
  EXPECT_EQ(count(result.output, "warning: could not write a checkpoint at update "), 1)
      << result.exit_code << result.output;
  EXPECT_GE(count(result.output, "File too large (raise the limit on the size of files"), 1)
      << result.output;
  EXPECT_EQ(count(result.output, "epoch   1/1"), 1) << result.output;
}

// In a shell that srun started, Open MPI would look for a process manager that is not there.
TEST_F(Limits, AShellInAStepOfASlurmJobRunsOneProcess) {
  const std::string step =
      "SLURM_JOB_ID=77 SLURM_JOBID=77 SLURM_NTASKS=1 SLURM_PROCID=0 SLURM_STEP_ID=0 SLURM_STEPID=0 "
      "SLURM_NODELIST=localhost SLURM_NNODES=1 SLURM_STEP_NUM_TASKS=1 ";
  const CommandResult result = run_command(step + train + " --hidden 8 --epochs 1 --output " + out);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(fs::exists(out + "/summary.json"));
}

// Python's subprocess, for one, passes no descriptors on.
TEST_F(Limits, AProcessThatARankOfAnotherJobStartsIsNoRankOfThat) {
  const CommandResult result = run_command("PMI_SIZE=4 PMI_RANK=0 PMI_FD=77 " + train +
                                           " --hidden 8 --epochs 1 --output " + out);
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST_F(Limits, AnOutputFolderThatIsALinkToNowhereIsNamed) {
  fs::create_symlink(folder / "nowhere", out);
  const CommandResult result = run_command(train + " --epochs 1 --output " + out);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, out + " is a symbolic link to " + (folder / "nowhere") +
                                     ", which does not exist"),
            1)
      << result.output;
}

TEST_F(Limits, ALogThatIsRenamedIsBegunAnew) {
  const CommandResult result =
      run_command(endless + " --quiet & " + wait_for_metrics() + "mv " + out + "/run.log " + out +
                  "/run.log.1; " + wait_for("grep -q ' train loss ' " + out + "/run.log") +
                  "kill -USR1 $!; wait $!");
  EXPECT_EQ(result.exit_code, 75) << result.output;
  const std::string before = read_file(out + "/run.log.1");
  const std::string after = read_file(out + "/run.log");
  EXPECT_GT(count(after, " train loss "), 0);
  // Every epoch has its line, in one of the two.
  const std::regex epoch("epoch +([0-9]+)/1000000  train loss ");
  const std::string both = before + after;
  int number = 0;
  for (std::sregex_iterator found(both.begin(), both.end(), epoch), end; found != end; ++found) {
    ASSERT_EQ(std::stoi((*found)[1]), ++number);
  }
  EXPECT_EQ(number, count(both, " train loss "));
}

TEST_F(Limits, OutputGoesOnAfterItsDiskWasFull) {
  const std::string disk = folder / "disk";
  const std::string unshare = ::geteuid() == 0 ? "unshare -m " : "unshare -r -m ";
  const CommandResult result =
      run_command(unshare + "sh -c " +
                  quoted("mkdir " + disk + " && mount -t tmpfs -o size=1m none " + disk +
                         " && { head -c 2000000 /dev/zero > " + disk + "/filler 2>/dev/null; " +
                         endless + " > " + disk + "/output & " + wait_for_metrics() + "rm " + disk +
                         "/filler; " + wait_for("grep -q ' train loss ' " + disk + "/output") +
                         "kill -USR1 $!; wait $!; cat " + disk + "/output; }"));
  EXPECT_GT(count(result.output, " train loss "), 0) << result.output;
  EXPECT_EQ(count(result.output, "stopped by SIGUSR1"), 1) << result.output;
  EXPECT_EQ(count(result.output, "dnn_train " DNN_VERSION), 0) << "the disk was not full";
}

// Programs that share a terminal or a pipe share its O_NONBLOCK.
TEST_F(Limits, OutputGoesOnIntoAPipeThatDoesNotBlock) {
  const std::string script = folder.write("reader.py", R"(
import fcntl, os, subprocess, sys, termios, time
reading, writing = os.pipe()
room = fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ
os.set_blocking(writing, False)
run = subprocess.Popen(sys.argv[1:], stdout=writing)
os.close(writing)
def waiting():
    return int.from_bytes(fcntl.ioctl(reading, termios.FIONREAD, bytes(4)), sys.byteorder)
while waiting() < room - 200 and run.poll() is None:  # no line is longer
    time.sleep(0.02)
assert run.poll() is None
time.sleep(2)  # longer than the run waits for room for a line
with os.fdopen(reading, "rb") as lines:
    sys.stdout.write(lines.read().decode())
sys.exit(run.wait())
)");
  const CommandResult result =
      run_command("python3 " + script + " " + train + " --hidden 8 --epochs 300 --output " + out);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(result.output, "epoch 300/300"), 1) << result.output;
  EXPECT_EQ(count(result.output, "predict: dnn_predict"), 1) << result.output;
}

}  // namespace
}  // namespace dnn::test
