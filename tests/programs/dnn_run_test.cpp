// launch/dnn_run: what it starts again, and what it does not.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

const std::string dnn_run = quoted(DNN_SOURCE "/launch/dnn_run") + " ";
const std::string job = mpirun(2) + train;

/// Waits for the first checkpoint of the folder, in a shell.
std::string wait_for_checkpoint(const std::string& out) {
  return "for i in $(seq 6000); do ls " + out +
         "/checkpoints/*.ckpt >/dev/null 2>&1 && break; sleep 0.02; done; ";
}

/// A program in the place of mpirun: `script` sees $n, how often it was started, and $own, a file
/// name of its own; its pid, and those it adds to $own.pids, must be gone at the end.
std::string fake_mpirun(const TemporaryFolder& folder, const std::string& script) {
  namespace fs = std::filesystem;
  const std::string path = folder.write(
      "mpirun",
      "#!/bin/sh\nown=$0\necho $$ >> $own.pids\ntouch $own.starts\n" +
          std::string(
              "n=$(($(wc -l < $own.starts) + 1))\necho \"start $n: $*\" | tee -a $own.starts\n") +
          script + "\n");
  fs::permissions(path, fs::perms::owner_all);
  return path + " ";
}

/// Shell: waits up to `seconds` for the end of what the fake mpirun started; prints what is left,
/// and ends it.
std::string print_left(const TemporaryFolder& folder, int seconds) {
  return "for i in $(seq " + std::to_string(10 * seconds) + "); do left=; for p in $(cat " +
         (folder / "mpirun.pids") +
         "); do grep -qs '^State:.[^ZX]' /proc/$p/status && left=\"$left $p\"; done; "
         "[ -z \"$left\" ] && break; sleep 0.1; done; echo \"left:$left.\"; [ -z \"$left\" ] || "
         "kill -KILL $left";
}

std::string sha256_last(const std::string& run) {
  return summary_of(run)["sha256_last"];
}

TEST(DnnRun, StartsAgainAfterACrashAndAfterAPreemption) {
  const TemporaryFolder folder;
  const std::string options =
      " --quiet --hidden 1024,256 --batch-size 512 --epochs 60 --checkpoint-every 10 --overwrite "
      "--output ";
  const std::string out = folder / "run";
  ASSERT_EQ(run_command(job + options + (folder / "undisturbed")).exit_code, 0);
  for (const char* signal : {"KILL", "TERM"}) {
    const CommandResult result = run_command(
        dnn_run + "--pause 0 " + job + options + out + " & " + wait_for_checkpoint(out) + "kill -" +
        signal + " $(pgrep -P $(pgrep -P $! 'mpi|prte') | head -1); wait $!");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(count(result.output, "dnn_run: exit code "), 1) << result.output;
    const auto summary = summary_of(out);
    EXPECT_EQ(summary["sha256_last"], sha256_last(folder / "undisturbed"));
    EXPECT_NE(summary["checkpoints"]["resumed_from"], "") << "--overwrite began it anew";
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
  // Only a new checkpoint tells that the job listens; before, it takes the file for an old one.
  const std::string mark = folder / "mark";
  const std::string begin = "touch " + mark + "; sleep 0.02; " + command + " & " +
                            "for i in $(seq 6000); do [ -n \"$(find " + out +
                            "/checkpoints -name '*.ckpt' -newer " + mark +
                            " 2>/dev/null)\" ] && break; sleep 0.02; done; ";
  for (const std::string ask : {"kill -TERM $!", "kill -USR1 $!"}) {
    const CommandResult result = run_command(begin + ask + "; wait $!");
    EXPECT_EQ(result.exit_code, 75) << result.output;
    EXPECT_LT(result.seconds, hang_seconds);
    EXPECT_EQ(count(result.output, "dnn_run: stopped by SIG"), 1) << result.output;
  }
  const CommandResult file = run_command(begin + "touch " + out + "/stop; wait $!");
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

TEST(DnnRun, LeavesOutHostsThatDoNotAnswerUntilTheyDo) {
  const TemporaryFolder folder;
  const std::string hostfile =
      folder.write("hosts", "# all\nh1 slots=2\nuser@h2 slots=2 # two\n\nh3 slots=4\n");
  const std::string probe =
      dnn_run + "--pause 0 --probe \"sh -c 'test ! -e " + (folder / "gone.HOST") + "'\" ";
  // h2 goes before the second start, and comes back before the third.
  const std::string mpirun = fake_mpirun(
      folder,
      "while [ $# -gt 0 ]; do [ $1 = --hostfile ] && cat $2; shift; done\n[ $n = 1 ] && "
      "touch ${own%mpirun}gone.h2\n[ $n = 2 ] && rm ${own%mpirun}gone.h2\n[ $n = 3 ]");
  const std::string output = " dnn_train --output " + (folder / "run");
  const CommandResult files = run_command(probe + mpirun + "-n 8 --hostfile " + hostfile + output);
  EXPECT_EQ(files.exit_code, 0) << files.output;
  EXPECT_EQ(count(files.output, "no answer from h2: 6 ranks on h1, h3\n"), 1) << files.output;
  EXPECT_EQ(count(files.output, "all hosts answer again: 8 ranks on h1, h2, h3\n"), 1);
  EXPECT_EQ(count(files.output, "start 2: -n 6 --hostfile /proc/"), 1) << files.output;
  EXPECT_EQ(count(files.output, "start 3: -n 8 --hostfile " + hostfile), 1) << files.output;
  EXPECT_EQ(count(files.output, "h1 slots=2"), 3) << files.output;
  EXPECT_EQ(count(files.output, "h2 slots=2"), 2) << files.output;

  // A list; and more ranks than slots lose their share.
  std::filesystem::remove(folder / "mpirun.starts");
  const CommandResult list = run_command(probe + mpirun + "-np 16 -H h1:2,h2:2,h3,h3" + output);
  EXPECT_EQ(list.exit_code, 0) << list.output;
  EXPECT_EQ(count(list.output, "start 2: -np 10 -H h1:2,h3,h3 dnn_train"), 1) << list.output;
  EXPECT_EQ(count(list.output, "start 3: -np 16 -H h1:2,h2:2,h3,h3 dnn_train"), 1) << list.output;

  // With too few ranks left it waits instead.
  std::filesystem::remove(folder / "mpirun.starts");
  const CommandResult waits =
      run_command("(sleep 4; rm " + (folder / "gone.h2") + ") & " + probe +
                  "--min-ranks 7 --restarts 2 " + mpirun + "-n 8 --hostfile " + hostfile + output);
  EXPECT_GE(count(waits.output, "not started: fewer than 7 ranks"), 2) << waits.output;
  EXPECT_EQ(count(waits.output, "start 2: -n 8 --hostfile " + hostfile), 1) << waits.output;
}

TEST(DnnRun, GoesOnWithAllHostsWhenNoneAnswers) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command(dnn_run + "--pause 0 --probe 'false HOST' " + fake_mpirun(folder, "[ $n = 2 ]") +
                  "-n 3 -H localhost,h2,h3 dnn_train --output " + (folder / "run"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(result.output, "no other host answers"), 1) << result.output;
  EXPECT_EQ(count(result.output, "start 2: -n 3 -H localhost,h2,h3 "), 1) << result.output;
}

TEST(DnnRun, EndsAnMpirunThatHangsWithoutRanks) {
  const TemporaryFolder folder;
  const std::string mpirun =
      fake_mpirun(folder,
                  "[ $n = 2 ] && exit 0\ntrap '' TERM USR1\nPMIX_NAMESPACE=1 sleep 2 &\nwait\n"
                  "sleep 1000 & echo $! >> $own.pids; wait");
  const CommandResult result =
      run_command(dnn_run + "--pause 0 --grace 2 " + mpirun + "dnn_train --output " +
                  (folder / "run") + "; echo code $?; " + print_left(folder, 0));
  EXPECT_EQ(count(result.output, "mpirun hangs: its ranks are gone: ending it"), 1)
      << result.output;
  EXPECT_EQ(count(result.output, "code 0"), 1) << result.output;
  EXPECT_EQ(count(result.output, "start 2: "), 1) << result.output;
  EXPECT_EQ(count(result.output, "left:."), 1) << result.output;
  EXPECT_LT(result.seconds, hang_seconds);
}

// A rank may be a script: what it runs before the program is no rank that has ended.
TEST(DnnRun, EndsAJobOfWhichSomeRanksHaveEndedAndOthersHaveNot) {
  const TemporaryFolder folder;
  const std::string mpirun =
      fake_mpirun(folder,
                  "[ $n = 2 ] && exit 0\ntrap '' TERM USR1\nexport PMIX_NAMESPACE=1\n"
                  "for rank in 0 1; do PMIX_RANK=$rank sleep 4 & echo $! >> $own.pids; done\n"
                  "PMIX_RANK=10 sleep 1000 & echo $! >> $own.pids\n"
                  "PMIX_RANK=10 sleep 1 & wait");
  const CommandResult result =
      run_command(dnn_run + "--pause 0 --grace 2 " + mpirun + "dnn_train --output " +
                  (folder / "run") + "; echo code $?; " + print_left(folder, 0));
  EXPECT_EQ(count(result.output, "mpirun hangs: rank 0, 1 has ended, and others have not: ending"),
            1)
      << result.output;
  EXPECT_EQ(count(result.output, "code 0"), 1) << result.output;
  EXPECT_EQ(count(result.output, "left:."), 1) << result.output;
  EXPECT_LT(result.seconds, hang_seconds);
}

// And what one rank's script does after the program is no hang.
TEST(DnnRun, LetsARanksScriptDoMoreThanThoseOfOtherRanks) {
  const TemporaryFolder folder;
  const std::string mpirun = fake_mpirun(
      folder,
      "[ $n = 2 ] && exit 0\nexport PMIX_NAMESPACE=1\nPMIX_RANK=0 sleep 2 &\n"
      "PMIX_RANK=1 sh -c 'sleep 2; python3 -c \"import time; time.sleep(8)\"; echo tidied up'");
  const CommandResult result = run_command(dnn_run + "--pause 0 --grace 2 " + mpirun +
                                           "dnn_train --output " + (folder / "run"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(result.output, "tidied up"), 1) << result.output;
  EXPECT_EQ(count(result.output, "start 2: "), 0) << result.output;
}

// Its ranks may have come and gone between two looks.
TEST(DnnRun, EndsAnMpirunThatIsAlone) {
  const TemporaryFolder folder;
  const std::string impatient = folder / "dnn_run";
  const std::string mpirun = fake_mpirun(folder, "[ $n = 2 ] && exit 0\nexec sleep 1000");
  const CommandResult result =
      run_command("sed 's/^ALONE = 60 /ALONE = 2 /' " + dnn_run + "> " + impatient + "; python3 " +
                  impatient + " --pause 0 " + mpirun + "dnn_train --output " + (folder / "run") +
                  "; echo code $?; " + print_left(folder, 0));
  EXPECT_EQ(count(result.output, "mpirun hangs: it is alone: ending it"), 1) << result.output;
  EXPECT_EQ(count(result.output, "code 0"), 1) << result.output;
  EXPECT_EQ(count(result.output, "left:."), 1) << result.output;
  EXPECT_LT(result.seconds, hang_seconds);
}

TEST(DnnRun, ATerminalThatGoesAwayEndsNothing) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const CommandResult result = run_command(
      dnn_run + job + " --hidden 64 --epochs 300 --lr-schedule constant --output " + out +
      " >/dev/full & for i in $(seq 3000); do ls " + out +
      "/metrics.jsonl >/dev/null 2>&1 && break; sleep 0.02; done; kill -HUP $!; wait $!");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(result.output, "restart"), 0) << result.output;
  EXPECT_EQ(count(read_file(out + "/metrics.jsonl"), "\n"), 300);
}

TEST(DnnRun, EndsAJobThatDoesNotStopWhenAsked) {
  const TemporaryFolder folder;
  const std::string mpirun = fake_mpirun(
      folder, "trap '' TERM USR1\nsleep 1000 & echo $! >> $own.pids\ntouch $own.up; wait");
  const CommandResult result = run_command(
      dnn_run + "--grace 1 " + mpirun + "dnn_train --output " + (folder / "run") +
      " & while [ ! -e " + (folder / "mpirun.up") +
      " ]; do sleep 0.1; done; kill -TERM $!; wait $!; echo code $?; " + print_left(folder, 0));
  EXPECT_EQ(count(result.output, "the job did not stop within 1 s: ending it"), 1) << result.output;
  EXPECT_EQ(count(result.output, "code 75"), 1) << result.output;
  EXPECT_EQ(count(result.output, "start 2: "), 0) << result.output;
  EXPECT_EQ(count(result.output, "left:."), 1) << result.output;
  EXPECT_LT(result.seconds, hang_seconds);
}

TEST(DnnRun, WhenItIsKilledItsJobEnds) {
  // One that ignores all it is told; and a real one, which takes its files with it.
  const TemporaryFolder folder;
  const std::string mpirun = fake_mpirun(
      folder, "trap '' TERM USR1\nsleep 1000 & echo $! >> $own.pids\ntouch $own.up; wait");
  const CommandResult fake = run_command(
      dnn_run + mpirun + "dnn_train --output " + (folder / "run") + " & while [ ! -e " +
      (folder / "mpirun.up") + " ]; do sleep 0.1; done; kill -KILL $!; " + print_left(folder, 15));
  EXPECT_EQ(count(fake.output, "left:."), 1) << fake.output;

  // Killed alone, and together with the process that guards its job.
  for (const char* guard : {"", "$(pgrep -P $! | grep -v $mpirun)"}) {
    const std::string out = folder / "real";
    const CommandResult real = run_command(
        dnn_run + job +
        " --quiet --epochs 1000000 --lr-schedule constant --checkpoint-every 50 --output " + out +
        " & " + wait_for_checkpoint(out) +
        "mpirun=$(pgrep -P $! 'mpi|prte'); echo $mpirun $(pgrep -P $mpirun) > " +
        (folder / "mpirun.pids") + "; kill -KILL $! " + guard + "; " + print_left(folder, 15) +
        "; sleep 0.5; ls -d ${TMPDIR:-/tmp}/ompi.*/pid.$mpirun");
    EXPECT_EQ(count(real.output, "left:."), 1) << real.output;
    EXPECT_EQ(count(real.output, "No such file"), 1) << real.output;
    std::filesystem::remove_all(out);
  }
}

TEST(DnnRun, RemovesTheFilesOfAKilledMpirunAndNoOthers) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const std::string other = "/dev/shm/vader_segment.dnn_run_test.0.12340001." +
                            std::to_string(static_cast<long>(::getpid()));
  const CommandResult result = run_command(
      "touch " + other + "; " + dnn_run + "--restarts 0 " + job +
      " --quiet --epochs 1000000 --lr-schedule constant --checkpoint-every 50 --output " + out +
      " & " + wait_for_checkpoint(out) +
      "mpirun=$(pgrep -P $! 'mpi|prte'); rank=$(pgrep -P $mpirun | head -1); "
      "name=$(tr '\\0' '\\n' < /proc/$rank/environ | sed -n 's/^PMIX_NAMESPACE=//p'); "
      "files=$(printf '/dev/shm/*.%x.* ' $name); folder=$(ls -d "
      "${TMPDIR:-/tmp}/ompi.*/pid.$mpirun); "
      "echo before: $(ls -d $files $folder | wc -l); kill -KILL $mpirun; wait $!; "
      "echo after: $(ls -d $files $folder 2>/dev/null | wc -l), other: $(ls " +
      other + " | wc -l); rm " + other);
  EXPECT_EQ(count(result.output, "given up: exit code 137"), 1) << result.output;
  EXPECT_EQ(count(result.output, "before: 0"), 0) << result.output;
  EXPECT_EQ(count(result.output, "after: 0, other: 1"), 1) << result.output;
}

TEST(DnnRun, WrongInputIsFinalUnlessALostHostMayHoldTheFolder) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const std::string run = dnn_run + "--pause 0 " +
                          fake_mpirun(folder, "mkdir -p " + out +
                                                  "\n[ $n = 1 ] && exit 1\n[ $n = 2 ] && "
                                                  "{ touch $LOCK; exit 2; }\nrm $LOCK\nexit 0") +
                          "dnn_train --overwrite --output " + out;
  const CommandResult held = run_command("export LOCK=" + out + "/.lock; " + run);
  EXPECT_EQ(held.exit_code, 0) << held.output;
  EXPECT_EQ(count(held.output, "start 3: dnn_train --overwrite --output " + out + " --job "), 1)
      << held.output;
  std::filesystem::remove(folder / "mpirun.starts");
  const CommandResult wrong = run_command("export LOCK=" + out + "/other; " + run);
  EXPECT_EQ(wrong.exit_code, 2) << wrong.output;
  EXPECT_EQ(count(wrong.output, "start 3: "), 0) << wrong.output;
}

}  // namespace
}  // namespace dnn::test
