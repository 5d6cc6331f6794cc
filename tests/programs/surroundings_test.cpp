// What containers, terminals, other users, other jobs and file systems do to a run.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/array_files.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

struct Surroundings : public testing::Test {
  TemporaryFolder folder;
  std::string out = folder / "run";

  /// A command in which the file system of /dev/shm is another one.
  [[nodiscard]] static std::string with_shm(const std::string& mount, const std::string& command) {
    const std::string unshare = ::geteuid() == 0 ? "unshare -m " : "unshare -r -m ";
    return unshare + "sh -c " + quoted("mount -t tmpfs " + mount + " none /dev/shm && " + command);
  }
  /// What goes before a program to let file operations fail, see tests/support/faulty_files.cpp.
  [[nodiscard]] std::string faulty(const std::string& operation, const std::string& fault) const {
    return "LD_LIBRARY_PATH=" + quoted(DNN_TEST_BIN) +
           " LD_PRELOAD=libfaulty_files.so DNN_FAULT_FOLDER=" + out + " DNN_FAULT_AT='" +
           operation + "' DNN_FAULT=" + fault + " ";
  }
};

TEST_F(Surroundings, ASmallOrMissingShmIsToldInOneLineAndTrainsTheSameModel) {
  const std::string options = " --quiet --hidden 16 --epochs 2 --output ";
  ASSERT_EQ(run_command(mpirun(2) + train + options + out).exit_code, 0);
  const auto expected = summary_of(out)["sha256_last"];
  // Open MPI's own messages need 4 MiB a rank; without them it takes the network.
  for (const std::string mount : {"-o size=1m", "-o size=1m,nr_inodes=1", "-o size=9m"}) {
    const std::string small = folder / "small";
    const CommandResult result =
        run_command(with_shm(mount, "OMPI_MCA_btl=self,vader,tcp " + mpirun(2) + train +
                                        " --hidden 16 --epochs 2 --output " + small));
    EXPECT_EQ(result.exit_code, 0) << mount << result.output;
    const bool is_short = mount != "-o size=9m";
    EXPECT_EQ(count(result.output, "note: host "), is_short ? 1 : 0) << mount << result.output;
    EXPECT_EQ(count(result.output, ": /dev/shm has "), is_short ? 1 : 0) << result.output;
    EXPECT_EQ(count(result.output, "unnamed shared memory (memfd)"), is_short ? 1 : 0);
    EXPECT_EQ(summary_of(small)["sha256_last"], expected) << mount;
    fs::remove_all(small);
  }
}

TEST_F(Surroundings, AReaderThatGoesEndsNoTrainingAndTheLogHoldsAll) {
  for (const int ranks : {1, 2}) {
    const CommandResult result = run_command(
        "{ " + mpirun(ranks) + train + " --hidden 8 --epochs 60 --overwrite --output " + out +
        "; echo code $? > " + (folder / "code") + "; } | head -1; cat " + (folder / "code"));
    EXPECT_EQ(count(result.output, "code 0"), 1) << result.output;
    EXPECT_TRUE(fs::exists(out + "/summary.json")) << result.output;
    const std::string log = read_file(out + "/run.log");
    EXPECT_EQ(count(log, "dnn_train " DNN_VERSION "\n"), 1) << log;
    EXPECT_EQ(count(log, "\nepoch "), 60) << log;
  }
}

TEST_F(Surroundings, AHangUpEndsNoTraining) {
  const std::string command =
      train + " --hidden 64 --epochs 300 --lr-schedule constant --output " + out;
  const CommandResult result =
      run_command(command + " >/dev/full 2>&1 & for i in $(seq 1000); do ls " + out +
                  "/metrics.jsonl >/dev/null 2>&1 && break; sleep 0.02; done; kill -HUP $!; "
                  "wait $!; echo code $?");
  EXPECT_EQ(count(result.output, "code 0"), 1) << result.output;
  EXPECT_EQ(count(read_file(out + "/run.log"), "\nepoch "), 300);
}

TEST_F(Surroundings, AQuietRunAndAResumedOneKeepALog) {
  const std::string command = train + " --quiet --hidden 8 --lr-schedule constant --output " + out;
  ASSERT_EQ(run_command(command + " --epochs 3").output, "");
  EXPECT_EQ(count(read_file(out + "/run.log"), "\nepoch "), 3);
  ASSERT_EQ(run_command(command + " --epochs 5").exit_code, 0);
  const std::string log = read_file(out + "/run.log");
  EXPECT_EQ(count(log, "\nepoch "), 5) << log;
  EXPECT_EQ(count(log, "--- 20"), 2) << log;
  EXPECT_EQ(summary_of(out)["core_share_by_rank"].size(), 1U);
  ASSERT_EQ(run_command(command + " --epochs 2 --overwrite").exit_code, 0);
  EXPECT_EQ(count(read_file(out + "/run.log"), "\nepoch "), 2);
}

TEST_F(Surroundings, NamesFromDataReachNoTerminalAndNoSpreadsheetAsTheyAre) {
  std::string text = "a\x1b[31mb,label\n";
  for (int i = 0; i < 60; ++i) {
    text += std::to_string(i % 7) + (i % 2 == 0 ? ",=1+1\n" : ",bad\x1b]0;title\x07\n");
  }
  const std::string data = folder.write("data.csv", text);
  const CommandResult trained =
      run_command(train + " --data " + data + " --hidden 4 --epochs 2 --output " + out);
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const std::string path = folder / "predictions.csv";
  for (const std::string& command :
       {train + " --explain-data " + data, model + " info " + out + "/model.dnn",
        predict + " --model " + out + "/model.dnn --data " + data + " --output " + path,
        predict + " --model " + out + "/model.dnn --data " +
            folder.write("other.csv", "b\x1b[31m,label\n1,=1+1\n2,bad\n")}) {
    const CommandResult result = run_command(command);
    EXPECT_EQ(count(result.output, "\x1b"), 0) << result.output;
  }
  EXPECT_EQ(count(run_command(model + " info " + out + "/model.dnn").output, "\\x1b"), 3);
  const std::string predictions = read_file(path);
  EXPECT_EQ(count(predictions, ",=1+1"), 0) << predictions;
  EXPECT_GE(count(predictions, ",'=1+1"), 30) << predictions;
  EXPECT_EQ(count(read_file(out + "/confusion.csv"), ",=1+1"), 0);
  EXPECT_EQ(count(read_file(out + "/run.log"), "\x1b"), 0);
}

TEST_F(Surroundings, LinksPipesAndFoldersInPlaceOfARunsFilesHarmNobody) {
  const std::string victim = folder.write("victim", "precious\n");
  const std::string command =
      train + " --hidden 8 --epochs 3 --checkpoint-every 1epochs --folds 2 --trace 1-2 --output ";
  for (const std::string& put : {"ln -s " + victim + " ", "ln " + victim + " ",
                                 std::string("mkfifo "), "ln -s " + (folder / "new") + " "}) {
    for (const char* name :
         {"metrics.jsonl", "run.log", "nonfinite.jsonl", "run.json", "model.dnn.tmp", ".lock",
          "confusion.csv", "evaluation.json", "steps.jsonl", "trace.json", "folds.json",
          "out-of-fold.csv", ".probe"}) {
      fs::remove_all(out);
      ASSERT_EQ(run_command("mkdir " + out + " && " + put + out + "/" + name).exit_code, 0);
      const CommandResult result = run_command("timeout 60 " + command + out + " --overwrite");
      EXPECT_TRUE(result.exit_code == 0 || (result.exit_code == 2 && name == std::string(".lock")))
          << put << name << result.output;
      EXPECT_EQ(read_file(victim), "precious\n") << put << name;
      EXPECT_FALSE(fs::exists(folder / "new")) << put << name;
    }
  }
}

TEST_F(Surroundings, AMetricsFileReplacedByALinkAmidARunIsWrittenAnew) {
  const std::string victim = folder.write("victim", "precious\n");
  const std::string command = train + " --hidden 64 --epochs 200 --output " + out;
  const CommandResult result =
      run_command(command + " & for i in $(seq 1000); do ls " + out +
                  "/metrics.jsonl >/dev/null 2>&1 && break; sleep 0.02; done; ln -sf " + victim +
                  " " + out + "/metrics.jsonl; wait $!");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(read_file(victim), "precious\n");
  EXPECT_FALSE(fs::is_symlink(out + "/metrics.jsonl"));
  EXPECT_EQ(count(read_file(out + "/metrics.jsonl"), "\n"), 200);
}

TEST_F(Surroundings, TheUmaskIsHonouredAndAFolderOfAllIsWarnedOf) {
  const CommandResult result = run_command("umask 077; " + train +
                                           " --hidden 8 --epochs 1 --checkpoint-every 1epochs "
                                           "--output " +
                                           out);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    EXPECT_EQ(entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none)
        << entry.path();
  }
  EXPECT_EQ(count(result.output, "all users may write"), 0);
  fs::permissions(out, fs::perms::all);
  const CommandResult open =
      run_command(train + " --hidden 8 --epochs 1 --overwrite --output " + out);
  EXPECT_EQ(open.exit_code, 0) << open.output;
  EXPECT_EQ(count(open.output, "all users may write into " + out), 1) << open.output;
}

TEST_F(Surroundings, FileSystemsWithoutLocksOrFlushesAreWarnedOfOnce) {
  const std::string command = train + " --hidden 8 --epochs 2 --overwrite --output " + out;
  for (const std::string fault : {"ENOTSUPP", "EOPNOTSUPP", "EINVAL"}) {
    const CommandResult lock = run_command(faulty("flock .lock *", fault) + command);
    EXPECT_EQ(lock.exit_code, 0) << fault << lock.output;
    EXPECT_EQ(count(lock.output, "warning: "), 1) << lock.output;
    EXPECT_EQ(count(lock.output, "does not support locks (flock: error "), 1) << lock.output;
    const CommandResult flush = run_command(faulty("fsync .probe *", fault) + command);
    EXPECT_EQ(flush.exit_code, 0) << fault << flush.output;
    EXPECT_EQ(count(flush.output, "warning: "), 1) << flush.output;
    EXPECT_EQ(count(flush.output, "cannot flush files to the disk (fsync)"), 1) << flush.output;
    const CommandResult all =
        run_command(faulty("fsync .probe.tmp *", fault) + "DNN_FAULT_ON= " + command);
    EXPECT_EQ(all.exit_code, 0) << fault << all.output;
  }
}

TEST_F(Surroundings, AMappedFileThatShrinksIsNamedOnce) {
  constexpr std::size_t samples = 20'000;
  constexpr std::size_t features = 50;
  std::vector<float> values(samples * features);
  std::vector<std::int32_t> labels(samples);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i * 2654435761U % 1000);
  }
  for (std::size_t i = 0; i < samples; ++i) {
    labels[i] = static_cast<std::int32_t>(i % 3);
  }
  const std::string x = folder.write("x\x1b.npy", npy("<f4", "(20000, 50)", values));
  const std::string y = folder.write("y.npy", npy("<i4", "(20000,)", labels));
  const std::string whole = read_file(x);
  for (const int ranks : {1, 2}) {
    fs::remove_all(out);
    folder.write("x\x1b.npy", whole);
    const CommandResult result = run_command(
        mpirun(ranks) + train + " --data " + quoted(x + "," + y) +
        " --hidden 64 --epochs 10000 --lr-schedule constant --checkpoint-every 1epochs --output " +
        out + " & for i in $(seq 1000); do ls " + out +
        "/checkpoints/*.ckpt >/dev/null 2>&1 && break; sleep 0.02; done; truncate -s 100000 " +
        quoted(x) + "; wait $!; echo code $?");
    EXPECT_EQ(count(result.output, "code 2"), 1) << result.output;
    EXPECT_EQ(count(result.output, "error: "), 1) << result.output;
    EXPECT_EQ(count(result.output,
                    "x\\x1b.npy: the file was truncated while it was being read "
                    "(expected " +
                        std::to_string(whole.size()) + " bytes, found 100000)"),
              1)
        << result.output;
    EXPECT_EQ(count(result.output, "\x1b"), 0);
  }
}

#ifndef __SANITIZE_ADDRESS__  // which takes 14 TiB of address space for itself
TEST_F(Surroundings, MoreThanThereIsIsRefusedBeforeItIsTaken) {
  const std::string limited = "ulimit -v 6000000; ";
  const std::string data = folder.write("wide.svm", "1 4000000000:1\n0 1:1\n1 2:1\n0 5:1\n");
  const CommandResult wide =
      run_command(limited + train + " --data " + data + " --hidden 4 --output " + out);
  EXPECT_EQ(wide.exit_code, 2) << wide.output;
  EXPECT_EQ(count(wide.output, "wide.svm: the statistics of 4000000000 features"), 1)
      << wide.output;
  EXPECT_EQ(count(wide.output, "GiB of memory, but this job may use "), 1) << wide.output;
  const CommandResult large =
      run_command(limited + train + " --hidden 30000,30000 --output " + out);
  EXPECT_EQ(large.exit_code, 2) << large.output;
  EXPECT_EQ(count(large.output, "--hidden: 9.02e+08 parameters need 13.4 GiB a rank"), 1)
      << large.output;
}
#endif

TEST_F(Surroundings, ProcessesThatDoNotKnowOfEachOtherAreRefused) {
  const CommandResult result = run_command("PMI_SIZE=4 " + train + " --epochs 1 --output " + out);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, "4 processes were started (PMI_SIZE), but each of them is alone"),
            1)
      << result.output;
  EXPECT_FALSE(fs::exists(out));
}

// A process that wants the same core all the time.
TEST_F(Surroundings, ThreadsThatWaitSleepSoonUnlessTheUserSaysHowTheyWait) {
  struct Case {
    std::string set;
    int limited;  // where there are several cores
  };
  const int cores = std::stoi(run_command("nproc").output);
  for (const Case& c : {Case{"", 1}, {"OMP_WAIT_POLICY=active ", 0}, {"GOMP_SPINCOUNT=7 ", 0}}) {
    const std::string command =
        c.set + train + " --hidden 64 --epochs 300 --lr-schedule constant --overwrite --output " +
        out;
    const CommandResult result =
        run_command("unset OMP_WAIT_POLICY GOMP_SPINCOUNT; rm -rf " + out + "; " + command +
                    " >/dev/null 2>&1 & for i in $(seq 1000); do ls " + out +
                    "/metrics.jsonl >/dev/null 2>&1 && break; sleep 0.02; done; cat /proc/$!/comm; "
                    "tr '\\0' '\\n' </proc/$!/environ; kill $!; wait $!; echo code $?");
    EXPECT_EQ(count(result.output, "dnn_train\n"), 1) << result.output;
    EXPECT_EQ(count(result.output, "GOMP_SPINCOUNT=3000\n"), cores > 1 ? c.limited : 0);
    EXPECT_EQ(count(result.output, "code 75"), 1) << result.output;
  }
}

TEST_F(Surroundings, AnUnusableNumberOfThreadsIsNone) {
  const auto threads_with = [](const std::string& variable) {
    const std::string text = run_command("env -u OMP_NUM_THREADS " + variable + train +
                                         " --hidden 256 --batch-size 1024 --dry-run")
                                 .output;
    const std::size_t at = text.find(" on 1 node, ");
    EXPECT_NE(at, std::string::npos) << text;
    return text.substr(at, text.find(';', at) - at);
  };
  const std::string unset = threads_with("");
  for (const char* wrong : {"OMP_NUM_THREADS= ", "OMP_NUM_THREADS=0 ", "OMP_NUM_THREADS=many "}) {
    EXPECT_EQ(threads_with(wrong), unset) << wrong;
  }
  EXPECT_NE(threads_with("OMP_NUM_THREADS=3,2 ").find("3 threads"), std::string::npos);
}

TEST_F(Surroundings, OtherWorkOnARanksCoreIsWarnedOfOnceAndMeasured) {
  const std::string core = "taskset -c 0 ";
  const CommandResult result = run_command(
      core + "sh -c 'while :; do :; done' & other=$!; " + core + train +
      " --threads 1 --hidden 512,512 --epochs 100000 --time-limit 14 --lr-schedule constant "
      "--checkpoint-every off --output " +
      out + "; echo code $?; kill $other");
  EXPECT_EQ(count(result.output, "warning: host "), 1) << result.output;
  EXPECT_EQ(count(result.output, " % of its cores (0), because other processes run there"), 1)
      << result.output;
  EXPECT_EQ(count(result.output, "--bind-to none"), 1) << result.output;
}

}  // namespace
}  // namespace dnn::test
