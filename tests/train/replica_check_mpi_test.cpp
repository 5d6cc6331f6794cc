#include "dnn/train/replica_check.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

/// The message that every rank throws where the ranks of `others` have another value; none: empty.
std::string message_with(const std::vector<int>& others) {
  std::vector<double> values(1000, 1.5);
  for (const int rank : others) {
    if (rank == world().rank()) {
      values[999] = 1.5000000000000002;  // its last bit is another one
    }
  }
  try {
    check_replicas(world(), {{0, {std::as_bytes(std::span(values))}}});
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

TEST(ReplicaCheck, AcceptsReplicas) {
  EXPECT_EQ(message_with({}), "");
}

TEST(ReplicaCheck, NamesTheRankThatDiffersOnAllRanks) {
  const int size = world().size();
  for (int other = 0; size > 2 && other < size; ++other) {
    const std::string message = message_with({other});
    EXPECT_NE(message.find("those of rank " + std::to_string(other) + " (host " + host_name()),
              std::string::npos)
        << message;
    EXPECT_EQ(message.find("rank " + std::to_string((other + 1) % size) + " (host"),
              std::string::npos);
  }
}

TEST(ReplicaCheck, SaysSoWhereThereIsNoMajority) {
  if (world().size() == 2) {
    EXPECT_NE(message_with({1}).find("no majority of ranks 0 (host"), std::string::npos);
  } else if (world().size() == 1) {
    EXPECT_EQ(message_with({0}), "");
  }
}

}  // namespace
}  // namespace dnn
