#include "dnn/comm/node_barrier.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

/// Every rank counts in a place of its own and, after each barrier, must see all others' counts of
/// this round, and, after the next one, nobody's of a later round.
void count_together(bool shared_cores, int rounds, bool dawdle) {
  Node node(world());
  {
    NodeBarrier barrier(node, shared_cores);
    const auto bytes =
        node.allocate_shared(sizeof(std::int64_t) * static_cast<std::size_t>(node.size()));
    const std::span<std::int64_t> counts(reinterpret_cast<std::int64_t*>(bytes.data()),
                                         static_cast<std::size_t>(node.size()));
    counts[static_cast<std::size_t>(node.rank())] = 0;
    node.synchronize();
    for (std::int64_t round = 1; round <= rounds; ++round) {
      if (dawdle && round % node.size() == node.rank()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the others fall asleep
      }
      counts[static_cast<std::size_t>(node.rank())] = round;
      barrier.wait();
      for (const std::int64_t count : counts) {
        EXPECT_EQ(count, round);
      }
      barrier.wait();
    }
  }
  node.close();
}

TEST(NodeBarrier, HoldsEveryRankUntilAllAreThere) {
  count_together(false, 500, false);
}
TEST(NodeBarrier, HoldsWhereRanksShareCores) {
  count_together(true, 2000, false);
}
TEST(NodeBarrier, WakesWhoFellAsleep) {
  count_together(true, 50, true);
  count_together(false, 50, true);
}

}  // namespace
}  // namespace dnn
