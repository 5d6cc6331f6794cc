// Sums along the tree over logical shards, by every exchange: see Note [One tree over logical
// shards].
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "dnn/comm/node.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/parallel/make_exchange.hpp"
#include "support/exact_integer.hpp"
#include "support/mpi_world.hpp"

namespace dnn::test {
namespace {

/// Steele et al., OOPSLA 2014 (SplitMix64): a mixer of 64 bits.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Element `i` of the gradients of logical shard `shard`: any exponent that leaves room for a sum.
template <class T>
T gradient(std::size_t i, std::size_t shard, int trial) {
  const std::uint64_t bits =
      mix(i * 0x9E3779B97F4A7C15U + shard * 7919 + static_cast<std::uint64_t>(trial));
  constexpr std::uint64_t exponents = std::is_same_v<T, float> ? 230 : 2000;
  // In half of the trials close to each other, so that every addition rounds.
  const int exponent = static_cast<int>(trial % 2 == 0 ? mix(bits) % exponents : mix(bits) % 8) -
                       (trial % 2 == 0 ? static_cast<int>(exponents) / 2 : 0);
  const double mantissa = static_cast<double>(bits >> 11) / 4503599627370496.0;  // 0 to 2
  return static_cast<T>(std::ldexp(mantissa - 1, exponent));
}

/// The tree's sum as its definition says it.
template <class T>
T along_tree(Range node, std::size_t i, int trial) {
  if (node.size() == 1) {
    return gradient<T>(i, node.begin, trial);
  }
  std::size_t half = 1;
  while (2 * half < node.size()) {
    half *= 2;
  }
  return along_tree<T>({node.begin, node.begin + half}, i, trial) +
         along_tree<T>({node.begin + half, node.end}, i, trial);
}

/// Fills what this rank has of the tree, in the order that a training step announces it.
template <class T>
void compute(GradientExchange<T>& exchange, std::size_t shards, std::size_t size, int trial) {
  const std::vector<Range> nodes =
      tree_nodes(shards, part_of(shards, static_cast<std::size_t>(world().size()),
                                 static_cast<std::size_t>(world().rank())));
  for (std::size_t part = 3; part-- > 0;) {
    const Range range = part_of(size, 3, part);
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      for (std::size_t i = range.begin; i < range.end; ++i) {
        exchange.part(n)[i] = along_tree<T>(nodes[n], i, trial);
      }
    }
    exchange.ready(range);
  }
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
class TreeExchangeOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(TreeExchangeOf, Elements);

TYPED_TEST(TreeExchangeOf, EveryStrategyGivesTheTreesBits) {
  using T = TypeParam;
  for (const ExchangeKind kind : {ExchangeKind::tree, ExchangeKind::overlap, ExchangeKind::node}) {
    for (const std::size_t shards : {1U, 2U, 5U, 8U, 13U}) {
      for (const std::size_t size : {1U, 40U, 600U}) {
        Node node(world());
        {
          ExchangeSettings settings{kind, 64 * sizeof(T), false, true};
          settings.logical_shards = shards;
          const auto choice = choose_exchange(settings, world(), node, size * sizeof(T));
          const auto exchange = make_exchange<T>(choice, settings, world(), node, size);
          for (int trial = 0; trial < 3; ++trial) {
            compute(*exchange, shards, size, trial);
            EXPECT_TRUE(exchange->combine(true));
            const Range own = exchange->own();
            std::size_t wrong = 0;
            for (std::size_t i = own.begin; i < own.end; ++i) {
              wrong +=
                  same_bits(exchange->gradients()[i], along_tree<T>({0, shards}, i, trial)) ? 0 : 1;
            }
            EXPECT_EQ(wrong, 0U) << shards << " shards, " << size << " elements";
            exchange->publish();
          }
        }
        node.close();
      }
    }
  }
}

// With ranks that have several nodes of the tree, one, or none.
TYPED_TEST(TreeExchangeOf, MpisOwnSumIsTheTreesToRounding) {
  using T = TypeParam;
  constexpr std::size_t size = 40;
  for (const std::size_t shards : {1U, 2U, 5U, 8U, 13U}) {
    Node node(world());
    {
      ExchangeSettings settings{ExchangeKind::allreduce};
      settings.logical_shards = shards;
      const auto exchange = make_exchange<T>(choose_exchange(settings, world(), node, size),
                                             settings, world(), node, size);
      for (const int trial : {1, 3}) {  // numbers near each other
        compute(*exchange, shards, size, trial);
        EXPECT_TRUE(exchange->combine(true));
        for (std::size_t i = 0; i < size; ++i) {
          const double expected = along_tree<T>({0, shards}, i, trial);
          EXPECT_NEAR(exchange->gradients()[i], expected, sizeof(T) == 4 ? 1e-3 : 1e-12) << shards;
        }
        exchange->publish();
      }
    }
    node.close();
  }
}

TYPED_TEST(TreeExchangeOf, ARankWithBadNumbersIsHeardByAll) {
  using T = TypeParam;
  constexpr std::size_t size = 100;
  for (const ExchangeKind kind :
       {ExchangeKind::allreduce, ExchangeKind::tree, ExchangeKind::overlap, ExchangeKind::node}) {
    Node node(world());
    {
      const auto shards = static_cast<std::size_t>(world().size()) + 2;
      ExchangeSettings settings{kind, 64 * sizeof(T), false, true};
      settings.logical_shards = shards;
      const auto exchange = make_exchange<T>(choose_exchange(settings, world(), node, size),
                                             settings, world(), node, size);
      for (const int bad : {-1, 0, world().size() - 1, -1}) {
        compute(*exchange, shards, size, 1);
        EXPECT_EQ(exchange->combine(bad != world().rank()), bad == -1);
        exchange->publish();
      }
    }
    node.close();
  }
}

// What the sum through MPI_Allreduce is not: with as many shards as ranks its bits are those of
// MPI's order, and they do not stay when the same shards lie on other ranks.
TYPED_TEST(TreeExchangeOf, PlainSumsDoNotGiveTheSameBits) {
  using T = TypeParam;
  constexpr std::size_t size = 1000;
  const auto ranks = static_cast<std::size_t>(world().size());
  std::size_t different = 0;
  std::vector<T> first;
  for (std::size_t turn = 0; turn < ranks; ++turn) {
    const std::size_t shard = (static_cast<std::size_t>(world().rank()) + turn) % ranks;
    std::vector<T> sums(size);
    for (std::size_t i = 0; i < size; ++i) {
      sums[i] = gradient<T>(i, shard, 1);
    }
    world().all_reduce(std::span(sums), Reduction::sum);
    first = turn == 0 ? sums : first;
    different += first == sums ? 0 : 1;
  }
  if (world().size() < 3) {
    EXPECT_EQ(different, 0U);  // two numbers have one sum
  } else {
    EXPECT_GT(different, 0U);
  }
}

// |sum - Σ| <= (depth of the tree) · ε/2 · Σ|g|, and half the smallest number an addition.
TYPED_TEST(TreeExchangeOf, TheErrorIsAFewRoundingsOfTheMagnitudes) {
  using T = TypeParam;
  for (std::size_t shards = 1; shards < 40; ++shards) {
    for (int trial = 0; trial < 20; ++trial) {
      Integer exact = 0;
      Integer magnitudes = 0;
      for (std::size_t shard = 0; shard < shards; ++shard) {
        const Integer g = in_units(static_cast<double>(gradient<T>(trial, shard, trial)));
        exact += g;
        magnitudes += abs(g);
      }
      const auto sum =
          static_cast<double>(along_tree<T>({0, shards}, static_cast<std::size_t>(trial), trial));
      const auto depth = static_cast<unsigned>(std::bit_width(shards - 1));
      const unsigned bits = std::numeric_limits<T>::digits;
      // (1 + u)^depth - 1 <= 1.01 depth u
      EXPECT_LE(abs(in_units(sum) - exact) * 100,
                (Integer(101 * depth) * magnitudes >> bits) + 100);
    }
  }
}

TEST(SumTree, NodesOfAnyLeavesCoverThemOnce) {
  for (std::size_t leaves = 1; leaves < 30; ++leaves) {
    for (std::size_t begin = 0; begin < leaves; ++begin) {
      for (std::size_t end = begin + 1; end <= leaves; ++end) {
        const auto nodes = tree_nodes(leaves, {begin, end});
        std::size_t next = begin;
        for (const Range node : nodes) {
          EXPECT_EQ(node.begin, next);
          next = node.end;
        }
        EXPECT_EQ(next, end);
      }
    }
    EXPECT_EQ(tree_nodes(leaves, {0, leaves}).size(), 1U);
    EXPECT_TRUE(tree_nodes(leaves, {0, 0}).empty());
  }
}

TEST(SumTree, PartsThatDoNotCoverItAreRefused) {
  const std::vector<double> one(4, 1);
  std::vector<double> to(4);
  const std::vector<TreePart<double>> parts = {{{0, 2}, one.data()}, {{3, 4}, one.data()}};
  EXPECT_THROW(sum_along_tree<double>({0, 4}, parts, 4, to.data()), std::invalid_argument);
}

}  // namespace
}  // namespace dnn::test
