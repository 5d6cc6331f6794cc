#include "dnn/comm/node.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

TEST(Node, HoldsTheRanksOfThisMachineAndOneLeader) {
  const Node node(world());
  EXPECT_EQ(node.size(), world().size());
  EXPECT_EQ(node.is_leader(), world().rank() == 0);
}

TEST(Node, SharedMemoryIsOneAndTheSame) {
  Node node(world());
  const std::span<std::byte> first = node.allocate_shared(1000);
  const std::span<std::byte> second = node.allocate_shared(node.is_leader() ? 64 : 0);
  EXPECT_EQ(first.size(), 1000U);
  EXPECT_EQ(second.size(), 64U);  // the leader's size counts
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first.data()) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second.data()) % 64, 0U);
  // Each rank writes its own byte, and reads everyone's.
  first[static_cast<std::size_t>(node.rank())] = static_cast<std::byte>(node.rank() + 1);
  node.synchronize();
  for (int rank = 0; rank < node.size(); ++rank) {
    EXPECT_EQ(first[static_cast<std::size_t>(rank)], static_cast<std::byte>(rank + 1));
  }
  node.close();
}

}  // namespace
}  // namespace dnn
