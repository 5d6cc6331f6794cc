// Every strategy, held against a sum that each rank computes for itself.

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <memory>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/parallel/make_exchange.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

/// What rank `rank` has as element i of its gradient at a step: whole numbers, so that sums are
/// exact.
template <class T>
T gradient(std::size_t i, int rank, int step) {
  return static_cast<T>(static_cast<int>(i % 1009) - 300 + 7 * rank + step);
}

template <class T>
T gradient_sum(std::size_t i, int step) {
  T sum{};
  for (int rank = 0; rank < world().size(); ++rank) {
    sum += gradient<T>(i, rank, step);
  }
  return sum;
}

/// Five steps w -= g / 4 through the exchange, as a training step does them, over flat buffers that
/// are made complete in three ranges, last first.
template <class T>
void five_steps(ExchangeKind kind, std::size_t size, std::size_t bucket_bytes) {
  Node node(world());
  {
    const ExchangeSettings settings{kind, bucket_bytes, false, true};
    const auto choice = choose_exchange(settings, world(), node, size * sizeof(T));
    const auto exchange = make_exchange<T>(choice, settings, world(), node, size);
    exchange->set_values([](std::span<T> values) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<T>(i % 31);
      }
    });
    std::vector<T> expected(exchange->values().begin(), exchange->values().end());
    for (int step = 0; step < 5; ++step) {
      for (std::size_t part = 3; part-- > 0;) {
        const Range range = part_of(size, 3, part);
        for (std::size_t i = range.begin; i < range.end; ++i) {
          exchange->gradients()[i] = gradient<T>(i, world().rank(), step);
        }
        exchange->ready(range);
      }
      EXPECT_TRUE(exchange->combine(true));
      const Range own = exchange->own();
      std::array<std::uint64_t, 2> owned = {own.size(), own.end};
      exchange->reduce_over_owners(owned, Reduction::sum);
      EXPECT_EQ(owned[0], size);
      owned = {own.size(), own.end};
      exchange->reduce_over_owners(owned, Reduction::max);
      EXPECT_EQ(owned[1], size);
      for (std::size_t i = own.begin; i < own.end; ++i) {
        EXPECT_EQ(exchange->gradients()[i], gradient_sum<T>(i, step)) << i;
        exchange->values()[i] -= exchange->gradients()[i] / 4;
      }
      exchange->publish();
      for (std::size_t i = 0; i < size; ++i) {
        expected[i] -= gradient_sum<T>(i, step) / 4;
      }
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), exchange->values().begin()))
          << "step " << step;
    }
  }
  node.close();
}

/// Steps whose gradients are compact: of a matrix of 40 rows of 7, other rows at each step; now and
/// then of its last rows alone, so that most slices have none, and now and then with bad numbers.
template <class T>
void compact_steps(ExchangeKind kind, std::size_t bucket_bytes, std::size_t logical_shards,
                   bool compress = false) {
  constexpr std::size_t rows = 40;
  constexpr std::size_t width = 7;
  constexpr std::size_t size = rows * width + 33;
  const std::vector<std::vector<std::uint32_t>> active = {
      {0, 1, 7, 20, 39}, {}, {38, 39}, {39}, {3, 4, 5, 6, 7, 8, 9, 10}, {0}, {12, 25, 30}};
  Node node(world());
  {
    const ExchangeSettings settings{.kind = kind,
                                    .bucket_bytes = bucket_bytes,
                                    .compress = compress,
                                    .shared_cores = true,
                                    .logical_shards = logical_shards,
                                    .uncompressed = rows * width};
    const auto exchange = make_exchange<T>({kind, ""}, settings, world(), node, size);
    const auto ranks = static_cast<std::size_t>(world().size());
    const Range leaves = part_of(logical_shards, ranks, static_cast<std::size_t>(world().rank()));
    const std::size_t parts =
        logical_shards > 0 ? tree_nodes(logical_shards, leaves).size() : std::size_t{1};
    std::size_t all_parts = parts;
    all_parts = world().all_reduce<std::uint64_t>(all_parts, Reduction::sum);
    for (std::size_t step = 0; step < 4 * active.size(); ++step) {
      const bool all_finite = step % 3 != 2;
      const bool finite = all_finite || world().rank() != world().size() - 1;
      const GradientPlaces places(size, rows, width, active[step % active.size()]);
      exchange->place(places);
      for (const Range range : {Range{rows * width, size}, Range{0, rows * width}}) {
        const Range mine = places.places_of(range);
        for (std::size_t p = 0; p < parts; ++p) {
          for (std::size_t i = mine.begin; i < mine.end; ++i) {
            exchange->part(p)[i] = static_cast<T>(static_cast<int>(i % 100 + step) - 50);
          }
        }
        exchange->ready(range);
      }
      EXPECT_EQ(exchange->combine(finite), all_finite) << step;
      const Range own = places.places_of(exchange->own());
      for (std::size_t i = own.begin; all_finite && i < own.end; ++i) {
        EXPECT_EQ(exchange->gradients()[i],
                  static_cast<T>(all_parts) * static_cast<T>(static_cast<int>(i % 100 + step) - 50))
            << step << ": " << i;
      }
      exchange->publish();
    }
  }
  node.close();
}

/// Steps in which now and then a rank, or all of them, have bad numbers: all ranks hear of it, and
/// the next step is a good one again.
template <class T>
void bad_steps(ExchangeKind kind, std::size_t size, std::size_t bucket_bytes) {
  constexpr int none = -1;
  constexpr int all = -2;
  Node node(world());
  {
    const ExchangeSettings settings{kind, bucket_bytes, false, true};
    const auto choice = choose_exchange(settings, world(), node, size * sizeof(T));
    const auto exchange = make_exchange<T>(choice, settings, world(), node, size);
    for (const int bad : {none, 0, world().size() - 1, none, all, world().size() / 2, none}) {
      const bool finite = bad != all && bad != world().rank();
      for (std::size_t part = 3; part-- > 0;) {
        const Range range = part_of(size, 3, part);
        for (std::size_t i = range.begin; i < range.end; ++i) {
          exchange->gradients()[i] = finite ? T{1} : std::numeric_limits<T>::infinity();
        }
        exchange->ready(range);
      }
      EXPECT_EQ(exchange->combine(finite), bad == none) << "bad: " << bad;
      const Range own = exchange->own();
      for (std::size_t i = own.begin; bad == none && i < own.end; ++i) {
        EXPECT_EQ(exchange->gradients()[i], static_cast<T>(world().size())) << i;
      }
      exchange->publish();
    }
  }
  node.close();
}

template <class T>
class ExchangeOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ExchangeOf, Elements);

TYPED_TEST(ExchangeOf, AllreduceSumsAndPublishes) {
  five_steps<TypeParam>(ExchangeKind::allreduce, 1003, 64);
}
TYPED_TEST(ExchangeOf, NodeSumsAndPublishes) {
  for (const std::size_t size : {1U, 15U, 48U, 1003U, 100'000U}) {
    five_steps<TypeParam>(ExchangeKind::node, size, 64);
  }
}
TYPED_TEST(ExchangeOf, OverlapSumsAndPublishesWithAnyBucket) {
  for (const std::size_t bucket : {1U, 1000U, 4096U, 1U << 30}) {
    five_steps<TypeParam>(ExchangeKind::overlap, 1003, bucket);
  }
  five_steps<TypeParam>(ExchangeKind::overlap, 100'000, 1 << 16);
}

TYPED_TEST(ExchangeOf, CompactGradientsAreSummedAlone) {
  for (const std::size_t shards : {0U, 8U}) {
    compact_steps<TypeParam>(ExchangeKind::allreduce, 64, shards);
    compact_steps<TypeParam>(ExchangeKind::tree, 64, shards);
    compact_steps<TypeParam>(ExchangeKind::node, 64, shards);
    for (const std::size_t bucket : {1U, 100U, 1U << 20}) {
      compact_steps<TypeParam>(ExchangeKind::overlap, bucket, shards);
    }
  }
  compact_steps<TypeParam>(ExchangeKind::node, 64, 0, true);
}

TYPED_TEST(ExchangeOf, AllRanksHearOfOneRanksBadNumbers) {
  for (const std::size_t size : {1U, 48U, 1003U}) {
    bad_steps<TypeParam>(ExchangeKind::allreduce, size, 64);
    bad_steps<TypeParam>(ExchangeKind::node, size, 64);
    for (const std::size_t bucket : {1U, 1000U, 4096U, 1U << 30}) {
      bad_steps<TypeParam>(ExchangeKind::overlap, size, bucket);
    }
  }
}

TEST(ChooseExchange, SaysWhatItChoseAndWhy) {
  Node node(world());
  const bool alone = world().size() == 1;
  const bool shared = world().all_reduce<std::int64_t>(node.size(), Reduction::max) > 1;
  const auto large = choose_exchange({.spare_core = true}, world(), node, std::size_t{1} << 30);
  EXPECT_EQ(large.kind, alone    ? ExchangeKind::tree
                        : shared ? ExchangeKind::node
                                 : ExchangeKind::overlap);
  EXPECT_FALSE(large.reason.empty());
  const auto busy = choose_exchange({}, world(), node, std::size_t{1} << 30);
  EXPECT_EQ(busy.kind, shared ? ExchangeKind::node : ExchangeKind::tree);
  const auto small = choose_exchange({.spare_core = true}, world(), node, 4);
  EXPECT_EQ(small.kind, shared ? ExchangeKind::node : ExchangeKind::tree);
  const auto asked = choose_exchange({.kind = ExchangeKind::overlap}, world(), node, 1);
  EXPECT_EQ(asked.kind, ExchangeKind::overlap);
  test::expect_error<InputError>(
      [&] {
        (void)choose_exchange({.kind = ExchangeKind::overlap, .compress = true}, world(), node, 1);
      },
      {"--compress", "--exchange node"});
  node.close();
}

}  // namespace
}  // namespace dnn
