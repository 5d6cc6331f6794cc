// What a plan says of memory.

#include "dnn/plan/run_plan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/plan/load_data.hpp"
#include "support/expect_error.hpp"
#include "support/open_grid.hpp"
#include "support/shared_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::OpenGrid;
using test::SharedFolder;
using test::world;

RunPlan plan_of(const Config& config) {
  OpenGrid of(world(), config.model_parallel);
  RunPlan plan = [&] {
    const TrainingData data = load_data(config, of.grid);
    return RunPlan::make(config, of.grid, data);
  }();
  of.close();
  return plan;
}

TEST(RunPlan, DataInAFileAreNoMemoryOfTheNode) {
  const SharedFolder scratch;
  Config config;
  config.placement = Placement::node;
  const RunPlan in_memory = plan_of(config);
  EXPECT_GT(in_memory.node_bytes, 0U);
  EXPECT_EQ(in_memory.mapped_bytes, 0U);
  config.placement = Placement::disk;
  config.scratch = scratch.path();
  const RunPlan on_disk = plan_of(config);
  EXPECT_EQ(on_disk.node_bytes, 0U);
  EXPECT_EQ(on_disk.mapped_bytes, in_memory.node_bytes);
  EXPECT_EQ(on_disk.rank_bytes, in_memory.rank_bytes);
}

TEST(RunPlan, RanksOfANodeThatNeedMoreThanItHasAreRefused) {
  constexpr std::size_t mib = std::size_t{1} << 20;
  require_node_memory(100 * mib, 80 * mib, 3);
  expect_error<InputError>(
      [] { require_node_memory(100 * mib, 79 * mib, 3); },
      {"host ", "3 ranks need about 100.0 MiB", "79.0 MiB more", "fewer ranks a node"});
  expect_error<InputError>([] { require_node_memory(2, 1, 1); }, {"its rank needs"});
}

// Not every run saves: a library's steps, folds and replays do not.
TEST(RunPlan, WhatARunMaySaveIsNoReasonToRefuseIt) {
  Config config;
  config.exchange = ExchangeKind::allreduce;
  config.optimizer = OptimizerKind::adam;
  const auto available =
      static_cast<double>(world().all_reduce<std::uint64_t>(available_memory(), Reduction::min));
  constexpr double copies = 4;  // values, gradients, two moments
  const double parameters = 0.95 * available / world().size() / copies / sizeof(float);
  const auto width = static_cast<std::size_t>(std::sqrt(parameters));
  config.hidden = {width, width};
  const RunPlan plan = plan_of(config);
  EXPECT_GT(static_cast<double>(plan.rank_bytes), 0.95 * available / world().size());
  EXPECT_GT(plan.checkpoint_bytes, plan.rank_bytes / 2);
}

// Each rank alone could hold its parameters.
TEST(RunPlan, ARankThatFitsIsRefusedWhereAllTogetherDoNot) {
  Config config;
  config.exchange = ExchangeKind::allreduce;
  config.optimizer = OptimizerKind::sgd;
  constexpr double copies = 2;  // values and gradients
  const auto available =
      static_cast<double>(world().all_reduce<std::uint64_t>(available_memory(), Reduction::min));
  const auto width = static_cast<std::size_t>(std::sqrt(0.8 * available / copies / sizeof(float)));
  config.hidden = {width, width};
  OpenGrid alone(test::self(), 1);
  {
    const TrainingData data = load_data(config, alone.grid);
    EXPECT_NO_THROW((void)RunPlan::make(config, alone.grid, data));
  }
  alone.close();
  OpenGrid of(world(), 1);
  {
    const TrainingData data = load_data(config, of.grid);
    expect_error<AgreedError>([&] { (void)RunPlan::make(config, of.grid, data); },
                              {"ranks need about", "fewer ranks a node"});
  }
  of.close();
}

}  // namespace
}  // namespace dnn
