// What programs answer to --help, --version and --bash-completion.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

// On login nodes of some clusters MPI cannot start.
TEST(Programs, AnswerQuestionsWithoutMpi) {
  const std::string no_mpi = "OMPI_MCA_pml=none PMIX_MCA_gds=none ";
  ASSERT_NE(run_command(no_mpi + train + " --dry-run").exit_code, 0);
  for (const std::string& program : {train_by_data, predict, model, quoted(DNN_BIN "/dnn_watch")}) {
    for (const std::string question : {"--help", "--version", "--bash-completion"}) {
      const CommandResult result = run_command(no_mpi + program + " " + question);
      EXPECT_EQ(result.exit_code, 0) << program << " " << question << "\n" << result.output;
    }
  }
}

TEST(Programs, AnswerQuestionsOnceForAllRanks) {
  for (const std::string& program : {train_by_data, predict}) {
    const CommandResult result = run_command(mpirun(3) + program + " --version");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(count(result.output, "\nmpi "), 1) << result.output;
  }
}

// A script that takes an empty file for the answer trains with other settings, or compares hashes
// that are not there.
TEST(Programs, AnAnswerThatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_command(train + " --epochs 1 --hidden 4 --quiet --output " + run).exit_code, 0);
  const std::string best = run + "/model.dnn";
  const std::string watch = quoted(DNN_BIN "/dnn_watch");
  for (const auto& [program, questions] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{
           {train_by_data,
            {"--help", "--version", "--print-config", "--explain-data builtin:digits"}},
           {predict, {"--help", "--version"}},
           {model,
            {"--help", "info " + best, "verify " + best, "hash " + best,
             "compare " + best + " " + best}},
           {watch, {"--help", "--text --once " + run}}}) {
    for (const std::string& question : questions) {
      const std::string command = program + " " + question;
      const CommandResult full = run_command(command + " >/dev/full");
      EXPECT_EQ(full.exit_code, 1) << command << "\n" << full.output;
      EXPECT_EQ(
          count(full.output, "error: cannot write to standard output: No space left on device"), 1)
          << command << "\n"
          << full.output;
      // A reader that goes away has seen what it wanted.
      const CommandResult gone =
          run_command("trap '' PIPE; { " + command + " 2>" + (folder / "said") + "; echo $? >" +
                      (folder / "code") + "; } | true");
      EXPECT_EQ(gone.exit_code, 0);
      EXPECT_EQ(read_file(folder / "said"), "") << command;
      EXPECT_EQ(read_file(folder / "code"), "0\n") << command;
    }
  }
  const CommandResult training =
      run_command(train + " --epochs 1 --hidden 4 --output " + (folder / "other") + " >/dev/full");
  EXPECT_EQ(training.exit_code, 0) << training.output;  // its product is the run
}

TEST(Programs, AnswerAnErrorOfTheEnvironment) {
  const CommandResult result = run_command("DNN_MAX_ISA=avx3 " + train_by_data + " --version");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("dnn_train: error: DNN_MAX_ISA"), std::string::npos)
      << result.output;
}

}  // namespace
}  // namespace dnn::test
