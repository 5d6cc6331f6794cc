// dnn_train --model-parallel as a user runs it, and what the other programs make of its models.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

TEST(ModelParallel, GivesTheModelThatOneRankGives) {
  const TemporaryFolder folder;
  const std::string options = " --epochs 3 --precision double --hidden 256,64 --output ";
  const CommandResult one = run_command(train + options + (folder / "one"));
  ASSERT_EQ(one.exit_code, 0) << one.output;
  const CommandResult split =
      run_command(mpirun(4) + train + " --model-parallel 2" + options + (folder / "split"));
  ASSERT_EQ(split.exit_code, 0) << split.output;
  const auto a = summary_of(folder / "one");
  const auto b = summary_of(folder / "split");
  for (const char* what : {"evaluation_of_best", "evaluation_of_last"}) {
    EXPECT_NEAR(a[what]["loss"], b[what]["loss"], 1e-9);
    EXPECT_EQ(a[what]["accuracy"], b[what]["accuracy"]);
    EXPECT_EQ(a[what]["top5_accuracy"], b[what]["top5_accuracy"]);
  }
  EXPECT_EQ(a["parameters"], b["parameters"]);
  EXPECT_EQ(read_file(folder / "one/confusion.csv"), read_file(folder / "split/confusion.csv"));

  // The saved model is a whole one.
  const auto predict_with = [&](int ranks, const char* model_of) {
    return run_command(mpirun(ranks) + predict + " --overwrite --data builtin:digits --model " +
                       (folder / model_of) + "/model.dnn --output " + (folder / "p.csv"))
        .output;
  };
  const std::string expected = predict_with(1, "one");
  EXPECT_NE(expected.find("accuracy"), std::string::npos) << expected;
  EXPECT_EQ(predict_with(1, "split"), expected);
  EXPECT_EQ(predict_with(3, "split"), expected);
}

TEST(ModelParallel, AnotherGridGoesOnWithTheRun) {
  const TemporaryFolder folder;
  const std::string options =
      " --lr-schedule constant --hidden 32 --precision double --output " + (folder / "run");
  int resumed = 0;
  for (const char* grid :
       {"--model-parallel 2 --epochs 1", "--model-parallel 4 --epochs 2", "--epochs 3"}) {
    const CommandResult result = run_command(mpirun(4) + train + " " + grid + options);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    resumed += count(result.output, "resuming from");
  }
  EXPECT_EQ(resumed, 2);
  const CommandResult one =
      run_command(train +
                  " --epochs 3 --lr-schedule constant --hidden 32 --precision double "
                  "--output " +
                  (folder / "one"));
  ASSERT_EQ(one.exit_code, 0) << one.output;
  EXPECT_NEAR(summary_of(folder / "run")["evaluation_of_last"]["loss"],
              summary_of(folder / "one")["evaluation_of_last"]["loss"], 1e-9);
}

// 3,100 classes are 3 blocks: one on each model shard, or 2 and 1, or all on one rank.
TEST(ModelParallel, GivesTheSameModelInEveryGrid) {
  const TemporaryFolder folder;
  const CommandResult made =
      run_command(make_many_classes + " --classes 3100 --features 64 --active 4" +
                  std::string(" --samples-per-class 1 --test-samples 200 --train ") +
                  (folder / "train") + " --test " + (folder / "test"));
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const std::string options = train + " --data " + (folder / "train") + " --test-data " +
                              (folder / "test") +
                              " --hidden 48 --dropout 0.1 --batch-size 300 --lr-schedule constant";
  const auto run = [&](int ranks, const std::string& more, const std::string& name) {
    const CommandResult result = run_command((ranks > 1 ? mpirun(ranks) : std::string()) + options +
                                             more + " --output " + (folder / name));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return summary_of(folder / name);
  };
  const auto one = run(1, " --epochs 2", "one");
  const auto expect_same = [&one](const nlohmann::json& other, const std::string& what) {
    for (const char* key :
         {"sha256_best", "sha256_last", "evaluation_of_best", "evaluation_of_last"}) {
      EXPECT_EQ(other.at(key), one.at(key)) << what << ": " << key;
    }
  };
  int runs = 0;
  for (const auto& [ranks, m, exchange] : {std::tuple(2, 2, "auto"),
                                           {6, 3, "tree"},
                                           {6, 2, "overlap"},
                                           {4, 2, "node"},
                                           {4, 4, "auto"}}) {
    const std::string grid =
        " --model-parallel " + std::to_string(m) + " --exchange " + std::string(exchange);
    expect_same(run(ranks, grid + " --epochs 2", std::to_string(++runs)),
                std::to_string(ranks) + " ranks," + grid);
  }
  // Each epoch in another grid.
  run(2, " --epochs 1 --model-parallel 2", "resumed");
  expect_same(run(3, " --epochs 2 --model-parallel 3", "resumed"), "resumed");
}

TEST(ModelParallel, DryRunTellsTheRuleAndEachLayersShare) {
  const CommandResult result = run_command(
      mpirun(2) + train + " --dry-run --hidden 512,64,32 --model-parallel 2 --split-hidden");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* part :
       {"1 data x 2 model shards", "split:    the last layer by its classes", "128 nodes",
        "layer 1:  61 x 512, by columns: 15,872 parameters", "layer 2:  512 x 64, by rows",
        "layer 3:  64 x 32, whole", "layer 4:  32 x 10, by columns: 165 parameters",
        "in the model group", "shard 0:"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << '\n' << result.output;
  }
}

TEST(ModelParallel, DryRunTellsTheBlocksOfClasses) {
  const CommandResult result =
      run_command(mpirun(2) + train + " --dry-run --hidden 512,64 --model-parallel 2");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* part :
       {"only 1 of 2 model shards hold", "by its classes, in 1 block; hidden layers whole",
        "layer 2:  512 x 64, whole", "layer 3:  64 x 10, by columns: 650 parameters"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << '\n' << result.output;
  }
}

TEST(ModelParallel, WhatCannotWorkSaysWhy) {
  const CommandResult result = run_command(mpirun(4) + train + " --model-parallel 3");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("4 ranks are no whole number of groups of 3; use one of 1, 2, 4"),
            std::string::npos)
      << result.output;
}

TEST(ModelParallel, BadNumbersAreToldOnceWithSampleClassAndRank) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command(mpirun(4) + train + " --model-parallel 2 --optimizer sgd --lr 1e30 --output " +
                  (folder / "run"));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, "is not finite"), 1) << result.output;
  for (const char* part : {"rank ", "the logit of a class is NaN or +inf, class '", "samples "}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << '\n' << result.output;
  }
}

}  // namespace
}  // namespace dnn::test
