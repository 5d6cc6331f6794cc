#include "dnn/comm/node.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_world.hpp"
#include "support/temporary_folder.hpp"

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

TEST(Node, MoreMemoryThanThereIsIsRefusedOnAllRanks) {
  Node node(world());
  test::expect_error<InputError>(
      [&] { (void)node.allocate_shared(std::size_t{1} << 52, "a test"); },
      {"a test needs 4194304.0 GiB of memory, but this job may use "});
  node.close();
}

TEST(SharedMapping, IsOneMemoryFromEitherSourceAndLeavesNoFile) {
  using Source = SharedMapping::Source;
  const test::TemporaryFolder folder;
  ::setenv("TMPDIR", folder.path().c_str(), 1);
  for (const Source source : {Source::unnamed, Source::temporary_file}) {
    constexpr std::size_t bytes = 100'000;
    const SharedMapping mapping = SharedMapping::make(world(), bytes, source);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_EQ(mapping.source(), source);
    EXPECT_EQ(mapping.bytes().size(), bytes);
    const auto own = static_cast<std::size_t>(world().rank());
    mapping.bytes()[bytes - 1 - own] = static_cast<std::byte>(own + 1);
    world().barrier();
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(world().size()); ++rank) {
      EXPECT_EQ(mapping.bytes()[bytes - 1 - rank], static_cast<std::byte>(rank + 1));
    }
    EXPECT_EQ(mapping.bytes()[0], std::byte{0});
    world().barrier();
  }
  ::unsetenv("TMPDIR");
}

TEST(SharedMapping, SaysWhyThereIsNone) {
  ::setenv("TMPDIR", "/no/such/folder", 1);
  test::expect_error<AgreedError>(
      [] { (void)SharedMapping::make(world(), 4096, SharedMapping::Source::temporary_file); },
      {"/no/such/folder: No such file or directory"});
  ::unsetenv("TMPDIR");
}

}  // namespace
}  // namespace dnn
