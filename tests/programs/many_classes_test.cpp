// Data of thousands of classes, sparse, whose best possible answer is known.

#include <gtest/gtest.h>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

TEST(ManyClasses, AreLearnedAlmostAsWellAsCanBe) {
  const TemporaryFolder folder;
  const std::string files = " --train " + (folder / "train") + " --test " + (folder / "test");
  const CommandResult made =
      run_command(make_many_classes + " --classes 2000 --features 512 --active 16" +
                  " --samples-per-class 8 --test-samples 2000" + files);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_NE(made.output.find("100.00 % of the test samples (2000 of 2000)"), std::string::npos);
  const CommandResult result = run_command(
      mpirun(2) + train + " --data " + (folder / "train") + " --test-data " + (folder / "test") +
      " --hidden 64 --epochs 6 --lr 0.005 --normalize none --validation 0 --output " +
      (folder / "run"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto summary = summary_of(folder / "run");
  EXPECT_EQ(summary["network"], (std::vector<int>{512, 64, 2000}));
  EXPECT_GE(summary["evaluation_of_best"]["accuracy"].get<double>(), 0.98);
  // Above 1,000 classes the confusion matrix lists what happened, not all that could have.
  EXPECT_EQ(read_file(folder / "run/confusion.csv").substr(0, 21), "true,predicted,count\n");
}

TEST(ManyClasses, FollowFromTheSeedAlone) {
  const TemporaryFolder folder;
  const auto made = [&](const std::string& name, int seed) {
    const std::string train_file = folder / name;
    const CommandResult result = run_command(
        make_many_classes + " --classes 50 --features 64 --active 4 --test-samples 10 --seed " +
        std::to_string(seed) + " --train " + train_file + " --test " + (folder / (name + "t")));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return read_file(train_file) + read_file(folder / (name + "t"));
  };
  EXPECT_EQ(made("a", 1), made("b", 1));
  EXPECT_NE(made("a", 1), made("c", 2));
}

TEST(ManyClasses, RefuseWhatCannotBeMade) {
  const TemporaryFolder folder;
  const std::string files = " --train " + (folder / "train") + " --test " + (folder / "test");
  const CommandResult few =
      run_command(make_many_classes + " --classes 50 --features 8 --active 2" + files);  // 28 codes
  EXPECT_EQ(few.exit_code, 2);
  EXPECT_NE(few.output.find("too few codes"), std::string::npos) << few.output;
  EXPECT_EQ(run_command(make_many_classes + " --features 8 --active 5" + files).exit_code, 2);
}

}  // namespace
}  // namespace dnn::test
