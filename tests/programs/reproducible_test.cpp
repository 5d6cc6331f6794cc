// The same bits at any number of ranks, as a user sees them.

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

struct ReproducibleRuns : public testing::Test {
  TemporaryFolder folder;
  std::string environment;  ///< of the runs, as "NAME=VALUE "

  /// The lines of metrics.jsonl up to what differs from run to run.
  [[nodiscard]] std::string metrics(const std::string& name) const {
    return run_command("sed 's/,\"samples_per_second.*//' " + (folder / name) + "/metrics.jsonl")
        .output;
  }
  [[nodiscard]] nlohmann::json summary(const std::string& name) const {
    return summary_of(folder / name);
  }
  [[nodiscard]] CommandResult run(int ranks, const std::string& name,
                                  const std::string& options = {}, int epochs = 4) const {
    return run_command(environment + mpirun(ranks) + train + " --hidden 60,30 --epochs " +
                       std::to_string(epochs) +
                       " --batch-size 250 --dropout 0.1 --clip-norm 1 --lr-schedule constant " +
                       options + " --output " + (folder / name));
  }
};

TEST_F(ReproducibleRuns, AreTheSameByDiffAtAnyNumberOfRanks) {
  EXPECT_EQ(run(1, "one").exit_code, 0);
  const std::string one = metrics("one");
  EXPECT_NE(one.find("sha256"), std::string::npos) << one;
  for (const std::string options : {"3", "8", "5 --exchange tree", "2 --threads 3"}) {
    const std::string name = "with-" + options.substr(0, 1);
    const CommandResult result = run(options[0] - '0', name, options.substr(1));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(metrics(name), one) << options;
    EXPECT_EQ(summary(name)["sha256_best"], summary("one")["sha256_best"]);
    EXPECT_EQ(summary(name)["evaluation_of_best"], summary("one")["evaluation_of_best"]);
    for (const char* file : {"/confusion.csv", "/evaluation.json"}) {
      EXPECT_EQ(read_file(folder / name + file), read_file(folder / "one" + file)) << file;
    }
  }
}

/// The first processors that this process may run on.
std::vector<int> own_processors(std::size_t count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE && processors.size() < count; ++i) {
      if (CPU_ISSET(i, &set)) {
        processors.push_back(i);
      }
    }
  }
  return processors;
}

// hwloc is told of a machine of two domains of one processor each; ranks are bound to them in
// turns.
TEST_F(ReproducibleRuns, ShareMemoryWithinTheirNumaDomain) {
  const std::vector<int> processors = own_processors(2);
  if (processors.size() < 2) {
    GTEST_SKIP() << "this machine has one processor, and two domains need two";
  }
  const std::string first = std::to_string(processors[0]);
  const std::string second = std::to_string(processors[1]);
  const auto run_in_domains = [&](const std::string& name, const std::string& options) {
    const std::string program = train + " --hidden 60,30 --epochs 2 --batch-size 250 --output " +
                                (folder / name) + " " + options;
    const std::string bound = " -n 2 taskset -c ";
    return run_command("HWLOC_SYNTHETIC='numa:2 pu:1(indexes=" + first + "," + second +
                       ")' HWLOC_THISSYSTEM=1 " + quoted(DNN_MPIEXEC) + " --bind-to none" + bound +
                       first + " " + program + " :" + bound + second + " " + program);
  };
  const CommandResult by_itself = run_in_domains("auto", "");
  EXPECT_EQ(by_itself.exit_code, 0) << by_itself.output;
  EXPECT_NE(by_itself.output.find("on 1 node in 2 NUMA domains"), std::string::npos)
      << by_itself.output;
  EXPECT_EQ(summary("auto")["numa_domains"], 2);
  EXPECT_EQ(summary("auto")["exchange"]["used"], "node");
  for (const std::string domain : {"numa", "node"}) {
    EXPECT_EQ(run_in_domains(domain, "--domain " + domain).exit_code, 0);
    EXPECT_EQ(summary(domain)["numa_domains"], domain == "numa" ? 2 : 0);
    EXPECT_EQ(metrics(domain), metrics("auto"));
  }
  environment =
      "HWLOC_SYNTHETIC='numa:2 pu:1(indexes=" + first + "," + second + ")' HWLOC_THISSYSTEM=1 ";
  const CommandResult unbound =
      run_command(environment + "OMPI_MCA_odls_base_sigkill_timeout=0 " + quoted(DNN_MPIEXEC) +
                  " --bind-to none -n 2 " + train + " --dry-run --domain numa");
  EXPECT_EQ(unbound.exit_code, 2);
  EXPECT_NE(unbound.output.find("--domain numa: a rank may run on cores of 2 NUMA domains; bind"),
            std::string::npos)
      << unbound.output;
}

// oneDNN's own switch makes this processor an older one.
TEST_F(ReproducibleRuns, DoNotDependOnTheLibraryOfProducts) {
  for (const std::string precision : {"float", "double"}) {
    const std::string here = "here-" + precision;
    const std::string older = "older-" + precision;
    const std::string options = "--precision " + precision;
    EXPECT_EQ(run(2, here, options, 1).exit_code, 0);
    environment = "DNNL_MAX_CPU_ISA=SSE41 ";
    EXPECT_EQ(run(2, older, options, 1).exit_code, 0);
    EXPECT_EQ(summary(older)["environment"]["onednn_isa"], "sse41");
    EXPECT_EQ(metrics(older), metrics(here));
    // It goes on without a warning.
    const CommandResult on = run(2, here, options, 2);
    EXPECT_EQ(on.exit_code, 0);
    EXPECT_EQ(on.output.find("warning: the checkpoint"), std::string::npos) << on.output;
    environment.clear();
    const CommandResult compared =
        run_command(model + " compare " + (folder / older) + "/last.dnn " + (folder / here) +
                    "/checkpoints/step-000000000007.ckpt");
    EXPECT_EQ(compared.exit_code, 0) << compared.output;
    EXPECT_NE(compared.output.find("environment: the same"), std::string::npos) << compared.output;
  }
}

TEST_F(ReproducibleRuns, AreTheSameWithOlderInstructions) {
  for (const std::string precision : {"float", "double"}) {
    const std::string options = "--precision " + precision;
    environment.clear();
    EXPECT_EQ(run(2, "newest-" + precision, options, 2).exit_code, 0);
    environment = "DNN_MAX_ISA=avx2 ";
    EXPECT_EQ(run(3, "avx2-" + precision, options, 2).exit_code, 0);
    EXPECT_EQ(metrics("avx2-" + precision), metrics("newest-" + precision));
  }
  environment = "DNN_MAX_ISA=avx3 OMPI_MCA_odls_base_sigkill_timeout=0 ";
  const CommandResult wrong = run(1, "wrong", "", 1);
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.output.find("DNN_MAX_ISA is 'avx3'; use avx512, avx2 or portable"),
            std::string::npos)
      << wrong.output;
}

TEST_F(ReproducibleRuns, GoOnAtAnotherNumberOfRanksEachTime) {
  EXPECT_EQ(run(2, "whole").exit_code, 0);
  int epochs = 0;
  for (const int ranks : {1, 8, 3, 2}) {
    const CommandResult result = run(ranks, "pieces", "", ++epochs);
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }
  EXPECT_EQ(metrics("pieces"), metrics("whole"));
}

TEST_F(ReproducibleRuns, TellRanksThatIdleAndRefuseAnotherCut) {
  const CommandResult uneven = run(3, "uneven", "--logical-shards 4");
  EXPECT_NE(uneven.output.find("some ranks have 2 shards of a batch and some 1"), std::string::npos)
      << uneven.output;
  const CommandResult idle = run(4, "run", "--logical-shards 3");
  EXPECT_EQ(idle.exit_code, 0);
  EXPECT_NE(idle.output.find("1 rank more than logical shards, which have no work"),
            std::string::npos)
      << idle.output;
  const CommandResult other = run(4, "run", "--logical-shards 5", 5);
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.output.find("logical-shards: was 3, is 5"), std::string::npos) << other.output;
}

}  // namespace
}  // namespace dnn::test
