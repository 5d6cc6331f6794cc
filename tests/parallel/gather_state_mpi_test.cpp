#include "dnn/parallel/gather_state.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

std::vector<double> numbered(Range range) {
  std::vector<double> values;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    values.push_back(static_cast<double>(i) + 0.5);
  }
  return values;
}

void expect_gathered(std::size_t size, Range own) {
  const std::vector<double> mine = numbered(own);
  std::vector<double> whole(world().is_root() ? size : 0);
  gather_state<double>(world(), own, mine, whole);
  if (world().is_root()) {
    EXPECT_EQ(whole, numbered({0, size}));
  }
}

TEST(GatherState, SlicesOfAllRanks) {
  for (const std::size_t size : {1UL, 5UL, 1000UL}) {  // some ranks have nothing
    expect_gathered(size, part_of(size, static_cast<std::size_t>(world().size()),
                                  static_cast<std::size_t>(world().rank())));
  }
}

TEST(GatherState, WhatEveryRankHas) {
  expect_gathered(100, {0, 100});
}

// As with two slices on every node: ranks 0, 2, 4, ... have the first, the others the second.
TEST(GatherState, SlicesThatSeveralNodesHave) {
  const std::size_t slices = world().size() == 1 ? 1 : 2;
  expect_gathered(77, part_of(77, slices, static_cast<std::size_t>(world().rank()) % slices));
}

}  // namespace
}  // namespace dnn
