// What quickstart.sh promises: Fashion-MNIST, 784-512-256-10, at least 90 % of the test images.

#include <gtest/gtest.h>

#include <filesystem>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

TEST(FashionMnist, QuickstartsSettingsReachNinetyPercentWithinTwentyEpochs) {
  ASSERT_TRUE(std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
      << "the data are missing; on Debian: apt-get install dataset-fashion-mnist";
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const CommandResult result =
      run_command(mpirun(2) + train_by_data + " --config " +
                  quoted(DNN_SOURCE "/launch/fashion_mnist.toml") + " --output " + out);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto summary = summary_of(out);
  EXPECT_EQ(summary["configuration"]["hidden"], (std::vector<int>{512, 256}));
  EXPECT_LE(summary["configuration"]["epochs"], 20);
  EXPECT_EQ(summary["evaluation_of_best"]["samples"], 10000);
  EXPECT_GE(summary["evaluation_of_best"]["accuracy"].get<double>(), 0.90);
}

}  // namespace
}  // namespace dnn::test
