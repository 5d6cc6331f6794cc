#include "dnn/train/nonfinite_policy.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using Action = NonfinitePolicy::Action;

const std::vector<std::string> no_names;

NonfinitePolicy policy_of(OnNonfinite policy) {
  return {policy, test::world(), no_names, ""};
}

Action decide(NonfinitePolicy& policy, std::uint64_t update) {
  return policy.decide({update, 1, update}, std::nullopt);
}

TEST(NonfinitePolicy, TenUpdatesInARowAreLeftOutAndNoMore) {
  NonfinitePolicy policy = policy_of(OnNonfinite::skip);
  for (int series = 0; series < 2; ++series) {
    for (std::uint64_t update = 1; update <= 10; ++update) {
      EXPECT_EQ(decide(policy, update), Action::skip);
    }
    if (series == 0) {
      policy.note_good();
    }
  }
  EXPECT_EQ(decide(policy, 11), Action::abort);
  EXPECT_NE(policy.reason_to_end("").find("More than 10 updates in a row"), std::string::npos);
}

/// What becomes of bad updates 1 to `bad` where the newest checkpoint lies `good` updates before.
Action end_of_rollbacks(std::uint64_t bad, std::uint64_t good) {
  NonfinitePolicy policy = policy_of(OnNonfinite::rollback);
  Action action = Action::roll_back;
  while (action == Action::roll_back) {
    if (good > 0) {
      policy.note_good();
    }
    action = Action::skip;
    for (std::uint64_t update = 1; update <= bad && action == Action::skip; ++update) {
      action = decide(policy, update);
    }
  }
  return action;
}

// Where checkpoints lie depends on the time.
TEST(NonfinitePolicy, WhatEndsARunDoesNotDependOnWhereTheCheckpointLies) {
  for (std::uint64_t bad = 1; bad <= 12; ++bad) {
    EXPECT_EQ(end_of_rollbacks(bad, 0), end_of_rollbacks(bad, 1)) << bad;
    EXPECT_EQ(end_of_rollbacks(bad, 0), bad <= 10 ? Action::skip : Action::abort) << bad;
  }
}

}  // namespace
}  // namespace dnn
