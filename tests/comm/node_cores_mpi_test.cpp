#include "dnn/comm/node_cores.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>

#include "dnn/comm/node.hpp"
#include "support/mpi_world.hpp"
#include "support/temporary_folder.hpp"

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

TEST(CpuQuota, IsTheLeastOfTheGroupsOfEitherVersion) {
  const test::TemporaryFolder second;
  const test::TemporaryFolder first;
  for (const auto* root : {&second, &first}) {
    std::filesystem::create_directories(*root / "proc/self");
    std::filesystem::create_directories(*root / "sys/fs/cgroup/jobs/job7");
    std::filesystem::create_directories(*root / "sys/fs/cgroup/cpu/jobs/job7");
  }
  second.write("proc/self/cgroup", "0::/jobs/job7\n");
  EXPECT_EQ(cpu_quota(second.path()), 0U);
  second.write("sys/fs/cgroup/jobs/job7/cpu.max", "max 100000\n");
  second.write("sys/fs/cgroup/jobs/cpu.max", "350000 100000\n");
  EXPECT_EQ(cpu_quota(second.path()), 3U);
  second.write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(cpu_quota(second.path()), 1U);
  first.write("proc/self/cgroup", "5:memory:/jobs\n4:cpu,cpuacct:/jobs/job7\n");
  first.write("sys/fs/cgroup/cpu/jobs/job7/cpu.cfs_quota_us", "-1\n");
  first.write("sys/fs/cgroup/cpu/jobs/job7/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(first.path()), 0U);
  first.write("sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", "200000\n");
  first.write("sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(first.path()), 2U);
}

}  // namespace
}  // namespace dnn
