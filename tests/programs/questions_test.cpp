// What programs answer to --help, --version and --bash-completion.

#include <gtest/gtest.h>

#include "support/programs.hpp"
#include "support/run_command.hpp"

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

TEST(Programs, AnswerAnErrorOfTheEnvironment) {
  const CommandResult result = run_command("DNN_MAX_ISA=avx3 " + train_by_data + " --version");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("dnn_train: error: DNN_MAX_ISA"), std::string::npos)
      << result.output;
}

}  // namespace
}  // namespace dnn::test
