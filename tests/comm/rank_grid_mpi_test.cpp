#include "dnn/comm/rank_grid.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

TEST(RankGrid, EveryRankHasAPlaceOfItsOwn) {
  const auto ranks = static_cast<std::size_t>(world().size());
  for (std::size_t m = 1; m <= ranks; ++m) {
    if (ranks % m != 0) {
      continue;
    }
    Node node(world());
    {
      RankGrid grid(world(), node, m);
      EXPECT_EQ(grid.is_split(), m > 1);
      EXPECT_EQ(grid.data_shards() * grid.model_ranks(), ranks);
      EXPECT_LT(grid.model_shard(), m);
      EXPECT_EQ(grid.data_group().size(), static_cast<int>(grid.data_shards()));
      if (grid.is_split()) {
        EXPECT_EQ(grid.model_group().size(), static_cast<int>(m));
      }
      std::vector<std::uint64_t> counts(ranks);
      counts[grid.data_shard() * m + grid.model_shard()] = 1;
      world().all_reduce(std::span(counts), Reduction::sum);
      EXPECT_EQ(counts, std::vector<std::uint64_t>(ranks, 1));
      if (world().is_root()) {
        EXPECT_EQ(grid.data_shard(), 0U);
        EXPECT_EQ(grid.model_shard(), 0U);
      }
      if (node.size() == world().size()) {
        EXPECT_TRUE(grid.is_even());
        EXPECT_EQ(grid.crossing_groups(), 0U);
      }
      grid.close();
    }
    node.close();
  }
}

// Two domains on each node, as on two sockets; odd numbers of ranks make them uneven.
TEST(RankGrid, TheRanksOfADomainShareMemory) {
  const int domain = world().rank() % 2;
  const auto ranks = static_cast<std::size_t>(world().size());
  for (std::size_t m = 1; m <= ranks; ++m) {
    if (ranks % m != 0) {
      continue;
    }
    Node node(world());
    {
      RankGrid grid(world(), node, m, domain);
      EXPECT_EQ(grid.has_split_nodes(), grid.domains() > grid.nodes());
      if (node.size() == world().size()) {
        EXPECT_EQ(grid.nodes(), 1U);
        EXPECT_EQ(grid.domains(), ranks > 1 ? 2U : 1U);
      }
      Node& shared = grid.data_domain();
      const std::int64_t same = shared.ranks().all_reduce<std::int64_t>(domain, Reduction::sum);
      EXPECT_EQ(same, domain * shared.size());  // no rank of the other domain is in it
      const std::int64_t members = grid.data_group().all_reduce<std::int64_t>(
          shared.is_leader() ? shared.size() : 0, Reduction::sum);
      EXPECT_EQ(members, grid.data_group().size());  // and none is left out
      grid.close();
    }
    node.close();
  }
}

TEST(RankGrid, SaysWhatDoesNotDivide) {
  Node node(world());
  const auto too_many = static_cast<std::size_t>(world().size()) + 1;
  test::expect_error<InputError>([&] { RankGrid(world(), node, too_many); },
                                 {"--model-parallel", "use one of 1"});
  test::expect_error<InputError>([&] { RankGrid(world(), node, 0); }, {"--model-parallel 0"});
  node.close();
}

}  // namespace
}  // namespace dnn
