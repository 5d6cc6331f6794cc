#include "dnn/comm/node_cores.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>

#include "dnn/comm/node.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

TEST(NodeCores, CountsThisRanksAndTheNodesTogether) {
  const Node node(world());
  const NodeCores cores = NodeCores::find(node.ranks());
  cpu_set_t mine;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(mine), &mine), 0);
  EXPECT_LE(cores.own, static_cast<std::size_t>(CPU_COUNT(&mine)));
  EXPECT_GE(cores.own, 1U);
  EXPECT_GE(cores.node, cores.own);
}

TEST(NodeCores, RanksOnDifferentCoresAddUpAndRanksOnTheSameDoNot) {
  const Node node(world());
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(before), &before), 0);
  int first = 0;
  while (first < CPU_SETSIZE && !CPU_ISSET(first, &before)) {
    ++first;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  EXPECT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
  const NodeCores cores = NodeCores::find(node.ranks());
  EXPECT_EQ(cores.own, 1U);
  EXPECT_GE(cores.node,
            1U);  // each rank's first core, which mpirun's binding may have made different
  EXPECT_LE(cores.node, static_cast<std::size_t>(node.size()));
  EXPECT_EQ(::sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST(CpuQuota, IsNothingOrAtLeastOneCore) {
  const std::size_t quota = cpu_quota();
  EXPECT_TRUE(quota == 0 || quota >= 1);
}

}  // namespace
}  // namespace dnn
