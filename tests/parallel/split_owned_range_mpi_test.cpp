#include "dnn/parallel/split_owned_range.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

/// Expects the shares of all ranks to cover [0, size) once, each inside what its rank owns.
void expect_covered(std::size_t size, Range own) {
  const Range share = split_owned_range(world(), own);
  EXPECT_EQ(intersect(share, own), share);
  std::vector<std::uint64_t> times(size);
  for (std::size_t i = share.begin; i < share.end; ++i) {
    times[i] = 1;
  }
  world().all_reduce(std::span(times), Reduction::sum);
  EXPECT_EQ(times, std::vector<std::uint64_t>(size, 1));
}

TEST(ShareOfOwn, SlicesOfAllRanks) {
  for (const std::size_t size : {1UL, 5UL, 1000UL}) {  // some ranks have nothing
    expect_covered(size, part_of(size, static_cast<std::size_t>(world().size()),
                                 static_cast<std::size_t>(world().rank())));
  }
}

TEST(ShareOfOwn, WhatEveryRankHas) {
  expect_covered(100, {0, 100});
}

// As with two slices on every node: ranks 0, 2, 4, ... have the first, the others the second.
TEST(ShareOfOwn, SlicesThatSeveralNodesHave) {
  const std::size_t slices = world().size() == 1 ? 1 : 2;
  expect_covered(77, part_of(77, slices, static_cast<std::size_t>(world().rank()) % slices));
}

}  // namespace
}  // namespace dnn
